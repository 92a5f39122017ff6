// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/crypto/aead.hpp"
#include "waxwing/crypto/kem.hpp"

namespace waxwing::crypto {

/// KDF is always HKDF-SHA256.
inline constexpr std::uint16_t kKdfHkdfSha256 = 1;

/// RFC 9180 base mode, sender side: SetupBaseS, then seals in sequence, and exports.
///
///     WAXWING_ASSIGN(auto sender, HpkeSender::setup(public_key, AeadId::aes_256_gcm, info, random));
///     sender.seal(aad, plaintext, out);
class HpkeSender {
 public:
  [[nodiscard]] static Result<HpkeSender> setup(const KemPublicKey& recipient, AeadId aead, ByteView info,
                                                Random& random);

  [[nodiscard]] ByteView enc() const { return enc_; }
  /// As AeadSealer::seal; the context's own sequence numbers.
  [[nodiscard]] Result<void> seal(ByteView aad, std::span<const ByteView> parts, MutableByteView out) {
    return sealer_.seal(aad, parts, out);
  }
  [[nodiscard]] Result<void> seal(ByteView aad, ByteView plaintext, MutableByteView out) {
    return sealer_.seal(aad, plaintext, out);
  }
  /// Context.Export (section 5.3). Precondition: length <= 255 * 32.
  [[nodiscard]] SecretBytes export_secret(ByteView context, std::size_t length) const;

 private:
  HpkeSender(Bytes enc, AeadSealer sealer, Secret<32> exporter, KemId kem, AeadId aead);
  Bytes enc_;
  AeadSealer sealer_;
  Secret<32> exporter_;
  KemId kem_;
  AeadId aead_;
};

/// RFC 9180 base mode, recipient side.
class HpkeRecipient {
 public:
  [[nodiscard]] static Result<HpkeRecipient> setup(const KemPrivateKey& key, AeadId aead, ByteView info, ByteView enc);

  [[nodiscard]] Result<void> open(ByteView aad, ByteView sealed, MutableByteView out) {
    return opener_.open(aad, sealed, out);
  }
  [[nodiscard]] SecretBytes export_secret(ByteView context, std::size_t length) const;

 private:
  HpkeRecipient(AeadOpener opener, Secret<32> exporter, KemId kem, AeadId aead);
  AeadOpener opener_;
  Secret<32> exporter_;
  KemId kem_;
  AeadId aead_;
};

/// What the key schedule yields, for known-answer tests of each intermediate value.
struct HpkeSchedule {
  SecretBytes key;
  ByteArray<kAeadNonceSize> base_nonce{};
  Secret<32> exporter;
};
[[nodiscard]] HpkeSchedule hpke_key_schedule(KemId kem, AeadId aead, const Secret<32>& shared_secret, ByteView info);

}  // namespace waxwing::crypto
