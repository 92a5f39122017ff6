// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/crypto/signature.hpp"

namespace waxwing::crypto {

/// Big-endian, each exactly the curve's size (32 or 48 bytes).
struct EcdsaSignature {
  Bytes r;
  Bytes s;
};

/// A private key that signs certificates and messages. Made by OpenSSL's own generator, or read from our own files; the
/// worker's TLS key and simulated evidence use it. (Keys that open requests are kem.hpp's.)
///
///     WAXWING_ASSIGN(auto key, SigningKey::generate(SigningKey::Algorithm::p384));
///     WAXWING_ASSIGN(auto signature, key.sign_ecdsa(message));
class SigningKey {
 public:
  /// rsa4096 takes seconds.
  enum class Algorithm : std::uint8_t { p256, p384, rsa4096 };

  [[nodiscard]] static Result<SigningKey> generate(Algorithm algorithm);
  /// One unencrypted "PRIVATE KEY" block (RFC 5958) of one of the algorithms above; anything else is Code::malformed or
  /// Code::unsupported.
  [[nodiscard]] static Result<SigningKey> from_pkcs8_pem(std::string_view pem);
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  [[nodiscard]] Algorithm algorithm() const;
  [[nodiscard]] PublicKey public_key() const;
  [[nodiscard]] Result<SecretBytes> to_pkcs8_pem() const;

  /// ECDSA over SHA-256 (p256) or SHA-384 (p384) of `message`. Code::unsupported for an RSA key.
  [[nodiscard]] Result<EcdsaSignature> sign_ecdsa(ByteView message) const;

  struct State;  // OpenSSL's key; private to this module
  [[nodiscard]] const State& state() const { return *state_; }

 private:
  explicit SigningKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace waxwing::crypto
