// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "waxwing/evidence/sev_snp/report.hpp"

namespace sev_snp = waxwing::evidence::sev_snp;

/// A report that parses has exactly its size, a known version, and no failed check; one that does not says which
/// failed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  waxwing::evidence::Checklist checks;
  const auto report = sev_snp::parse_unverified(std::as_bytes(std::span(data, size)), checks);
  if (report.has_value() == checks.failed()) std::abort();
  if (!report) return 0;
  if (size != sev_snp::kReportSize || report->version < 2 || report->version > 5) std::abort();
  for (const auto product : {sev_snp::Product::milan, sev_snp::Product::genoa, sev_snp::Product::turin}) {
    const auto tcb = sev_snp::Tcb::decode(report->current_tcb, product);
    if (!(sev_snp::Tcb::decode(tcb.encode(product), product) == tcb)) std::abort();
  }
  return 0;
}
