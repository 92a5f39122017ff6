// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/crypto/x509.hpp"
#include "waxwing/evidence/check.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"

namespace waxwing::evidence::sev_snp {

/// What comes with a report and proves itself: the endorsement key's certificate, those above it, a revocation list.
struct Endorsements {
  crypto::Certificate ek;                          ///< VCEK or VLEK
  std::vector<crypto::Certificate> intermediates;  ///< ASK or ASVK, and the ARK; any order, others are ignored
  std::optional<crypto::Crl> crl;

  /// DER certificates with the endorsement key's first, and a DER revocation list or nothing. Code::evidence_malformed.
  [[nodiscard]] static Result<Endorsements> from_der(std::span<const Bytes> certificates, std::optional<ByteView> crl,
                                                     const Limits& limits);
};

/// A root certificate (ARK) trusted because its owner says so, for example of simulated evidence.
struct Root {
  crypto::Certificate ark;
  std::string label;  ///< printed wherever a verdict is; never empty for a root that is not a vendor's
};

/// A root known by the SHA-256 of its certificate: the certificate itself comes with the endorsements.
struct PinnedRoot {
  crypto::Sha256Digest certificate_sha256;
  Product product;
  std::string label;  ///< empty for AMD's
};

struct Roots {
  std::vector<PinnedRoot> pinned;
  std::vector<Root> certificates;
};

/// AMD's three roots, pinned: ARK-Milan, ARK-Genoa, ARK-Turin.
[[nodiscard]] Roots amd_roots();

/// A bad list always refuses; a missing one only when required.
enum class CrlPolicy : std::uint8_t { if_present, required };

/// A report whose signature, chain, TCB and chip were verified. Only verify() makes one.
class VerifiedReport {
 public:
  [[nodiscard]] const Report& report() const { return report_; }
  [[nodiscard]] Product product() const { return product_; }
  /// Empty for AMD's roots, else the label of the root that vouched, e.g. "SIMULATED".
  [[nodiscard]] const std::string& anchor_label() const { return anchor_label_; }
  [[nodiscard]] const crypto::Sha256Digest& anchor_sha256() const { return anchor_sha256_; }  ///< of the root's DER
  [[nodiscard]] const crypto::Sha256Digest& ek_sha256() const { return ek_sha256_; }  ///< of the VCEK's or VLEK's DER
  /// Earliest end of the chain's certificates and of the revocation list.
  [[nodiscard]] WallTime not_after() const { return not_after_; }
  /// SHA-256 of the 672 signed bytes: names the report whichever of its two valid signatures it carries.
  [[nodiscard]] crypto::Sha256Digest evidence_sha256() const;
  /// CHIP_ID is zero and masked, so the report is not tied to one chip; whether that is acceptable is policy.
  [[nodiscard]] bool chip_id_masked() const;
  [[nodiscard]] Tcb reported_tcb() const { return Tcb::decode(report_.reported_tcb, product_); }

 private:
  friend Result<VerifiedReport> verify(const Report&, const Endorsements&, const Roots&, WallTime, CrlPolicy,
                                       Checklist&);
  VerifiedReport() = default;
  Report report_;
  Product product_ = Product::milan;
  std::string anchor_label_;
  crypto::Sha256Digest anchor_sha256_{};
  crypto::Sha256Digest ek_sha256_{};
  WallTime not_after_;
};

/// Makes every check "snp.*" that is not of the format and not of a policy, all of them even after a failure where that
/// still says something. Code::evidence_rejected, or Code::evidence_unsupported for an unknown processor.
///
///     WAXWING_ASSIGN(const auto report, parse_unverified(bytes, checks));
///     WAXWING_ASSIGN(const auto verified, verify(report, endorsements, amd_roots(), now.wall, CrlPolicy::if_present,
///     checks));
[[nodiscard]] Result<VerifiedReport> verify(const Report& report, const Endorsements& endorsements, const Roots& roots,
                                            WallTime now, CrlPolicy crl_policy, Checklist& checks);

}  // namespace waxwing::evidence::sev_snp
