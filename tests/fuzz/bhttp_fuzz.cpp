// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// A message reads the same in one piece and byte by byte, and what was read encodes to the same message.

#include "unit/sealed/support.hpp"

using namespace waxwing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  for (const auto kind : {sealed::bhttp::Kind::request, sealed::bhttp::Kind::response}) {
    const auto whole = test::decode(kind, bytes);
    const auto pieces = test::decode(kind, bytes, test::Cutter::every(1));
    if (whole.has_value() != pieces.has_value()) __builtin_trap();
    if (!whole) continue;
    if (!(*whole == *pieces)) __builtin_trap();

    Bytes again;
    for (const auto& head : whole->informational)
      if (!sealed::bhttp::encode_informational(head, again)) __builtin_trap();
    const bool encoded = kind == sealed::bhttp::Kind::request
                             ? sealed::bhttp::encode_head(whole->request, again).has_value()
                         : again.empty() ? sealed::bhttp::encode_head(whole->response, again).has_value()
                                         : sealed::bhttp::encode_final_head(whole->response, again).has_value();
    if (!encoded) __builtin_trap();
    if (!whole->content.empty()) {
      sealed::bhttp::encode_content_prefix(whole->content.size(), again);
      append(again, whole->content);
    }
    if (!sealed::bhttp::encode_end(whole->trailers, again)) __builtin_trap();
    auto reread = test::decode(kind, again);
    if (!reread) __builtin_trap();
    reread->padding = whole->padding;
    reread->known_length = whole->known_length;
    if (!(*reread == *whole)) __builtin_trap();
  }
  return 0;
}
