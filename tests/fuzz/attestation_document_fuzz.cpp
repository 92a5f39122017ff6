// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "waxwing/exchange/document.hpp"

// Document, endorsements and nonce path; what is accepted survives a round trip.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waxwing::exchange;
  const auto document = parse_document({reinterpret_cast<const char*>(data), size}, waxwing::Limits::evidence());
  if (!document) return 0;
  for (const EvidenceItem& item : document->evidence) {
    const auto endorsements = parse_snp_endorsements(item.endorsements, waxwing::Limits::evidence());
    if (!endorsements) continue;
    const auto again = parse_snp_endorsements(encode_snp_endorsements(*endorsements), waxwing::Limits::evidence());
    if (!again || *again != *endorsements) std::abort();
  }
  [[maybe_unused]] const auto root = nonce_root(Nonce{}, document->nonce_path);
  const auto again = parse_document(encode_document(*document), waxwing::Limits::evidence());
  // Escapes may make the text longer than the limit, so only what is read again is compared.
  if (again && (again->statement != document->statement || again->nonce_path != document->nonce_path)) std::abort();
  return 0;
}
