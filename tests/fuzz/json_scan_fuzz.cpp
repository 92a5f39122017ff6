// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/json_scan.hpp"

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace {

using waxwing::dialect::ScanLimits;
using waxwing::dialect::TopLevelScanner;

struct Answer {
  bool accepted = false;
  std::optional<std::string> model;
  std::optional<bool> stream;
  bool operator==(const Answer&) const = default;
};

// Pieces of `step` bytes; the answer must not depend on it.
Answer scan(waxwing::ByteView body, std::size_t step) {
  TopLevelScanner scanner(ScanLimits::request());
  bool accepted = true;
  while (!body.empty()) {
    const std::size_t size = std::min(step, body.size());
    accepted = scanner.feed(body.first(size)).has_value() && accepted;
    body = body.subspan(size);
  }
  accepted = scanner.finish().has_value() && accepted;
  return accepted ? Answer{true, scanner.model(), scanner.stream()} : Answer{};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const waxwing::ByteView body = std::as_bytes(std::span(data, size));
  const Answer whole = scan(body, body.size() + 1);
  for (const std::size_t step : {1U, 3U, 8U}) {
    if (scan(body, step) != whole) std::abort();
  }
  // A DOM parser that takes the body sees the same model.
  const auto dom = nlohmann::json::parse(waxwing::as_text(body), nullptr, /*allow_exceptions=*/false);
  if (!whole.accepted || !dom.is_object()) return 0;
  const auto model = dom.find("model");
  const bool has_model = model != dom.end() && model->is_string();
  if (has_model != whole.model.has_value()) std::abort();
  if (has_model && model->get<std::string>() != *whole.model) std::abort();
  return 0;
}
