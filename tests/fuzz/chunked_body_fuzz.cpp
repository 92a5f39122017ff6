// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// A chunked body read whole and read byte by byte must be the same body, or the same refusal.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "waxwing/net/http_head.hpp"

using namespace waxwing;
using namespace waxwing::net;

namespace {

struct Outcome {
  bool ok = true;
  bool end = false;
  std::string body;
  std::size_t consumed = 0;
};

Outcome decode(ByteView input, std::size_t piece) {
  ChunkedDecoder decoder;
  Outcome out;
  while (out.ok && !out.end && out.consumed < input.size()) {
    const ByteView next = input.subspan(out.consumed, std::min(piece, input.size() - out.consumed));
    const auto step = decoder.step(next);
    out.ok = step.has_value();
    if (!step) break;
    if (step->consumed > next.size() || (step->consumed == 0 && !step->end)) std::abort();
    out.consumed += step->consumed;
    out.body += as_text(step->data);
    out.end = step->end;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input = std::as_bytes(std::span(data, size));
  const Outcome whole = decode(input, size);
  const Outcome bytes = decode(input, 1);
  if (whole.ok != bytes.ok || whole.end != bytes.end) std::abort();
  if (whole.ok && (whole.body != bytes.body || whole.consumed != bytes.consumed)) std::abort();
  return 0;
}
