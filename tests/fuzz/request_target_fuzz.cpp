// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <span>

#include "waxwing/base/bytes.hpp"
#include "waxwing/dialect/endpoints.hpp"

// A target that names an endpoint holds nothing that another reader could resolve elsewhere.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using waxwing::dialect::EncodedSlash;
  const std::string_view target = waxwing::as_text(std::as_bytes(std::span(data, size)));
  for (const EncodedSlash slash : {EncodedSlash::refuse, EncodedSlash::in_parameter}) {
    const auto match = waxwing::dialect::find_endpoint("GET", target, slash);
    if (!match) continue;
    const std::string_view path = match->target.path;
    for (const std::string_view bad : {"//", "/./", "/../", "\\", "#", "?", "\r", "\n"}) {
      if (path.contains(bad)) std::abort();
    }
    if (path.ends_with("/..") || !path.starts_with("/v1/models")) std::abort();
    if (("/" + match->parameter + "/").contains("/../")) std::abort();
  }
  return 0;
}
