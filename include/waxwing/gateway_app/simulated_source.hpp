// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/gateway/evidence_source.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::gateway_app {

struct SimulatedOptions {
  evidence::sev_snp::Product product = evidence::sev_snp::Product::genoa;
  std::optional<ByteArray<evidence::sev_snp::kMeasurementSize>> measurement;
  std::optional<std::uint64_t> policy;
  ByteArray<32> host_data{};
};

/// The installation's simulated root of this product: read from the state directory (`simulated-genoa.pem`, 0600), or
/// made there, which takes seconds; of two processes that do so at once both end with the same. Code::io,
/// Code::malformed.
[[nodiscard]] Result<simulate::SnpRoot> load_or_create_root(const std::string& state_directory,
                                                            evidence::sev_snp::Product product, WallTime now);

/// SEV-SNP reports without the hardware. REPORT_ID is drawn at start, as a machine's start would.
class SimulatedSource final : public gateway::EvidenceSource {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SimulatedSource>> create(const simulate::SnpRoot& root,
                                                                       SimulatedOptions options, Random& random,
                                                                       WallTime now);
  [[nodiscard]] Result<gateway::Evidence> report(const gateway::ReportData& report_data) override;

 private:
  SimulatedSource(simulate::SnpChip chip, SimulatedOptions options, ByteArray<32> report_id)
      : chip_(std::move(chip)), options_(options), report_id_(report_id) {}
  simulate::SnpChip chip_;
  SimulatedOptions options_;
  ByteArray<32> report_id_;
};

}  // namespace waxwing::gateway_app
