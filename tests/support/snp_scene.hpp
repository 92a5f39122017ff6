// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/simulated_root.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"

namespace waxwing::test {

/// Evidence that passes every check; a test changes one thing and looks at which checks fail.
struct SnpScene {
  explicit SnpScene(simulate::Product product = simulate::Product::genoa,
                    evidence::sev_snp::SigningKey kind = evidence::sev_snp::SigningKey::vcek)
      : root(simulated_root(product)),
        chip(simulate::SnpChip::create(root, kEvidenceTime, kind).value()),
        report(chip.blank_report()),
        chain(chip.chain()) {
    roots.certificates.push_back({crypto::Certificate::from_der(root.ark()).value(), "SIMULATED"});
  }

  /// The report as its chip signs it.
  [[nodiscard]] Bytes evidence() const { return chip.sign(report).value(); }

  /// Issues the endorsement key's certificate again.
  void reissue(const crypto::CertificateBuilder& ek) {
    chain[0] = ek.sign(root.keys().ask, crypto::SignatureScheme::rsa_pss_sha384).value();
  }
  [[nodiscard]] crypto::CertificateBuilder ek_builder(const simulate::EkSpec& spec) const {
    return simulate::ek_builder(spec, chip.key().public_key(), kEvidenceTime);
  }

  /// Parses and verifies `bytes`; every check stands in `checks` afterwards.
  Result<evidence::sev_snp::VerifiedReport> verify(ByteView bytes) {
    checks = {};
    WAXWING_ASSIGN(const auto parsed, evidence::sev_snp::parse_unverified(bytes, checks));
    WAXWING_ASSIGN(const auto endorsements,
                   evidence::sev_snp::Endorsements::from_der(chain, crl ? std::optional<ByteView>(*crl) : std::nullopt,
                                                             Limits::evidence()));
    return evidence::sev_snp::verify(parsed, endorsements, roots, now, crl_policy, checks);
  }
  Result<evidence::sev_snp::VerifiedReport> verify() { return verify(evidence()); }

  /// Names of the failed checks; "accepted" or "error" when none failed.
  std::vector<std::string> verdict(ByteView bytes) {
    const auto verified = verify(bytes);
    std::vector<std::string> failed = failures(checks);
    if (failed.empty())
      failed.emplace_back(verified ? "accepted" : "error");
    else if (verified)
      failed.emplace_back("accepted");
    return failed;
  }
  std::vector<std::string> verdict() { return verdict(evidence()); }

  static std::vector<std::string> failures(const evidence::Checklist& list) {
    std::vector<std::string> names;
    for (const evidence::Check& check : list.all())
      if (check.outcome == evidence::CheckOutcome::fail) names.push_back(check.name);
    return names;
  }

  const simulate::SnpRoot& root;
  simulate::SnpChip chip;
  simulate::Report report;
  std::vector<Bytes> chain;
  std::optional<Bytes> crl;
  evidence::sev_snp::Roots roots;
  WallTime now = kEvidenceTime;
  evidence::sev_snp::CrlPolicy crl_policy = evidence::sev_snp::CrlPolicy::if_present;
  evidence::Checklist checks;
};

}  // namespace waxwing::test
