// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "waxwing/evidence/sev_snp/certificate_table.hpp"

namespace sev_snp = waxwing::evidence::sev_snp;

/// Every certificate that is found lies inside the table; turning them into endorsements never crashes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto limits = waxwing::Limits::evidence();
  const auto table = sev_snp::parse_certificate_table(bytes, limits);
  if (!table) return 0;
  for (const auto& view : {table->vcek, table->vlek, table->ask, table->ark}) {
    if (!view) continue;
    if (view->data() < bytes.data() || view->data() + view->size() > bytes.data() + bytes.size()) std::abort();
  }
  for (const auto key : {sev_snp::SigningKey::vcek, sev_snp::SigningKey::vlek})
    (void)sev_snp::endorsements_from_table(*table, key, limits);
  return 0;
}
