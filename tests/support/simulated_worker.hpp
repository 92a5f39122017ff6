// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "waxwing/appraisal/policy.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"
#include "waxwing/exchange/document.hpp"
#include "waxwing/exchange/nonce_batch.hpp"
#include "waxwing/exchange/statement.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::test {

/// A worker with simulated hardware; its root and chip are made once per test program (RSA-4096 takes seconds).
/// Link the module `simulate`.
class SimulatedWorker {
 public:
  static const SimulatedWorker& shared() {
    static const SimulatedWorker worker;
    return worker;
  }

  /// Any time within the chain's validity will do.
  static WallTime time() { return from_rfc3339("2026-11-24T12:00:00Z").value(); }

  /// Accepts this worker's measurement under this root, labelled SIMULATED.
  [[nodiscard]] appraisal::Policy policy() const {
    appraisal::Policy policy;
    policy.name = "simulated";
    policy.roots.certificates.push_back({crypto::Certificate::from_der(root_.ark()).value(), "SIMULATED"});
    policy.snp.measurements = appraisal::Measurements{simulate::simulated_measurement()};
    return policy;
  }

  [[nodiscard]] simulate::Report blank_report() const { return chip_.blank_report(); }

  /// Evidence with endorsements for that report.
  [[nodiscard]] exchange::EvidenceItem sign(const simulate::Report& report) const {
    return {"sev-snp", chip_.sign(report).value(), exchange::encode_snp_endorsements({chip_.chain(), std::nullopt})};
  }

  /// What a gateway answers to `nonce` when `others` waited with it.
  [[nodiscard]] exchange::AttestationDocument attest(Bytes statement, const exchange::Nonce& nonce,
                                                     const std::vector<exchange::Nonce>& others = {}) const {
    exchange::NonceBatch batch(exchange::kMaxNonces);
    for (const exchange::Nonce& other : others) (void)batch.add(other).value();
    const std::uint64_t place = batch.add(nonce).value();
    const exchange::NonceTree tree = batch.close();
    simulate::Report report = chip_.blank_report();
    report.report_data = exchange::report_data(tree.root(), statement);
    return {std::move(statement), {sign(report)}, tree.path(place)};
  }

 private:
  SimulatedWorker()
      : root_(simulate::SnpRoot::create(simulate::Product::genoa, time()).value()),
        chip_(simulate::SnpChip::create(root_, time()).value()) {}

  simulate::SnpRoot root_;
  simulate::SnpChip chip_;
};

}  // namespace waxwing::test
