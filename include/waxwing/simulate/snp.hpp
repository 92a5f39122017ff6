// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/crypto/certificate_builder.hpp"
#include "waxwing/crypto/signing_key.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"

namespace waxwing::simulate {

/// Evidence of the shape AMD's hardware gives, under a root of our own: real reports, real chains, no hardware. A
/// verifier accepts it only where a policy names this root, with a label that every verdict then shows.
///
///     WAXWING_ASSIGN(auto root, SnpRoot::create(Product::genoa, now.wall));   // seconds, once per installation
///     WAXWING_ASSIGN(auto chip, SnpChip::create(root, now.wall));
///     auto report = chip.blank_report();
///     report.report_data = ...;
///     WAXWING_ASSIGN(Bytes evidence, chip.sign(report));
using Product = evidence::sev_snp::Product;
using Report = evidence::sev_snp::Report;

/// The launch measurement of simulated guests: SHA-384("waxwing simulated guest").
[[nodiscard]] ByteArray<evidence::sev_snp::kMeasurementSize> simulated_measurement();

/// AMD's distinguished name with this common name.
[[nodiscard]] crypto::DistinguishedName amd_name(std::string_view cn);

/// The 1184 bytes of a report; the signature is what its fields say.
[[nodiscard]] Bytes encode_report(const Report& report);
/// Signs bytes 0x000..0x29F of an encoded report with a P-384 key and puts the signature in its place.
[[nodiscard]] Result<void> sign_report(MutableByteView report, const crypto::SigningKey& key);

/// Root (ARK) and intermediates (ASK, ASVK) of one product. The intermediates share one RSA key.
class SnpRoot {
 public:
  struct Keys {
    crypto::SigningKey ark;
    crypto::SigningKey ask;
  };

  /// Makes two RSA-4096 keys, which takes seconds. Valid from a day before `now` for 20 years.
  [[nodiscard]] static Result<SnpRoot> create(Product product, WallTime now);
  /// The same product-independent keys under another product's names; for tests.
  [[nodiscard]] Result<SnpRoot> sibling(Product product, WallTime now) const;
  /// What serialise() gave. Code::malformed.
  [[nodiscard]] static Result<SnpRoot> restore(const SecretBytes& text);
  /// Keys and certificates as PEM text, for a file that only its owner can read.
  [[nodiscard]] Result<SecretBytes> serialise() const;

  [[nodiscard]] Product product() const { return product_; }
  [[nodiscard]] const Keys& keys() const { return *keys_; }
  [[nodiscard]] const Bytes& ark() const { return ark_; }    ///< DER
  [[nodiscard]] const Bytes& ask() const { return ask_; }    ///< DER
  [[nodiscard]] const Bytes& asvk() const { return asvk_; }  ///< DER
  /// The root for a policy's `file`.
  [[nodiscard]] std::string ark_pem() const;
  /// ASK or ASVK as it would be issued again; tests change one thing and sign it with keys().ark.
  [[nodiscard]] crypto::CertificateBuilder intermediate_builder(evidence::sev_snp::SigningKey kind) const;
  [[nodiscard]] ByteView ask_serial() const;
  [[nodiscard]] ByteView asvk_serial() const;
  /// DER revocation list of the root. `revoked` holds big-endian serial numbers.
  [[nodiscard]] Result<Bytes> crl(WallTime this_update, WallTime next_update, std::span<const Bytes> revoked) const;

 private:
  SnpRoot(Product product, std::shared_ptr<const Keys> keys, WallTime from);
  [[nodiscard]] Result<void> issue();
  Product product_;
  std::shared_ptr<const Keys> keys_;  // owners: this and its siblings; immutable
  WallTime from_;
  Bytes ark_;
  Bytes ask_;
  Bytes asvk_;
};

/// What an endorsement key's certificate says. The defaults of SnpChip agree with its reports.
struct EkSpec {
  evidence::sev_snp::SigningKey kind = evidence::sev_snp::SigningKey::vcek;
  Product product = Product::genoa;
  evidence::sev_snp::Tcb tcb;
  Bytes hardware_id;   ///< VCEK: 64 bytes, Turin 8
  std::string csp_id;  ///< VLEK
};
/// AMD's extensions for it, in AMD's order.
[[nodiscard]] std::vector<crypto::CertificateExtension> ek_extensions(const EkSpec& spec);
/// A certificate with these names, key and extensions, valid from a day before `now` for 7 years, serial 0; sign it
/// with SnpRoot::keys().ask.
[[nodiscard]] crypto::CertificateBuilder ek_builder(const EkSpec& spec, const crypto::PublicKey& key, WallTime now);

/// One chip (or, for a VLEK, one provider's key): signs reports.
class SnpChip {
 public:
  /// The chip's identity is derived from the root, so it stays the same for an installation.
  [[nodiscard]] static Result<SnpChip> create(const SnpRoot& root, WallTime now,
                                              evidence::sev_snp::SigningKey kind = evidence::sev_snp::SigningKey::vcek);

  /// A version 5 report with every platform field as this chip has it; REPORT_DATA and HOST_DATA zero, the simulated
  /// measurement, guest policy 0x30000. Its owner sets REPORT_ID.
  [[nodiscard]] Report blank_report() const;
  /// 1184 bytes.
  [[nodiscard]] Result<Bytes> sign(const Report& report) const;

  [[nodiscard]] const EkSpec& spec() const { return spec_; }
  [[nodiscard]] const crypto::SigningKey& key() const { return *key_; }
  /// DER: endorsement key, intermediate, root.
  [[nodiscard]] const std::vector<Bytes>& chain() const { return chain_; }

 private:
  SnpChip(EkSpec spec, crypto::SigningKey key, std::vector<Bytes> chain);
  EkSpec spec_;
  std::unique_ptr<crypto::SigningKey> key_;
  std::vector<Bytes> chain_;
};

}  // namespace waxwing::simulate
