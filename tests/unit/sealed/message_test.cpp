// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/message.hpp"

#include <gtest/gtest.h>

#include <set>

#include "support.hpp"
#include "waxwing/base/byte_reader.hpp"

namespace waxwing::test {
namespace {

using sealed::AnswerComposer;
using sealed::AnswerPadding;
using sealed::AnswerReader;
using sealed::Fields;
using sealed::Input;
using sealed::kMaxChunkPlaintext;
using sealed::MessageEvent;
using sealed::ReaderLimits;
using sealed::RequestComposer;
using sealed::RequestHead;
using sealed::RequestReader;
using sealed::ResponseHead;

/// A message as a reader delivered it, and how it ended.
struct Read {
  RequestHead request;
  ResponseHead response;
  std::vector<int> informational;
  Bytes content;
  bool head = false;
  bool complete = false;
  std::optional<Code> failure;
};

template <class Reader>
Read read_all(Reader& reader, ByteView wire, Cutter cutter = Cutter::whole()) {
  Read read;
  for (;;) {
    ByteView piece = cutter.take(wire);
    const auto input = wire.empty() ? Input::ended : Input::open;
    for (;;) {
      const auto step = reader.next(piece, input);
      if (!step) {
        read.failure = step.error().code();
        return read;
      }
      if (step->event == MessageEvent::need_input) break;
      if (step->event == MessageEvent::content) append(read.content, step->content);
      if (step->event == MessageEvent::head || step->event == MessageEvent::informational) {
        if constexpr (std::is_same_v<Reader, RequestReader>) {
          read.request = reader.head();
        } else {
          read.response = reader.head();
          if (step->event == MessageEvent::informational) read.informational.push_back(reader.head().status);
        }
        read.head = read.head || step->event == MessageEvent::head;
      }
      if (step->event == MessageEvent::end) {
        read.complete = true;
        return read;
      }
    }
    if (input == Input::ended) return read;
  }
}

const RequestHead kHead{"POST",
                        "https",
                        "worker.example",
                        "/v1/chat/completions",
                        {{"content-type", "application/json"}, {"waxwing-pad", "256"}}};

Bytes compose(RequestComposer& composer, const RequestHead& head, ByteView body, Cutter cutter = Cutter::whole()) {
  Bytes wire;
  const auto drain = [&] {
    append(wire, composer.wire().view());
    composer.wire().clear();
  };
  composer.head(head).value();
  while (!body.empty()) {
    composer.content(cutter.take(body)).value();
    drain();
  }
  composer.finish().value();
  drain();
  return wire;
}

Bytes compose(AnswerComposer& composer, const ResponseHead& head, ByteView body, Cutter cutter = Cutter::whole()) {
  composer.head(head).value();
  while (!body.empty()) composer.content(cutter.take(body)).value();
  composer.finish().value();
  return to_bytes(composer.wire().view());
}

// Plaintext sizes of the chunks as an observer computes them from the wire.
std::vector<std::size_t> observed(ByteView wire, std::size_t header) {
  std::vector<std::size_t> sizes;
  ByteReader in("wire", wire);
  in.bytes(header);
  for (;;) {
    const std::uint64_t length = in.varint();
    const ByteView chunk = length == 0 ? in.rest() : in.bytes(length);
    if (!in.ok()) throw std::runtime_error("cut");
    sizes.push_back(chunk.size() - 16);
    if (length == 0) return sizes;
  }
}

struct Pair {
  explicit Pair(const ReaderLimits& limits = {})
      : request(key.client(random)),
        opener(request.response()),
        reader(key.worker(RequestReader::max_wire(limits)), limits) {}
  TestKey key;
  CountingRandom random;
  RequestComposer request;
  sealed::ResponseOpener opener;
  RequestReader reader;
};

TEST(Request, ArrivesWholeForAnySizeAndAnyCuts) {
  std::mt19937_64 random(2);
  for (const std::size_t size : {0U, 1U, 100U, 16200U, 16384U, 20000U, 200000U}) {
    for (int round = 0; round < 6; ++round) {
      Pair pair;
      const Bytes body = random_bytes(random, size);
      const Bytes wire = compose(pair.request, kHead, body, Cutter::randomly(random(), 1 + random() % 50000));
      const Read read = read_all(pair.reader, wire, Cutter::randomly(random(), 1 + random() % 50000));
      EXPECT_TRUE(read.complete);
      EXPECT_EQ(read.request, kHead);
      EXPECT_EQ(read.content, body);
    }
  }
}

TEST(Request, ShowsOnlyPaddedLengths) {
  std::mt19937_64 random(3);
  for (std::size_t size = 0; size < 40000; size += 1 + random() % 200) {
    Pair pair;
    const std::size_t header = 7 + 32;
    const Bytes wire = compose(pair.request, kHead, Bytes(size), Cutter::randomly(random(), 5000));
    std::size_t total = 0;
    const auto sizes = observed(wire, header);
    for (const std::size_t chunk : sizes) total += chunk;
    for (std::size_t i = 0; i + 1 < sizes.size(); ++i) EXPECT_EQ(sizes[i], kMaxChunkPlaintext);
    EXPECT_EQ(total % (total <= 16384 ? 1024U : 16384U), 0U) << size;
  }
}

TEST(Request, LeavesOutFieldsOfTheConnection) {
  Pair pair;
  RequestHead head = kHead;
  head.fields.push_back({"Transfer-Encoding", "chunked"});
  head.fields.push_back({"Content-Length", "99"});
  head.fields.push_back({"Connection", "close"});
  EXPECT_EQ(read_all(pair.reader, compose(pair.request, head, text("{}"))).request, kHead);
}

TEST(Request, RefusesTruncationAtEveryByteAndEveryFlippedBit) {
  Pair pair;
  const Bytes wire = compose(pair.request, kHead, text("{\"prompt\":1}"));
  for (std::size_t size = 0; size < wire.size(); ++size) {
    RequestReader reader(pair.key.worker());
    const Read read = read_all(reader, ByteView(wire).first(size));
    EXPECT_FALSE(read.complete);
    EXPECT_TRUE(read.failure == Code::truncated || read.failure == Code::open_failed);
    EXPECT_TRUE(read.content.empty());
  }
  for (std::size_t bit = 0; bit < 8 * wire.size(); bit += 3) {
    Bytes flipped = wire;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    RequestReader reader(pair.key.worker());
    const Read read = read_all(reader, flipped);
    EXPECT_FALSE(read.complete);
    EXPECT_FALSE(reader.is_opened());
    EXPECT_TRUE(read.failure == Code::truncated || read.failure == Code::open_failed ||
                read.failure == Code::key_unknown);
  }
}

// Seals a request that an honest composer would not make.
Bytes seal_raw(const TestKey& key, Random& random, const Bytes& plaintext) {
  auto client = key.client(random);
  return seal_all(client, std::array{plaintext});
}

TEST(Request, WhatOpensButIsNoRequestIsAnsweredInsideTheSeal) {
  const auto refusal = [](const RequestHead& head, std::string_view body, const ReaderLimits& limits = {}) {
    Pair pair(limits);
    Bytes plaintext;
    sealed::bhttp::encode_head(head, plaintext).value();
    if (!body.empty()) {
      sealed::bhttp::encode_content_prefix(body.size(), plaintext);
      append(plaintext, as_bytes(body));
    }
    sealed::bhttp::encode_end({}, plaintext).value();
    const Read read = read_all(pair.reader, seal_raw(pair.key, pair.random, plaintext));
    EXPECT_TRUE(pair.reader.is_opened());
    return read.failure;
  };
  const auto with = [](std::string name, std::string value) {
    RequestHead head = kHead;
    head.fields.push_back({std::move(name), std::move(value)});
    return head;
  };
  EXPECT_EQ(refusal(kHead, "x"), std::nullopt);
  EXPECT_EQ(refusal({"GET", "ftp", "a", "/", {}}, ""), Code::bad_request);
  EXPECT_EQ(refusal({"GET", "https", "a", "http://b/", {}}, ""), Code::bad_request);
  EXPECT_EQ(refusal({"GET", "https", "a", "*", {}}, ""), Code::bad_request);
  EXPECT_EQ(refusal(with("expect", "100-continue"), "x"), Code::bad_request);
  EXPECT_EQ(refusal(with("content-length", "1"), "x"), std::nullopt);
  EXPECT_EQ(refusal(with("content-length", "2"), "x"), Code::bad_request);
  EXPECT_EQ(refusal(with("content-length", "0"), "x"), Code::bad_request);
  EXPECT_EQ(refusal(with("content-length", "+1"), "x"), Code::bad_request);
  EXPECT_EQ(refusal(with("content-length", "1, 1"), "x"), Code::bad_request);
  EXPECT_EQ(refusal(with("waxwing-pad", "256"), "x"), Code::bad_request);
  EXPECT_EQ(refusal(kHead, "12345678", {.head = {}, .content = 8}), std::nullopt);
  EXPECT_EQ(refusal(kHead, "123456789", {.head = {}, .content = 8}), Code::too_large);

  Pair pair;
  const Read read = read_all(pair.reader, seal_raw(pair.key, pair.random, text("no binary HTTP")));
  EXPECT_EQ(read.failure, Code::bad_request);
}

TEST(Request, AChunkBeyondItsLimitIsOneMoreWayNotToOpen) {
  Pair pair;
  Bytes wire = to_bytes(pair.key.client(pair.random).header());
  append(wire, text("\xbf\xff\xff\xff"));
  EXPECT_EQ(read_all(pair.reader, wire).failure, Code::open_failed);
}

// One exchange: the request asks for padding or not, the answer comes back.
struct Answered {
  Bytes wire;
  Read read;
};
Answered answer(AnswerPadding padding, const ResponseHead& head, ByteView body, Cutter to_composer = Cutter::whole(),
                Cutter to_reader = Cutter::whole()) {
  Pair pair;
  RequestHead request = kHead;
  if (padding == AnswerPadding::none) request.fields.pop_back();
  EXPECT_TRUE(read_all(pair.reader, compose(pair.request, request, text("{}"))).complete);
  AnswerComposer composer = pair.reader.answer(pair.random);
  Bytes wire = compose(composer, head, body, to_composer);
  AnswerReader reader(std::move(pair.opener), padding);
  Read read = read_all(reader, wire, to_reader);
  return {std::move(wire), std::move(read)};
}

const ResponseHead kStream{200, {{"content-type", "text/event-stream; charset=utf-8"}}};
const ResponseHead kJson{200, {{"content-type", "application/json"}}};
constexpr std::size_t kNonceSize = 32;

Bytes random_events(std::mt19937_64& random) {
  std::string stream;
  for (std::uint64_t left = 1 + random() % 30; left > 0; --left)
    stream += "data: {\"t\":\"" + std::string(random() % (random() % 12 == 0 ? 30000 : 200), 'x') + "\"}\n\n";
  stream += "data: [DONE]\n\n";
  return text(stream);
}

TEST(Answer, ArrivesWholePaddedOrNotForAnyCuts) {
  std::mt19937_64 random(6);
  for (int round = 0; round < 60; ++round) {
    const Bytes body = random_events(random);
    for (const AnswerPadding padding : {AnswerPadding::none, AnswerPadding::padded})
      for (const ResponseHead& head : {kStream, kJson}) {
        const Answered answered =
            answer(padding, head, body, Cutter::randomly(random(), 2000), Cutter::randomly(random(), 5000));
        EXPECT_TRUE(answered.read.complete);
        EXPECT_EQ(answered.read.response, head);
        EXPECT_EQ(answered.read.content, body);
      }
  }
}

TEST(Answer, ShowsOnlyPaddedLengthsOver500Answers) {
  std::mt19937_64 random(7);
  std::set<std::size_t> streamed;
  for (int round = 0; round < 500; ++round) {
    const Bytes body = random_events(random);
    const Bytes stream = answer(AnswerPadding::padded, kStream, body, Cutter::randomly(random(), 3000)).wire;
    for (const std::size_t size : observed(stream, kNonceSize)) {
      EXPECT_EQ(size % 256, 0U);
      EXPECT_GT(size, 0U);
      EXPECT_LE(size, kMaxChunkPlaintext);
      streamed.insert(size);
    }
    const auto whole = observed(answer(AnswerPadding::padded, kJson, body).wire, kNonceSize);
    for (std::size_t i = 0; i + 1 < whole.size(); ++i) EXPECT_EQ(whole[i], kMaxChunkPlaintext);
    EXPECT_EQ(whole.back() % 1024, 0U);
  }
  EXPECT_LE(streamed.size(), kMaxChunkPlaintext / 256);
}

TEST(Answer, ABodyThatIsNoEventStreamKeepsLinesThatLookLikeFiller) {
  const Bytes body = text(":waxwing-pad\n{\"a\":\"\n:waxwing-pad\n\"}");
  EXPECT_EQ(answer(AnswerPadding::padded, kJson, body).read.content, body);
  EXPECT_EQ(answer(AnswerPadding::none, kStream, body).read.content, body);
}

TEST(Answer, UnpaddedPiecesGoOutAtOnce) {
  Pair pair;
  RequestHead request = kHead;
  request.fields.clear();
  (void)read_all(pair.reader, compose(pair.request, request, {}));
  AnswerComposer composer = pair.reader.answer(pair.random);
  composer.head(kStream).value();
  const std::size_t after_head = composer.wire().view().size();
  EXPECT_GT(after_head, kNonceSize + 16);
  composer.content(text("data: 1\n")).value();
  EXPECT_EQ(composer.wire().view().size(), after_head + sealed::sealed_size(1 + 8, sealed::Last::no));
}

TEST(Answer, CarriesInformationalAnswersAndTrailers) {
  Pair pair;
  (void)read_all(pair.reader, compose(pair.request, kHead, {}));
  AnswerComposer composer = pair.reader.answer(pair.random);
  composer.informational({103, {{"link", "</x>"}}}).value();
  composer.head(kJson).value();
  composer.content(text("{}")).value();
  composer.finish({{"t", "v"}}).value();
  AnswerReader reader(std::move(pair.opener), AnswerPadding::padded);
  const Read read = read_all(reader, composer.wire().view(), Cutter::every(1));
  EXPECT_TRUE(read.complete);
  EXPECT_EQ(read.informational, std::vector{103});
  EXPECT_EQ(read.response, kJson);
  EXPECT_EQ(reader.trailers(), (Fields{{"t", "v"}}));
}

TEST(Answer, ACutAnswerIsNeverTakenForComplete) {
  Pair pair;
  (void)read_all(pair.reader, compose(pair.request, kHead, {}));
  AnswerComposer composer = pair.reader.answer(pair.random);
  const Bytes wire = compose(composer, kStream, text("data: 1\n\ndata: 2\n\n"), Cutter::every(9));
  for (std::size_t size = 0; size < wire.size(); ++size) {
    // The same exchange again, since an opener serves one answer.
    const TestKey key;
    CountingRandom random;
    RequestComposer again(key.client(random));
    AnswerReader reader(again.response(), AnswerPadding::padded);
    const Read read = read_all(reader, ByteView(wire).first(size));
    EXPECT_FALSE(read.complete);
    EXPECT_TRUE(read.failure == Code::answer_cut || read.failure == Code::answer_forged) << size;
  }
  for (std::size_t bit = 0; bit < 8 * wire.size(); bit += 7) {
    Bytes flipped = wire;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const TestKey key;
    CountingRandom random;
    RequestComposer again(key.client(random));
    AnswerReader reader(again.response(), AnswerPadding::padded);
    const Read read = read_all(reader, flipped);
    EXPECT_FALSE(read.complete);
    EXPECT_TRUE(read.failure == Code::answer_cut || read.failure == Code::answer_forged) << bit;
  }
}

TEST(Composers, RefuseWhatComesOutOfTurn) {
  Pair pair;
  EXPECT_EQ(pair.request.content(text("x")).error().code(), Code::internal);
  EXPECT_EQ(pair.request.finish().error().code(), Code::internal);
  EXPECT_TRUE(pair.request.head(kHead));
  EXPECT_EQ(pair.request.head(kHead).error().code(), Code::internal);
  EXPECT_TRUE(pair.request.finish());
  EXPECT_EQ(pair.request.finish().error().code(), Code::internal);
  EXPECT_TRUE(read_all(pair.reader, pair.request.wire().view()).complete);
  AnswerComposer answer = pair.reader.answer(pair.random);
  EXPECT_EQ(answer.content(text("x")).error().code(), Code::internal);
  EXPECT_TRUE(answer.head(kJson));
  EXPECT_FALSE(answer.informational({103, {}}));
}

TEST(WireBuffer, KeepsWhatIsNotConsumed) {
  sealed::WireBuffer wire;
  std::mt19937_64 random(1);
  Bytes expected;
  for (int round = 0; round < 300; ++round) {
    const Bytes more = random_bytes(random, random() % 3000);
    std::ranges::copy(more, wire.extend(more.size()).begin());
    append(expected, more);
    const std::size_t used = random() % (expected.size() + 1);
    wire.consume(used);
    expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(used));
    ASSERT_EQ(to_bytes(wire.view()), expected);
  }
}

}  // namespace
}  // namespace waxwing::test
