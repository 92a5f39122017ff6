// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/padding.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace waxwing::test {
namespace {

using sealed::kMaxChunkPlaintext;
using sealed::PaddedEventWriter;
using sealed::PadStripper;

Bytes strip(ByteView stream, Cutter cutter) {
  PadStripper stripper;
  Bytes kept;
  while (!stream.empty()) {
    ByteView piece = cutter.take(stream);
    while (const auto run = stripper.next(piece)) {
      EXPECT_FALSE(run->empty());
      append(kept, *run);
    }
  }
  append(kept, stripper.finish());
  return kept;
}

struct Padded {
  std::vector<Bytes> chunks;
  Bytes content;  ///< as a client gets it, filler included
};

// Runs a stream through the writer and checks every length an observer sees.
Padded pad(ByteView stream, Cutter cutter, ByteView head) {
  ListSink sink;
  PaddedEventWriter writer;
  writer.begin(head, sink).value();
  while (!stream.empty()) {
    ByteView piece = cutter.take(stream);
    writer.write(piece, sink).value();
  }
  Bytes end;
  sealed::bhttp::encode_end({}, end).value();
  writer.finish(end, sink).value();
  EXPECT_TRUE(sink.ended);
  for (const Bytes& chunk : sink.chunks) {
    EXPECT_EQ(chunk.size() % sealed::kEventBlock, 0U);
    EXPECT_LE(chunk.size(), kMaxChunkPlaintext);
    EXPECT_FALSE(chunk.empty());
  }
  const auto message = decode(sealed::bhttp::Kind::response, sink.joined());
  EXPECT_TRUE(message) << message.error().describe();
  return {std::move(sink.chunks), message ? message->content : Bytes{}};
}

Bytes head_of(std::size_t value_size) {
  Bytes head;
  sealed::bhttp::encode_head(
      sealed::ResponseHead{200, {{"content-type", "text/event-stream"}, {"x", std::string(value_size, 'h')}}}, head)
      .value();
  return head;
}

// Events of all sizes and line ends; sometimes cut at the end.
Bytes random_stream(std::mt19937_64& random) {
  static constexpr std::array<std::string_view, 3> kEnds = {"\n", "\r\n", "\r"};
  std::string stream;
  const std::string_view end = kEnds[random() % 3];
  for (std::uint64_t events = random() % 12; events > 0; --events) {
    const std::size_t size = random() % 9 == 0 ? random() % 40000 : random() % 400;
    stream += "data: ";
    stream.append(size, static_cast<char>('a' + random() % 26));
    stream += end;
    if (random() % 4 == 0) (stream += ": a comment, :waxwing-pa") += end;
    if (random() % 6 == 0) (stream += ":waxwing-pa") += end;
    stream += end;
  }
  if (random() % 3 == 0) stream += "data: no end";
  if (random() % 5 == 0) (stream += end) += ":waxwing";
  return text(stream);
}

TEST(PaddedRequestSize, IsAMultipleOf1KiBUpTo16KiBAndOf16KiBBeyond) {
  EXPECT_EQ(sealed::padded_request_size(1), 1024U);
  EXPECT_EQ(sealed::padded_request_size(1024), 1024U);
  EXPECT_EQ(sealed::padded_request_size(1025), 2048U);
  EXPECT_EQ(sealed::padded_request_size(16384), 16384U);
  EXPECT_EQ(sealed::padded_request_size(16385), 32768U);
  for (std::uint64_t size = 1; size < 70000; size += 7) {
    const std::uint64_t padded = sealed::padded_request_size(size);
    EXPECT_GE(padded, size);
    EXPECT_EQ(padded % (size <= 16384 ? 1024U : 16384U), 0U);
    EXPECT_LT(padded - size, size <= 16384 ? 1024U : 16384U);
  }
}

TEST(BlockWriter, CutsIntoFullChunksWhateverIsWritten) {
  std::mt19937_64 random(8);
  for (const std::size_t size : {std::size_t{1}, std::size_t{1023}, std::size_t{1024}, std::size_t{16383},
                                 std::size_t{16384}, std::size_t{16385}, std::size_t{32768}, std::size_t{100000}}) {
    for (int round = 0; round < 5; ++round) {
      const Bytes data = random_bytes(random, size);
      ListSink sink;
      sealed::BlockWriter writer;
      Cutter cutter = Cutter::randomly(random(), 40000);
      for (ByteView rest = data; !rest.empty();) writer.write(cutter.take(rest), sink).value();
      writer.finish(sealed::padded_request_size, sink).value();
      ASSERT_TRUE(sink.ended);
      Bytes joined = sink.joined();
      EXPECT_EQ(joined.size(), sealed::padded_request_size(size));
      EXPECT_TRUE(all_zero(ByteView(joined).subspan(size)));
      joined.resize(size);
      EXPECT_EQ(joined, data);
      for (std::size_t i = 0; i + 1 < sink.chunks.size(); ++i) EXPECT_EQ(sink.chunks[i].size(), kMaxChunkPlaintext);
      EXPECT_FALSE(sink.chunks.back().empty());
    }
  }
}

TEST(PadStripper, DropsFillerLinesOnlyAndWholeHoweverTheStreamIsCut) {
  const Bytes stream = text(
      ":waxwing-pad...\n"
      "data: {\"t\":\":waxwing-pad\"}\n"
      "data: x\n\n"
      ":waxwing-pad\n"
      " :waxwing-pad\n"
      "data:\r\n\r\n:waxwing-pad,,,\r\ndata: 2\r\r:waxwing-padding\rdata: 3\n"
      ":waxwing-pa\n:waxwing-\n:\n:WAXWING-PAD\n"
      ":waxwing-pad....");
  const Bytes kept = text(
      "data: {\"t\":\":waxwing-pad\"}\n"
      "data: x\n\n"
      " :waxwing-pad\n"
      "data:\r\n\r\ndata: 2\r\rdata: 3\n"
      ":waxwing-pa\n:waxwing-\n:\n:WAXWING-PAD\n");
  for (std::size_t size = 1; size <= stream.size(); ++size) EXPECT_EQ(strip(stream, Cutter::every(size)), kept) << size;
  for (std::uint64_t seed = 0; seed < 200; ++seed) EXPECT_EQ(strip(stream, Cutter::randomly(seed, 30)), kept);
}

TEST(PadStripper, KeepsAStreamWithoutFillerAsItIs) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 100; ++round) {
    const Bytes stream = random_stream(random);
    EXPECT_EQ(strip(stream, Cutter::randomly(random(), 50)), stream);
    EXPECT_EQ(strip(stream, Cutter::whole()), stream);
  }
}

TEST(PadStripper, GivesBackTheStartOfAFillerLineThatNeverCame) {
  EXPECT_EQ(strip(text("\n:waxwing"), Cutter::every(1)), text("\n:waxwing"));
  EXPECT_EQ(strip(text(":waxwing-paX"), Cutter::every(1)), text(":waxwing-paX"));
}

TEST(PaddedEventWriter, StrippingGivesBackTheStreamHoweverBothAreCut) {
  std::mt19937_64 random(21);
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE(round);
    const Bytes stream = random_stream(random);
    const Padded padded =
        pad(stream, round % 4 == 0 ? Cutter::every(1 + random() % 5) : Cutter::randomly(random(), 3000),
            head_of(random() % 500));
    EXPECT_EQ(strip(padded.content, Cutter::randomly(random(), 900)), stream);
  }
}

TEST(PaddedEventWriter, FillsTheFirstChunkForEveryHead) {
  for (std::size_t size = 0; size < 600; ++size) {
    ListSink sink;
    PaddedEventWriter writer;
    writer.begin(head_of(size), sink).value();
    ASSERT_EQ(sink.chunks.size(), 1U);
    EXPECT_EQ(sink.chunks[0].size() % 256, 0U) << size;
  }
  for (const std::size_t size : {8100U, 8192U, 16300U, 16384U, 40000U}) {
    const Padded padded = pad(text("data: x\n\n"), Cutter::whole(), head_of(size));
    EXPECT_EQ(strip(padded.content, Cutter::whole()), text("data: x\n\n"));
  }
}

TEST(PaddedEventWriter, FillsUpEventsOfEverySize) {
  const Bytes head = head_of(10);
  for (std::size_t size = 0; size < 1100; ++size) {
    const Bytes event = text("data: " + std::string(size, 'x') + "\n\n");
    EXPECT_EQ(strip(pad(event, Cutter::whole(), head).content, Cutter::whole()), event);
  }
  for (std::size_t size = kMaxChunkPlaintext - 600; size < kMaxChunkPlaintext + 300; ++size) {
    const Bytes event = text("data: " + std::string(size, 'x') + "\n\n");
    EXPECT_EQ(strip(pad(event, Cutter::whole(), head).content, Cutter::whole()), event);
  }
}

TEST(PaddedEventWriter, SendsAnEventAsSoonAsItIsWholeAndNotBefore) {
  ListSink sink;
  PaddedEventWriter writer;
  writer.begin(head_of(3), sink).value();
  EXPECT_EQ(sink.chunks.size(), 1U);
  writer.write(text("data: 1\n"), sink).value();
  EXPECT_EQ(sink.chunks.size(), 1U);
  writer.write(text("\ndata: 2\n"), sink).value();
  EXPECT_EQ(sink.chunks.size(), 2U);
  EXPECT_TRUE(as_text(sink.chunks[1]).find("data: 1\n\n:waxwing-pad") != std::string_view::npos);
  writer.write(text("\n: keep-alive\n\n"), sink).value();
  EXPECT_EQ(sink.chunks.size(), 3U);
}

TEST(PaddedEventWriter, SendsAnEventAbove16KiBInFullPiecesFirst) {
  ListSink sink;
  PaddedEventWriter writer;
  writer.begin(head_of(3), sink).value();
  writer.write(text("data: " + std::string(40000, 'x')), sink).value();
  ASSERT_EQ(sink.chunks.size(), 3U);
  EXPECT_EQ(sink.chunks[1].size(), kMaxChunkPlaintext);
  EXPECT_EQ(sink.chunks[2].size(), kMaxChunkPlaintext);
}

TEST(PaddedEventWriter, DropsTheEnginesOwnFillerLines) {
  const Bytes stream = text("data: 1\n\n:waxwing-pad leak\n\ndata: 2\n\n");
  const Padded padded = pad(stream, Cutter::every(3), head_of(1));
  EXPECT_EQ(as_text(padded.content).find("leak"), std::string_view::npos);
  EXPECT_EQ(strip(padded.content, Cutter::whole()), text("data: 1\n\n\ndata: 2\n\n"));
}

TEST(PaddedEventWriter, FillerDoesNotDependOnTheContent) {
  const auto lengths = [](char c) {
    std::vector<std::string> fillers;
    const Padded padded = pad(text("data: " + std::string(77, c) + "\n\n"), Cutter::whole(), head_of(1));
    const std::string_view content = as_text(padded.content);
    for (std::size_t at = content.find(":waxwing-pad"); at != std::string_view::npos;
         at = content.find(":waxwing-pad", at + 1))
      fillers.emplace_back(content.substr(at, content.find('\n', at) - at));
    return fillers;
  };
  EXPECT_EQ(lengths('a'), lengths('b'));
}

}  // namespace
}  // namespace waxwing::test
