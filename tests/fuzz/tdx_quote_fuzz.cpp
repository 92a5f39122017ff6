// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "waxwing/evidence/tdx/quote.hpp"

namespace tdx = waxwing::evidence::tdx;

/// A quote that parses has a known version and no failed check, and what is signed is its beginning; one that does not
/// says which check failed. Whoever allows any trailing bytes reads the same quote.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const waxwing::ByteView bytes = std::as_bytes(std::span(data, size));
  waxwing::evidence::Checklist checks;
  const auto quote = tdx::parse_unverified(bytes, tdx::TrailingBytes::zero_only, checks);
  if (quote.has_value() == checks.failed()) std::abort();
  if (!quote) return 0;
  if (quote->version != 4 && quote->version != 5) std::abort();
  const std::size_t body = quote->body_type == tdx::BodyType::td15 ? tdx::kTd15Size : tdx::kTd10Size;
  if (quote->signed_bytes.size() != tdx::kHeaderSize + (quote->version == 5 ? 6 : 0) + body) std::abort();
  if (!std::ranges::equal(quote->signed_bytes, bytes.first(quote->signed_bytes.size()))) std::abort();
  const auto lenient = tdx::parse_unverified(bytes, tdx::TrailingBytes::any);
  if (!lenient || lenient->pck_chain_pem != quote->pck_chain_pem) std::abort();
  return 0;
}
