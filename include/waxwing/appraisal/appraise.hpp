// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "waxwing/appraisal/policy.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/evidence/check.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing::appraisal {

/// A worker whose verified evidence one policy accepts, until then. Only appraise() makes one.
class TrustedWorker {
 public:
  [[nodiscard]] const std::string& kind() const { return kind_; }        ///< "sev-snp", "tdx"
  [[nodiscard]] const std::string& product() const { return product_; }  ///< "Genoa"; "FMSPC 90c06f000000"
  /// The 64 bytes the hardware vouches for.
  [[nodiscard]] const ByteArray<64>& report_data() const { return report_data_; }
  /// MEASUREMENT or MRTD.
  [[nodiscard]] const Bytes& measurement() const { return measurement_; }
  [[nodiscard]] const std::string& anchor_label() const { return anchor_label_; }  ///< "" or "SIMULATED"
  [[nodiscard]] const crypto::Sha256Digest& anchor_sha256() const { return anchor_sha256_; }
  [[nodiscard]] const crypto::Sha256Digest& evidence_sha256() const { return evidence_sha256_; }
  [[nodiscard]] const std::string& policy_name() const { return policy_name_; }
  [[nodiscard]] const crypto::Sha256Digest& policy_digest() const { return policy_digest_; }
  /// What the same policy demands of the statement.
  [[nodiscard]] const EnginePolicy& engine() const { return engine_; }
  /// Earliest of the evidence's end, the policy's max_age and its expiry.
  [[nodiscard]] WallTime not_after() const { return not_after_; }
  /// The same instant on the clock that nobody can set.
  [[nodiscard]] BootTime deadline() const { return deadline_; }

 private:
  friend Result<TrustedWorker> appraise(const sev_snp::VerifiedReport&, const Policy&, Now, evidence::Checklist&);
  friend Result<TrustedWorker> appraise(const tdx::VerifiedQuote&, const Policy&, Now, evidence::Checklist&);
  TrustedWorker() = default;
  std::string kind_;
  std::string product_;
  ByteArray<64> report_data_{};
  Bytes measurement_;
  std::string anchor_label_;
  crypto::Sha256Digest anchor_sha256_{};
  crypto::Sha256Digest evidence_sha256_{};
  std::string policy_name_;
  crypto::Sha256Digest policy_digest_{};
  EnginePolicy engine_;
  WallTime not_after_;
  BootTime deadline_;
};

/// Makes the checks "policy.*", "snp.policy.*" or "tdx.policy.*", and "reference.origin", all of them.
/// Code::policy_refused when one fails, or when an earlier check of the list has failed.
[[nodiscard]] Result<TrustedWorker> appraise(const sev_snp::VerifiedReport& verified, const Policy& policy, Now now,
                                             evidence::Checklist& checks);
[[nodiscard]] Result<TrustedWorker> appraise(const tdx::VerifiedQuote& verified, const Policy& policy, Now now,
                                             evidence::Checklist& checks);

}  // namespace waxwing::appraisal
