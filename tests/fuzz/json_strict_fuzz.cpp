// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/json_strict.hpp"

#include <cstdlib>

#include "waxwing/base/encoding.hpp"

namespace {

constexpr waxwing::Limits kLimits{.document = 4096, .depth = 8, .members = 16, .certificate = 0, .certificates = 0};

}  // namespace

// What is accepted is what the library reads too, within the limits, and survives being written and read again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = waxwing::as_text(std::as_bytes(std::span(data, size)));
  const auto parsed = waxwing::parse_json_strict(text, kLimits);
  if (!parsed) {
    if (!waxwing::is_utf8(parsed.error().text())) std::abort();
    return 0;
  }
  if (!waxwing::is_utf8(text)) std::abort();
  if (*parsed != nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false)) std::abort();
  const auto again = waxwing::parse_json_strict(parsed->dump(), kLimits);
  // Writing may lengthen a number, nothing else may get in the way.
  if (again ? *again != *parsed : again.error().code() != waxwing::Code::too_large) std::abort();
  return 0;
}
