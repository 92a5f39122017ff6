// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <span>

#include "waxwing/net/http_head.hpp"

using namespace waxwing;
using namespace waxwing::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input = std::as_bytes(std::span(data, size));
  const HeadLimits limits{.bytes = 4096, .fields = 20, .target = 200};
  std::size_t scanned = 0;
  const auto end = find_head_end(input, limits, scanned);
  if (!end || !*end) return 0;
  ResponseHead head;
  if (!parse_response_head(input.first(**end), limits, head)) return 0;
  if (head.status < 100 || head.status > 599) std::abort();
  if (!response_body_length(head, "POST")) return 0;
  const auto without_body = response_body_length(head, "HEAD");
  if (!without_body || without_body->kind != BodyLength::Kind::none) std::abort();
  static_cast<void>(keeps_alive(head.minor_version, head.fields));
  return 0;
}
