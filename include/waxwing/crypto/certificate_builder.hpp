// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/signature.hpp"
#include "waxwing/crypto/signing_key.hpp"

namespace waxwing::crypto {

/// One RDN of one attribute: an OpenSSL short name ("CN", "O", "OU", "C", "L", "ST") or a dotted OID, and UTF-8 text.
struct NameAttribute {
  std::string type;
  std::string value;
};
/// In encoding order. Equal lists encode to equal bytes, so an issuer is its own subject's list.
using DistinguishedName = std::vector<NameAttribute>;

enum class Criticality : std::uint8_t { non_critical, critical };

struct CertificateExtension {
  std::string oid;  ///< dotted
  Criticality criticality = Criticality::non_critical;
  Bytes value;  ///< content of extnValue, usually DER
};

/// How a certificate or CRL is signed.
enum class SignatureScheme : std::uint8_t {
  rsa_pss_sha384,    ///< RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48 (what AMD's chains use)
  rsa_pkcs1_sha384,  ///< RSASSA-PKCS1-v1_5
  ecdsa,             ///< SHA-256 with P-256, SHA-384 with P-384
};

/// Extensions in common use (RFC 5280 section 4.2.1).
[[nodiscard]] CertificateExtension basic_constraints_ca(std::optional<std::uint8_t> path_length = std::nullopt);
[[nodiscard]] CertificateExtension key_usage_cert_and_crl_sign();
/// DNS names, and IP addresses as 4 or 16 bytes.
[[nodiscard]] CertificateExtension subject_alt_names(std::span<const std::string> dns,
                                                     std::span<const Bytes> addresses);

/// DER of single values, for extension contents. Precondition of der_ia5_string: ASCII, shorter than 128 bytes.
[[nodiscard]] Bytes der_integer(std::uint64_t value);
[[nodiscard]] Bytes der_ia5_string(std::string_view text);

/// Makes an X.509 version 3 certificate. It puts in what it is told, nothing of its own: also certificates that a
/// verifier must refuse.
///
///     CertificateBuilder builder;
///     builder.subject(name).issuer(name).validity(from,
///     to).public_key(key.public_key()).extension(basic_constraints_ca()); WAXWING_ASSIGN(Bytes der, builder.sign(key,
///     SignatureScheme::ecdsa));
class CertificateBuilder {
 public:
  /// Default 0.
  CertificateBuilder& serial(std::uint64_t value);
  /// Non-negative big-endian integer of at most 20 bytes.
  CertificateBuilder& serial(ByteView big_endian);
  CertificateBuilder& subject(DistinguishedName name);
  CertificateBuilder& issuer(DistinguishedName name);
  /// Whole seconds; fractions are cut.
  CertificateBuilder& validity(WallTime not_before, WallTime not_after);
  CertificateBuilder& public_key(PublicKey key);
  /// Appends; a repeated OID is repeated in the certificate.
  CertificateBuilder& extension(CertificateExtension extension);
  CertificateBuilder& extension(std::string oid, Criticality criticality, Bytes value);

  /// DER. Code::bad_request when a public key is missing, a name or OID is not understood or the scheme does not fit
  /// the issuer's key. Call it as often as wanted.
  [[nodiscard]] Result<Bytes> sign(const SigningKey& issuer, SignatureScheme scheme) const;

 private:
  Bytes serial_{std::byte{0}};
  DistinguishedName subject_;
  DistinguishedName issuer_;
  WallTime not_before_{};
  WallTime not_after_{};
  std::optional<PublicKey> public_key_;
  std::vector<CertificateExtension> extensions_;
};

/// Makes an X.509 version 2 CRL without extensions.
class CrlBuilder {
 public:
  CrlBuilder& issuer(DistinguishedName name);
  CrlBuilder& this_update(WallTime time);
  CrlBuilder& next_update(WallTime time);
  /// Revoked at `time`; serial as in CertificateBuilder.
  CrlBuilder& revoke(ByteView serial_big_endian, WallTime time);

  [[nodiscard]] Result<Bytes> sign(const SigningKey& issuer, SignatureScheme scheme) const;

 private:
  struct Revoked {
    Bytes serial;
    WallTime time;
  };
  DistinguishedName issuer_;
  WallTime this_update_{};
  std::optional<WallTime> next_update_;
  std::vector<Revoked> revoked_;
};

/// A PEM block of this label ("CERTIFICATE", "X509 CRL") with lines of 64 characters.
[[nodiscard]] std::string to_pem(std::string_view label, ByteView der);

}  // namespace waxwing::crypto
