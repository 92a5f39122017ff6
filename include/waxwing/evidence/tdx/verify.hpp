// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/x509.hpp"
#include "waxwing/evidence/check.hpp"
#include "waxwing/evidence/tdx/collateral.hpp"
#include "waxwing/evidence/tdx/quote.hpp"
#include "waxwing/evidence/tdx/tcb_info.hpp"

namespace waxwing::evidence::tdx {

/// A root certificate trusted because its owner says so, for example of simulated evidence.
struct Root {
  crypto::Certificate certificate;
  std::string label;  ///< printed wherever a verdict is; never empty for a root that is not a vendor's
};

/// A root known by the SHA-256 of its certificate: the certificate itself comes with the quote.
struct PinnedRoot {
  crypto::Sha256Digest certificate_sha256;
  std::string label;  ///< empty for Intel's
};

struct Roots {
  std::vector<PinnedRoot> pinned;
  std::vector<Root> certificates;
};

/// Intel's SGX Root CA, pinned.
[[nodiscard]] Roots intel_roots();

/// What the PCK certificate says of its platform (Intel SGX PCK certificate specification, SGX extensions).
struct Platform {
  ByteArray<6> fmspc{};
  ByteArray<2> pce_id{};
  std::array<std::uint8_t, kComponents> components{};  ///< SGX TCB component SVNs
  std::uint16_t pcesvn = 0;
  ByteArray<16> cpu_svn{};
};

/// A security version below that of Intel's newest level.
struct Shortfall {
  std::string component;  ///< "SGX component 2 (OS/VMM, SGX Late Microcode Update)", "TDX module", "PCE"
  unsigned found = 0;
  unsigned newest = 0;
};
[[nodiscard]] std::string to_string(const Shortfall& shortfall);  ///< "PCE: 11, newest 13"

/// How the platform stands: the parts' statuses, and what they come to together.
struct TcbResult {
  TcbStatus status = TcbStatus::revoked;
  TcbStatus platform_status = TcbStatus::revoked;
  std::optional<TcbStatus>
      module_status;  ///< nothing for a module of major version 0, which the platform's level judges
  TcbStatus qe_status = TcbStatus::revoked;
  WallTime tcb_date;  ///< earliest of the matched levels'
  std::vector<std::string> advisory_ids;
  std::vector<Shortfall> shortfalls;  ///< empty on the newest level
};

/// A quote whose signatures, chains and TCB were verified. Its status may be any, Revoked too: what is acceptable is
/// policy. Only verify() makes one.
class VerifiedQuote {
 public:
  [[nodiscard]] const Quote& quote() const { return quote_; }
  [[nodiscard]] const Platform& platform() const { return platform_; }
  [[nodiscard]] const TcbResult& tcb() const { return tcb_; }
  /// The lower one of TCB info and QE identity.
  [[nodiscard]] std::uint32_t evaluation_number() const { return evaluation_number_; }
  /// Empty for Intel's root, else the label of the root that vouched, e.g. "SIMULATED".
  [[nodiscard]] const std::string& anchor_label() const { return anchor_label_; }
  [[nodiscard]] const crypto::Sha256Digest& anchor_sha256() const { return anchor_sha256_; }  ///< of the root's DER
  [[nodiscard]] const crypto::Sha256Digest& pck_sha256() const { return pck_sha256_; }        ///< of the PCK's DER
  /// Earliest end of certificates, revocation lists, TCB info and QE identity.
  [[nodiscard]] WallTime not_after() const { return not_after_; }
  /// SHA-256 of the signed bytes: names the quote whichever of its two valid signatures it carries.
  [[nodiscard]] crypto::Sha256Digest evidence_sha256() const;

 private:
  friend Result<VerifiedQuote> verify(const Quote&, const Collateral&, const Roots&, WallTime, Checklist&);
  VerifiedQuote() = default;
  Quote quote_;
  Platform platform_;
  TcbResult tcb_;
  std::uint32_t evaluation_number_ = 0;
  std::string anchor_label_;
  crypto::Sha256Digest anchor_sha256_{};
  crypto::Sha256Digest pck_sha256_{};
  WallTime not_after_;
};

/// Makes every check "tdx.*" that is not of the format and not of a policy, all of them even after a failure where that
/// still says something. All times are inclusive. Code::evidence_rejected.
///
///     WAXWING_ASSIGN(const auto quote, parse_unverified(bytes, TrailingBytes::zero_only, checks));
///     WAXWING_ASSIGN(const auto collateral, parse_collateral(json, Limits::evidence()));
///     WAXWING_ASSIGN(const auto verified, verify(quote, collateral, intel_roots(), now.wall, checks));
[[nodiscard]] Result<VerifiedQuote> verify(const Quote& quote, const Collateral& collateral, const Roots& roots,
                                           WallTime now, Checklist& checks);

}  // namespace waxwing::evidence::tdx
