// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// A request head as received: what is accepted must be sendable again and be read the same, and a search in two pieces
// must end as the search in one.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

#include "waxwing/net/http_head.hpp"

using namespace waxwing;
using namespace waxwing::net;

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void check_search(ByteView input, const HeadLimits& limits) {
  std::size_t whole = 0;
  const auto at_once = find_head_end(input, limits, whole);
  std::size_t scanned = 0;
  const auto half = find_head_end(input.first(input.size() / 2), limits, scanned);
  if (!half || *half) return;
  const auto in_two = find_head_end(input, limits, scanned);
  check(at_once.has_value() == in_two.has_value());
  if (at_once) check(*at_once == *in_two);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input = std::as_bytes(std::span(data, size));
  const HeadLimits limits{.bytes = 4096, .fields = 20, .target = 200};
  check_search(input, limits);

  std::size_t scanned = 0;
  const auto end = find_head_end(input, limits, scanned);
  if (!end || !*end) return 0;
  check(**end <= limits.bytes && **end <= size);
  RequestHead head;
  if (!parse_request_head(input.first(**end), limits, head)) return 0;
  check(head.fields.size() <= limits.fields && head.target.size() <= limits.target);
  const auto length = request_body_length(head);
  if (!length) return 0;

  for (const auto* ours : {"content-length", "transfer-encoding", "connection"}) head.fields.remove(ours);
  Bytes wire;
  check(encode_head(head, *length, Persist::keep_alive, wire).has_value());
  RequestHead again;
  check(parse_request_head(wire, HeadLimits{.bytes = 8192, .fields = 22, .target = 200}, again).has_value() ||
        head.minor_version == 0);
  check(again.target == head.target || head.minor_version == 0);
  return 0;
}
