// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/certificate_builder.hpp"
#include "waxwing/crypto/signing_key.hpp"
#include "waxwing/evidence/tdx/quote.hpp"
#include "waxwing/evidence/tdx/tcb_info.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing::simulate {

namespace tdx = evidence::tdx;

/// Evidence of the shape Intel's hardware and services give, under a root of our own: real quotes, chains and
/// collateral, no hardware. A verifier accepts it only where a policy names this root, with a label.
///
///     WAXWING_ASSIGN(auto root, TdxRoot::create(now.wall));
///     WAXWING_ASSIGN(auto platform, TdxPlatform::create(root, now.wall));
///     auto quote = platform.blank_quote();
///     quote.body.report_data = ...;
///     WAXWING_ASSIGN(Bytes evidence, platform.sign(quote));
///     WAXWING_ASSIGN(std::string endorsements, platform.collateral(root, now.wall));

/// Intel's distinguished name with this common name.
[[nodiscard]] crypto::DistinguishedName intel_name(std::string_view cn);

/// Root, authority of the PCK certificates, and signer of TCB info and enclave identities; P-256 keys.
class TdxRoot {
 public:
  struct Keys {
    crypto::SigningKey root;
    crypto::SigningKey pck_ca;
    crypto::SigningKey tcb_signer;
  };

  /// Valid from a day before `now` for 20 years.
  [[nodiscard]] static Result<TdxRoot> create(WallTime now);

  [[nodiscard]] const Keys& keys() const { return *keys_; }
  [[nodiscard]] const Bytes& root() const { return root_; }              ///< DER
  [[nodiscard]] const Bytes& pck_ca() const { return pck_ca_; }          ///< DER
  [[nodiscard]] const Bytes& tcb_signer() const { return tcb_signer_; }  ///< DER
  /// The root for a policy's `file`.
  [[nodiscard]] std::string root_pem() const;
  /// Certificates as they would be issued again; tests change one thing and sign with keys().root.
  [[nodiscard]] crypto::CertificateBuilder root_builder() const;
  [[nodiscard]] crypto::CertificateBuilder pck_ca_builder() const;
  [[nodiscard]] crypto::CertificateBuilder tcb_signer_builder() const;
  /// DER revocation lists of root and PCK authority. `revoked` holds big-endian serial numbers.
  [[nodiscard]] Result<Bytes> root_crl(WallTime from, WallTime until, std::span<const Bytes> revoked) const;
  [[nodiscard]] Result<Bytes> pck_crl(WallTime from, WallTime until, std::span<const Bytes> revoked) const;

 private:
  TdxRoot(std::shared_ptr<const Keys> keys, WallTime from) : keys_(std::move(keys)), from_(from) {}
  std::shared_ptr<const Keys> keys_;  // owners: copies of this; immutable
  WallTime from_;
  Bytes root_;
  Bytes pck_ca_;
  Bytes tcb_signer_;
};

/// Big-endian serial numbers of what a TdxRoot and a TdxPlatform issue.
enum class TdxSerial : std::uint8_t { root = 1, pck_ca = 2, tcb_signer = 3, pck = 4 };
[[nodiscard]] Bytes serial_of(TdxSerial serial);

/// Intel's SGX extension of a PCK certificate.
[[nodiscard]] Bytes sgx_extension(const tdx::Platform& platform);
/// A PCK certificate with these names and this extension, valid from a day before `now` for 7 years; sign it with
/// TdxRoot::keys().pck_ca.
[[nodiscard]] crypto::CertificateBuilder pck_builder(const tdx::Platform& platform, const crypto::PublicKey& key,
                                                     WallTime now);

/// The bytes of a quote as its fields say, reserved ones zero: `signed_bytes` are not read. The part that the
/// attestation key signs stands first, in version 4 with 632 bytes.
[[nodiscard]] Bytes encode_quote(const tdx::Quote& quote);
[[nodiscard]] Bytes encode_signed_part(const tdx::Quote& quote);
[[nodiscard]] Bytes encode_qe_report(const tdx::QeReport& report);

/// The documents of Intel's service, without signature.
[[nodiscard]] std::string encode_tcb_info(const tdx::TcbInfo& info);
[[nodiscard]] std::string encode_qe_identity(const tdx::QeIdentity& identity);

/// A document with its signature and the signer's chain (DER).
struct SignedText {
  std::string text;
  Bytes signature;  ///< r || s
  std::vector<Bytes> chain;
};
[[nodiscard]] Result<Bytes> sign_text(std::string_view text, const crypto::SigningKey& signer);
struct CollateralParts {
  std::vector<Bytes> pck_crl_chain;  ///< DER
  Bytes root_ca_crl;                 ///< DER
  Bytes pck_crl;                     ///< DER
  SignedText tcb_info;
  SignedText qe_identity;
};
/// What evidence::tdx::parse_collateral reads.
[[nodiscard]] std::string encode_collateral(const CollateralParts& parts);

/// One platform: signs quotes, and is up to date by its own collateral.
class TdxPlatform {
 public:
  [[nodiscard]] static Result<TdxPlatform> create(const TdxRoot& root, WallTime now);

  /// A version 5 quote with TD report 1.5 and every platform field as this platform has it; REPORTDATA zero, the
  /// simulated measurements, SEPT_VE_DISABLE set.
  [[nodiscard]] tdx::Quote blank_quote() const;
  /// Names the attestation key in the enclave's report, and signs both; the chain is this platform's.
  [[nodiscard]] Result<Bytes> sign(tdx::Quote quote) const;
  /// The three steps of it.
  void name_attestation_key(tdx::Quote& quote) const;
  [[nodiscard]] Result<void> sign_qe_report(tdx::Quote& quote) const;
  [[nodiscard]] Result<void> sign_body(tdx::Quote& quote) const;

  /// Documents that call this platform up to date, and older versions out of date; current for 30 days.
  [[nodiscard]] tdx::TcbInfo tcb_info(WallTime now) const;
  [[nodiscard]] tdx::QeIdentity qe_identity(WallTime now) const;
  [[nodiscard]] Result<CollateralParts> collateral_parts(const TdxRoot& root, WallTime now) const;
  [[nodiscard]] Result<std::string> collateral(const TdxRoot& root, WallTime now) const;

  [[nodiscard]] const tdx::Platform& platform() const { return platform_; }
  [[nodiscard]] const crypto::SigningKey& pck_key() const { return keys_->pck; }
  [[nodiscard]] const std::vector<Bytes>& chain() const { return chain_; }  ///< DER: PCK, its authority, root

 private:
  struct Keys {
    crypto::SigningKey pck;
    crypto::SigningKey attestation;
  };
  TdxPlatform(tdx::Platform platform, std::shared_ptr<const Keys> keys, std::vector<Bytes> chain)
      : platform_(platform), keys_(std::move(keys)), chain_(std::move(chain)) {}
  tdx::Platform platform_;
  std::shared_ptr<const Keys> keys_;  // owners: copies of this; immutable
  std::vector<Bytes> chain_;
};

/// "-----BEGIN CERTIFICATE-----" and so on, one after the other.
[[nodiscard]] std::string to_pem_chain(std::span<const Bytes> chain);

}  // namespace waxwing::simulate
