// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Stripping does not depend on how the stream is cut, agrees with a plain line filter, and undoes padding.

#include <string>

#include "unit/sealed/support.hpp"

using namespace waxwing;

namespace {

Bytes strip(ByteView stream, test::Cutter cutter) {
  sealed::PadStripper stripper;
  Bytes kept;
  while (!stream.empty()) {
    ByteView piece = cutter.take(stream);
    while (const auto run = stripper.next(piece)) append(kept, *run);
  }
  append(kept, stripper.finish());
  return kept;
}

// Line by line over the whole stream.
Bytes filter(std::string_view stream) {
  std::string kept;
  while (!stream.empty()) {
    std::size_t end = stream.find_first_of("\r\n");
    if (end == std::string_view::npos)
      end = stream.size();
    else
      end += stream.substr(end, 2) == "\r\n" ? 2 : 1;
    if (!stream.starts_with(sealed::kPadLine)) kept += stream.substr(0, end);
    stream.remove_prefix(end);
  }
  return test::text(kept);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView stream = std::as_bytes(std::span(data, size));
  const Bytes expected = filter(as_text(stream));
  const std::size_t piece = size == 0 ? 1 : 1 + data[0] % 9;
  if (strip(stream, test::Cutter::whole()) != expected) __builtin_trap();
  if (strip(stream, test::Cutter::every(piece)) != expected) __builtin_trap();

  test::ListSink sink;
  sealed::PaddedEventWriter writer;
  Bytes head;
  if (!sealed::bhttp::encode_head(sealed::ResponseHead{}, head) || !writer.begin(head, sink)) __builtin_trap();
  test::Cutter cutter = test::Cutter::every(piece * 7);
  for (ByteView rest = stream; !rest.empty();)
    if (!writer.write(cutter.take(rest), sink)) __builtin_trap();
  Bytes end;
  if (!sealed::bhttp::encode_end({}, end) || !writer.finish(end, sink)) __builtin_trap();
  for (const Bytes& chunk : sink.chunks)
    if (chunk.empty() || chunk.size() % 256 != 0 || chunk.size() > sealed::kMaxChunkPlaintext) __builtin_trap();
  const auto message = test::decode(sealed::bhttp::Kind::response, sink.joined());
  if (!message || strip(message->content, test::Cutter::every(piece)) != expected) __builtin_trap();
  return 0;
}
