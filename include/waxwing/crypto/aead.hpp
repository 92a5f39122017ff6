// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"

namespace waxwing::crypto {

/// RFC 9180 section 7.3.
enum class AeadId : std::uint16_t { aes_128_gcm = 1, aes_256_gcm = 2, chacha20_poly1305 = 3 };

inline constexpr std::size_t kAeadTagSize = 16;
inline constexpr std::size_t kAeadNonceSize = 12;
/// Nk: 16, 32, 32.
[[nodiscard]] std::size_t aead_key_size(AeadId id);

/// Seals messages 0, 1, 2, ... under one key: the nonce of message i is base_nonce XOR I2OSP(i, 12) (RFC 9180 section
/// 5.2). There is no other entry point, so a nonce cannot be forgotten or used twice.
class AeadSealer {
 public:
  /// Precondition: key.size() == aead_key_size(id).
  AeadSealer(AeadId id, ByteView key, const ByteArray<kAeadNonceSize>& base_nonce);
  AeadSealer(AeadSealer&&) noexcept;
  AeadSealer& operator=(AeadSealer&&) noexcept;
  ~AeadSealer();

  /// Seals the concatenation of `parts` into `out` = ciphertext || tag; out.size() must be exactly their sum + 16.
  /// A part may be exactly the region of `out` where its ciphertext goes (in place). Code::internal when out of
  /// sequence numbers or when the library fails; the sealer is dead then.
  [[nodiscard]] Result<void> seal(ByteView aad, std::span<const ByteView> parts, MutableByteView out);
  [[nodiscard]] Result<void> seal(ByteView aad, ByteView plaintext, MutableByteView out) {
    return seal(aad, std::span(&plaintext, 1), out);
  }
  [[nodiscard]] std::uint64_t sequence() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Opens what AeadSealer sealed, in order. After one failure it is dead for good: every later open fails too.
class AeadOpener {
 public:
  AeadOpener(AeadId id, ByteView key, const ByteArray<kAeadNonceSize>& base_nonce);
  AeadOpener(AeadOpener&&) noexcept;
  AeadOpener& operator=(AeadOpener&&) noexcept;
  ~AeadOpener();

  /// Opens ciphertext || tag into `out`, out.size() == sealed.size() - 16; `out` may be the ciphertext's own memory. On
  /// failure `out` is wiped and the answer is Code::open_failed, whatever the reason (too short included).
  [[nodiscard]] Result<void> open(ByteView aad, ByteView sealed, MutableByteView out);
  [[nodiscard]] std::uint64_t sequence() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace waxwing::crypto
