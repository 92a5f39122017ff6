// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/hpke.hpp"

#include <cstring>
#include <stdexcept>
#include <utility>

#include "hpke_labels.hpp"
#include "waxwing/crypto/hash.hpp"

namespace waxwing::crypto {

namespace hpke {
namespace {
constexpr std::string_view kVersion = "HPKE-v1";
}

Secret<32> labeled_extract(ByteView suite_id, ByteView salt, std::string_view label, ByteView ikm) {
  return hkdf_extract(salt, {as_bytes(kVersion), suite_id, as_bytes(label), ikm});
}

void labeled_expand(ByteView suite_id, const Secret<32>& prk, std::string_view label, ByteView info,
                    MutableByteView out) {
  const ByteArray<2> size{static_cast<std::byte>(out.size() >> 8U), static_cast<std::byte>(out.size())};
  hkdf_expand(prk, {size, as_bytes(kVersion), suite_id, as_bytes(label), info}, out);
}

}  // namespace hpke

namespace {

ByteArray<10> suite_id(KemId kem, AeadId aead) {
  const auto put = [](std::uint16_t v) {
    return ByteArray<2>{static_cast<std::byte>(v >> 8U), static_cast<std::byte>(v)};
  };
  const auto k = put(std::to_underlying(kem));
  const auto d = put(kKdfHkdfSha256);
  const auto a = put(std::to_underlying(aead));
  return {std::byte{'H'}, std::byte{'P'}, std::byte{'K'}, std::byte{'E'}, k[0], k[1], d[0], d[1], a[0], a[1]};
}

SecretBytes export_from(KemId kem, AeadId aead, const Secret<32>& exporter, ByteView context, std::size_t length) {
  SecretBytes out(length);
  hpke::labeled_expand(suite_id(kem, aead), exporter, "sec", context, out.expose_mutable(SecretAccess()));
  return out;
}

}  // namespace

HpkeSchedule hpke_key_schedule(KemId kem, AeadId aead, const Secret<32>& shared_secret, ByteView info) {
  const auto suite = suite_id(kem, aead);
  const Secret<32> psk_id_hash = hpke::labeled_extract(suite, {}, "psk_id_hash", {});
  const Secret<32> info_hash = hpke::labeled_extract(suite, {}, "info_hash", info);
  ByteArray<65> context;  // mode_base || psk_id_hash || info_hash; nothing secret
  context[0] = std::byte{0};
  std::memcpy(context.data() + 1, psk_id_hash.expose(SecretAccess()).data(), 32);
  std::memcpy(context.data() + 33, info_hash.expose(SecretAccess()).data(), 32);

  // The shared secret is the salt; the (absent) pre-shared key is the input.
  const Secret<32> secret = hpke::labeled_extract(suite, shared_secret.expose(SecretAccess()), "secret", {});
  HpkeSchedule schedule{.key = SecretBytes(aead_key_size(aead)), .base_nonce = {}, .exporter = {}};
  hpke::labeled_expand(suite, secret, "key", context, schedule.key.expose_mutable(SecretAccess()));
  hpke::labeled_expand(suite, secret, "base_nonce", context, schedule.base_nonce);
  hpke::labeled_expand(suite, secret, "exp", context, schedule.exporter.expose_mutable(SecretAccess()));
  return schedule;
}

HpkeSender::HpkeSender(Bytes enc, AeadSealer sealer, Secret<32> exporter, KemId kem, AeadId aead)
    : enc_(std::move(enc)), sealer_(std::move(sealer)), exporter_(std::move(exporter)), kem_(kem), aead_(aead) {}

Result<HpkeSender> HpkeSender::setup(const KemPublicKey& recipient, AeadId aead, ByteView info, Random& random) {
  WAXWING_ASSIGN(Encapsulation encapsulation, recipient.encapsulate(random));
  HpkeSchedule schedule = hpke_key_schedule(recipient.id(), aead, encapsulation.shared_secret, info);
  return HpkeSender(std::move(encapsulation.enc),
                    AeadSealer(aead, schedule.key.expose(SecretAccess()), schedule.base_nonce),
                    std::move(schedule.exporter), recipient.id(), aead);
}

SecretBytes HpkeSender::export_secret(ByteView context, std::size_t length) const {
  return export_from(kem_, aead_, exporter_, context, length);
}

HpkeRecipient::HpkeRecipient(AeadOpener opener, Secret<32> exporter, KemId kem, AeadId aead)
    : opener_(std::move(opener)), exporter_(std::move(exporter)), kem_(kem), aead_(aead) {}

Result<HpkeRecipient> HpkeRecipient::setup(const KemPrivateKey& key, AeadId aead, ByteView info, ByteView enc) {
  WAXWING_ASSIGN(const Secret<32> shared_secret, key.decapsulate(enc));
  HpkeSchedule schedule = hpke_key_schedule(key.id(), aead, shared_secret, info);
  return HpkeRecipient(AeadOpener(aead, schedule.key.expose(SecretAccess()), schedule.base_nonce),
                       std::move(schedule.exporter), key.id(), aead);
}

SecretBytes HpkeRecipient::export_secret(ByteView context, std::size_t length) const {
  return export_from(kem_, aead_, exporter_, context, length);
}

}  // namespace waxwing::crypto
