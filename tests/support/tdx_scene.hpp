// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "waxwing/evidence/tdx/collateral.hpp"
#include "waxwing/evidence/tdx/quote.hpp"
#include "waxwing/evidence/tdx/verify.hpp"
#include "waxwing/simulate/tdx.hpp"

namespace waxwing::test {

/// Evidence that passes every check; a test changes one thing and looks at which checks fail.
struct TdxScene {
  static const simulate::TdxRoot& shared_root() {
    static const simulate::TdxRoot root = simulate::TdxRoot::create(time()).value();
    return root;
  }
  static WallTime time() { return from_unix(1767225600); }  // 2026-01-01T00:00:00Z

  TdxScene()
      : root(shared_root()),
        platform(simulate::TdxPlatform::create(root, time()).value()),
        quote(platform.blank_quote()),
        info(platform.tcb_info(time())),
        qe(platform.qe_identity(time())),
        parts(platform.collateral_parts(root, time()).value()) {
    roots.certificates.push_back({crypto::Certificate::from_der(root.root()).value(), "SIMULATED"});
  }

  /// The quote as its platform signs it.
  [[nodiscard]] Bytes evidence() const { return platform.sign(quote).value(); }

  /// Puts `info` and `qe` into the collateral, signed.
  void publish() {
    publish(parts.tcb_info, simulate::encode_tcb_info(info));
    publish(parts.qe_identity, simulate::encode_qe_identity(qe));
  }
  void publish(simulate::SignedText& document, std::string text) const {
    document.text = std::move(text);
    document.signature = simulate::sign_text(document.text, root.keys().tcb_signer).value();
  }

  /// Puts a PCK certificate into the quote.
  void set_pck(const crypto::CertificateBuilder& builder, const crypto::SigningKey& issuer) {
    set_chain({builder.sign(issuer, crypto::SignatureScheme::ecdsa).value(), root.pck_ca(), root.root()});
  }
  void set_chain(const std::vector<Bytes>& chain) { quote.pck_chain_pem = simulate::to_pem_chain(chain); }
  [[nodiscard]] crypto::CertificateBuilder pck_builder(const evidence::tdx::Platform& spec) const {
    return simulate::pck_builder(spec, platform.pck_key().public_key(), time());
  }

  /// Parses and verifies `bytes`; every check stands in `checks` afterwards.
  Result<evidence::tdx::VerifiedQuote> verify(ByteView bytes) {
    checks = {};
    WAXWING_ASSIGN(const auto parsed, evidence::tdx::parse_unverified(bytes, trailing, checks));
    WAXWING_ASSIGN(const auto collateral,
                   evidence::tdx::parse_collateral(simulate::encode_collateral(parts), Limits::evidence()));
    return evidence::tdx::verify(parsed, collateral, roots, now, checks);
  }
  Result<evidence::tdx::VerifiedQuote> verify() { return verify(evidence()); }

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

  const simulate::TdxRoot& root;
  simulate::TdxPlatform platform;
  evidence::tdx::Quote quote;
  evidence::tdx::TcbInfo info;
  evidence::tdx::QeIdentity qe;
  simulate::CollateralParts parts;
  evidence::tdx::Roots roots;
  WallTime now = time();
  evidence::tdx::TrailingBytes trailing = evidence::tdx::TrailingBytes::zero_only;
  evidence::Checklist checks;
};

}  // namespace waxwing::test
