// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/sse.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

namespace {

using waxwing::dialect::Oversize;
using waxwing::dialect::SsePart;
using waxwing::dialect::SseSplitter;

// Cuts the stream into pieces of `step` bytes and puts it together again.
void round_trip(waxwing::ByteView stream, std::size_t step) {
  SseSplitter splitter({.event = 32, .oversize = Oversize::split});
  std::string joined;
  for (waxwing::ByteView rest = stream; !rest.empty();) {
    const std::size_t size = std::min(step, rest.size());
    splitter.feed(rest.first(size));
    for (;;) {
      const auto event = splitter.next();
      if (!event) std::abort();
      if (!*event) break;
      if ((*event)->part == SsePart::whole && (*event)->bytes.size() > 32) std::abort();
      joined += waxwing::as_text((*event)->bytes);
    }
    rest = rest.subspan(size);
  }
  joined += waxwing::as_text(splitter.rest());
  if (joined != waxwing::as_text(stream)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const waxwing::ByteView stream = std::as_bytes(std::span(data, size));
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, size + 1}) round_trip(stream, step);
  return 0;
}
