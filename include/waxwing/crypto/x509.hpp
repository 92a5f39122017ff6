// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/crypto/signature.hpp"

namespace waxwing::crypto {

inline constexpr std::size_t kMaxCertificateSize = 64U << 10U;
inline constexpr std::size_t kMaxCrlSize = 1U << 20U;

/// An X.509 certificate as parsed, nothing verified. Cheap to copy (immutable inside).
class Certificate {
 public:
  /// DER, the whole input; at most kMaxCertificateSize bytes. Code::malformed also for an encoding that is not the
  /// canonical one and for validity times in another form than RFC 5280 section 4.1.2.5 allows.
  [[nodiscard]] static Result<Certificate> from_der(ByteView der);
  /// Every certificate of a PEM text, in order; at least one and at most `most`. Other blocks and text
  /// between blocks are Code::malformed, white space is fine.
  [[nodiscard]] static Result<std::vector<Certificate>> from_pem(std::string_view pem, std::size_t most);

  [[nodiscard]] ByteView der() const;
  [[nodiscard]] Sha256Digest fingerprint() const;  ///< SHA-256 of the DER
  [[nodiscard]] Sha256Digest spki_sha256() const;  ///< SHA-256 of SubjectPublicKeyInfo
  [[nodiscard]] std::string subject_cn() const;    ///< empty when absent or doubled
  [[nodiscard]] std::string issuer_cn() const;
  [[nodiscard]] std::string subject() const;     ///< RFC 2253 text
  [[nodiscard]] std::string serial_hex() const;  ///< whole bytes, "00" for zero
  [[nodiscard]] WallTime not_before() const;     ///< cut to what WallTime can hold (year 2262)
  [[nodiscard]] WallTime not_after() const;
  [[nodiscard]] int version() const;  ///< 3 for v3
  [[nodiscard]] bool is_ca() const;   ///< basicConstraints CA=true
  [[nodiscard]] Result<PublicKey> public_key() const;
  /// Whether the signature algorithm is RSASSA-PSS with SHA-384, MGF1-SHA-384, salt 48, trailer 1 (either encoding).
  [[nodiscard]] bool is_signed_with_pss_sha384() const;
  [[nodiscard]] bool is_signed_with_ecdsa_sha256() const;
  /// Raw extnValue of each extension with this dotted OID (more than one = the certificate repeats it).
  [[nodiscard]] std::vector<Bytes> extensions(std::string_view dotted_oid) const;
  /// Dotted OIDs of all extensions, in order.
  [[nodiscard]] std::vector<std::string> extension_oids() const;
  [[nodiscard]] bool has_unknown_critical_extension() const;

  struct State;
  explicit Certificate(std::shared_ptr<const State> state);
  [[nodiscard]] const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;  // owners: copies of this value; immutable
};

/// A certificate revocation list as parsed.
class Crl {
 public:
  /// DER, the whole input, at most kMaxCrlSize bytes. Code::unsupported for a list or entry with a critical extension
  /// (partial, delta and indirect lists).
  [[nodiscard]] static Result<Crl> from_der(ByteView der);
  [[nodiscard]] WallTime this_update() const;
  [[nodiscard]] std::optional<WallTime> next_update() const;
  [[nodiscard]] bool issued_by(const Certificate& issuer) const;  ///< name only
  [[nodiscard]] bool signed_by(const Certificate& issuer) const;
  [[nodiscard]] bool is_signed_with_pss_sha384() const;
  [[nodiscard]] bool is_signed_with_ecdsa_sha256() const;
  [[nodiscard]] bool revokes(const Certificate& certificate) const;

  struct State;
  explicit Crl(std::shared_ptr<const State> state);

 private:
  std::shared_ptr<const State> state_;  // owners: copies of this value; immutable
};

enum class ChainError : std::uint8_t { not_to_root, bad_signature, not_yet_valid, expired, not_a_ca, other };
struct ChainFailure {
  ChainError kind;
  std::string text;  ///< which certificate (subject CN) and what about it
};

/// Builds leaf -> intermediates -> one of `roots` and verifies every signature, name and basicConstraints with
/// OpenSSL's X509_verify_cert: no system store, no purpose, security level 3. Every issuer must say CA=true, every
/// certificate's validity hold at `now` with both bounds inclusive, and the chain have exactly `length` certificates,
/// root included. A root's own signature is not checked. Returns the chain, leaf first.
[[nodiscard]] std::expected<std::vector<Certificate>, ChainFailure> verify_chain(
    const Certificate& leaf, std::span<const Certificate> intermediates, std::span<const Certificate> roots,
    std::size_t length, WallTime now);

}  // namespace waxwing::crypto
