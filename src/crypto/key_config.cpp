// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/key_config.hpp"

#include <algorithm>
#include <bitset>
#include <optional>
#include <utility>

#include "waxwing/base/byte_reader.hpp"
#include "waxwing/crypto/hpke.hpp"

namespace waxwing::crypto {
namespace {

constexpr std::size_t kSuiteSize = 4;

std::optional<KemId> known_kem(std::uint16_t id) {
  for (const KemId kem : {KemId::x25519, KemId::x_wing})
    if (id == std::to_underlying(kem)) return kem;
  return std::nullopt;
}

std::optional<AeadId> known_aead(std::uint16_t id) {
  for (const AeadId aead : {AeadId::aes_128_gcm, AeadId::aes_256_gcm, AeadId::chacha20_poly1305})
    if (id == std::to_underlying(aead)) return aead;
  return std::nullopt;
}

std::vector<AeadId> read_suites(ByteReader& in) {
  const std::size_t size = in.u16_be();
  if (in.ok() && (size == 0 || size % kSuiteSize != 0)) in.reject(Code::malformed, "length of the suites");
  ByteReader suites("suites", in.bytes(size));
  std::vector<AeadId> usable;
  while (suites.remaining() != 0) {
    const std::uint16_t kdf = suites.u16_be();
    const auto aead = known_aead(suites.u16_be());
    if (kdf == kKdfHkdfSha256 && aead && std::ranges::find(usable, *aead) == usable.end()) usable.push_back(*aead);
  }
  return usable;
}

}  // namespace

Result<KeyConfig> parse_key_config(ByteView bytes) {
  ByteReader in("key configuration", bytes);
  const std::uint8_t key_id = in.u8();
  const std::uint16_t kem_id = in.u16_be();
  WAXWING_TRY(in.status());
  const auto kem = known_kem(kem_id);
  if (!kem) return fail(Code::unsupported, "key configuration: unknown KEM");

  const ByteView public_key = in.bytes(kem_sizes(*kem).public_key);
  std::vector<AeadId> aeads = read_suites(in);
  WAXWING_TRY(in.expect_end());
  WAXWING_ASSIGN(KemPublicKey key, KemPublicKey::import(*kem, public_key));
  if (aeads.empty()) return fail(Code::unsupported, "key configuration: no suite that is known here");
  return KeyConfig{key_id, std::move(key), std::move(aeads), to_bytes(bytes)};
}

Result<std::vector<KeyConfig>> parse_key_list(ByteView bytes) {
  if (bytes.empty()) return fail(Code::malformed, "key list: empty");
  std::vector<KeyConfig> usable;
  std::bitset<256> seen;
  ByteReader in("key list", bytes);
  while (in.ok() && in.remaining() != 0) {
    const ByteView item = in.bytes(in.u16_be());
    WAXWING_TRY(in.status());
    auto config = parse_key_config(item);
    if (!config && config.error().code() != Code::unsupported)
      return fail(Code::malformed, "key list: one configuration does not parse");
    const auto key_id = std::to_integer<std::size_t>(item.front());
    if (seen.test(key_id)) return fail(Code::malformed, "key list: a key id stands twice");
    seen.set(key_id);
    if (config) usable.push_back(*std::move(config));
  }
  WAXWING_TRY(in.expect_end());
  return usable;
}

Bytes encode_key_config(std::uint8_t key_id, KemId kem, ByteView public_key, std::span<const AeadId> aeads) {
  Bytes out;
  out.reserve(5 + public_key.size() + kSuiteSize * aeads.size());
  ByteWriter writer(out);
  writer.u8(key_id).u16_be(std::to_underlying(kem)).bytes(public_key);
  writer.u16_be(static_cast<std::uint16_t>(kSuiteSize * aeads.size()));
  for (const AeadId aead : aeads) writer.u16_be(kKdfHkdfSha256).u16_be(std::to_underlying(aead));
  return out;
}

Bytes encode_key_list(std::span<const Bytes> configs) {
  Bytes out;
  ByteWriter writer(out);
  for (const Bytes& config : configs) writer.u16_be(static_cast<std::uint16_t>(config.size())).bytes(config);
  return out;
}

}  // namespace waxwing::crypto
