// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::crypto {

/// HPKE KEM identifiers: DHKEM(X25519, HKDF-SHA256) of RFC 9180, and MLKEM768-X25519 = X-Wing of
/// draft-ietf-hpke-pq / draft-connolly-cfrg-xwing-kem.
enum class KemId : std::uint16_t { x25519 = 0x0020, x_wing = 0x647a };

struct KemSizes {
  std::size_t enc;          ///< encapsulated secret: 32 | 1120
  std::size_t public_key;   ///< 32 | 1216
  std::size_t private_key;  ///< 32 | 32 (a seed)
  std::size_t randomness;   ///< consumed by one encapsulation: 32 | 64
};
[[nodiscard]] KemSizes kem_sizes(KemId id);
/// "x25519", "x-wing".
[[nodiscard]] std::string_view to_string(KemId id);

struct Encapsulation {
  Bytes enc;
  Secret<32> shared_secret;
};

/// A peer's public key, checked at import (length; ML-KEM coefficients, FIPS 203 section 7.2). The expanded form is
/// kept, so one object serves many encapsulations, also from several threads.
class KemPublicKey {
 public:
  [[nodiscard]] static Result<KemPublicKey> import(KemId id, ByteView bytes);
  KemPublicKey(KemPublicKey&&) noexcept;
  KemPublicKey& operator=(KemPublicKey&&) noexcept;
  ~KemPublicKey();

  [[nodiscard]] KemId id() const;
  [[nodiscard]] ByteView bytes() const;
  /// Code::open_failed for an X25519 key of low order (all-zero result).
  [[nodiscard]] Result<Encapsulation> encapsulate(Random& random) const;

 private:
  struct State;
  explicit KemPublicKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A private key. It is made here or from a seed of our own; never from bytes of a peer.
class KemPrivateKey {
 public:
  [[nodiscard]] static Result<KemPrivateKey> generate(KemId id, Random& random);
  /// 32 bytes: the X25519 scalar, or the X-Wing seed (expanded with SHAKE256).
  [[nodiscard]] static Result<KemPrivateKey> from_seed(KemId id, const Secret<32>& seed);
  KemPrivateKey(KemPrivateKey&&) noexcept;
  KemPrivateKey& operator=(KemPrivateKey&&) noexcept;
  ~KemPrivateKey();

  [[nodiscard]] KemId id() const;
  [[nodiscard]] ByteView public_key() const;
  /// Code::malformed for a wrong length, Code::open_failed for an all-zero X25519 share.
  [[nodiscard]] Result<Secret<32>> decapsulate(ByteView enc) const;

 private:
  struct State;
  explicit KemPrivateKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// DeriveKeyPair of draft-ietf-hpke-pq-04 (X-Wing) and RFC 9180 section 7.1.3 (X25519): ikm to the 32-byte seed. The
/// product draws seeds at random; this exists for vectors.
[[nodiscard]] Result<Secret<32>> derive_seed(KemId id, ByteView ikm);

}  // namespace waxwing::crypto
