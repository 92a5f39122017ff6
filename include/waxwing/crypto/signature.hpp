// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"

namespace waxwing::crypto {

enum class Curve : std::uint8_t { p256, p384 };

/// A public key that can check signatures. From a certificate (x509.hpp) or from bytes.
class PublicKey {
 public:
  /// x || y, 64 or 96 bytes big-endian; off the curve is Code::malformed (only the 65/97-byte uncompressed form is
  /// built).
  [[nodiscard]] static Result<PublicKey> from_ec_point(Curve curve, ByteView x_y);
  /// DER SubjectPublicKeyInfo, whole input.
  [[nodiscard]] static Result<PublicKey> from_spki(ByteView der);
  PublicKey(const PublicKey&);
  PublicKey& operator=(const PublicKey&);
  PublicKey(PublicKey&&) noexcept;
  PublicKey& operator=(PublicKey&&) noexcept;
  ~PublicKey();

  [[nodiscard]] bool is_ec(Curve curve) const;
  [[nodiscard]] bool is_rsa(int bits) const;
  /// DER SubjectPublicKeyInfo.
  [[nodiscard]] Bytes spki() const;

  /// ECDSA over SHA-256 (P-256) or SHA-384 (P-384) of `message`; r and s big-endian, each exactly the curve's size,
  /// 0 < r, s < n. A signature that does not verify is Code::evidence_rejected.
  [[nodiscard]] Result<void> verify_ecdsa(ByteView message, ByteView r, ByteView s) const;

  struct State;  // OpenSSL's key; private to this module
  explicit PublicKey(std::shared_ptr<const State> state);
  [[nodiscard]] const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;  // owners: copies of this value; immutable
};

}  // namespace waxwing::crypto
