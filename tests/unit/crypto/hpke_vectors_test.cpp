// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/scripted_random.hpp"
#include "support/vectors.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/crypto/hpke.hpp"
#include "waxwing/crypto/kem.hpp"

namespace waxwing::crypto {
namespace {

using test::hex;
using test::ScriptedRandom;

Bytes exposed(const Secret<32>& secret) {
  return to_bytes(secret.expose(SecretAccess()));
}
Bytes exposed(const SecretBytes& secret) {
  return to_bytes(secret.expose(SecretAccess()));
}
std::string text(const nlohmann::json& value) {
  return value.get<std::string>();
}
Secret<32> secret32(const nlohmann::json& value) {
  const Bytes bytes = hex(value);
  if (bytes.size() != 32) throw std::invalid_argument("not 32 bytes");
  return Secret<32>(std::span<const std::byte, 32>(bytes));
}

std::optional<KemId> kem_of(std::uint64_t id) {
  for (const KemId kem : {KemId::x25519, KemId::x_wing}) {
    if (id == std::to_underlying(kem)) return kem;
  }
  return std::nullopt;
}

std::optional<AeadId> aead_of(std::uint64_t id) {
  for (const AeadId aead : {AeadId::aes_128_gcm, AeadId::aes_256_gcm, AeadId::chacha20_poly1305}) {
    if (id == std::to_underlying(aead)) return aead;
  }
  return std::nullopt;
}

bool is_available(KemId kem) {
  const auto key = KemPrivateKey::from_seed(kem, Secret<32>());
  return key || key.error().code() != Code::unsupported;
}

// No context can be set to a sequence number: messages in between are sealed, opened and thrown away.
void check_encryptions(const nlohmann::json& vector, AeadId aead, const HpkeSchedule& schedule) {
  const ByteView key = schedule.key.expose(SecretAccess());
  AeadSealer sealer(aead, key, schedule.base_nonce);
  AeadOpener opener(aead, key, schedule.base_nonce);
  std::map<std::uint64_t, const nlohmann::json*> by_sequence;
  for (const auto& e : vector.at("encryptions")) by_sequence[e.at("seq").get<std::uint64_t>()] = &e;
  for (const auto& [sequence, e] : by_sequence) {
    SCOPED_TRACE(sequence);
    while (sealer.sequence() < sequence) {
      Bytes filler(1 + kAeadTagSize);
      ASSERT_TRUE(sealer.seal({}, ByteView(filler).first(1), filler));
      ASSERT_TRUE(opener.open({}, filler, MutableByteView(filler).first(1)));
    }
    const Bytes aad = hex(e->at("aad"));
    const Bytes plaintext = hex(e->at("pt"));
    const Bytes ciphertext = hex(e->at("ct"));
    Bytes sealed(plaintext.size() + kAeadTagSize);
    ASSERT_TRUE(sealer.seal(aad, plaintext, sealed));
    EXPECT_EQ(to_hex(sealed), to_hex(ciphertext));
    Bytes opened(plaintext.size());
    ASSERT_TRUE(opener.open(aad, ciphertext, opened));
    EXPECT_EQ(to_hex(opened), to_hex(plaintext));
  }
}

void check_setup(const nlohmann::json& v, KemId kem, AeadId aead) {
  const Bytes info = hex(v.at("info"));
  const Bytes enc = hex(v.at("enc"));
  const Bytes public_bytes = hex(v.at("pkR"));
  auto public_key = KemPublicKey::import(kem, public_bytes);
  ASSERT_TRUE(public_key) << public_key.error().describe();
  auto private_key = KemPrivateKey::from_seed(kem, secret32(v.at("skR")));
  ASSERT_TRUE(private_key) << private_key.error().describe();
  EXPECT_EQ(to_hex(private_key->public_key()), to_hex(public_bytes));
  if (v.contains("ikmR") && kem == KemId::x25519) {
    EXPECT_EQ(exposed(*derive_seed(kem, hex(v.at("ikmR")))), hex(v.at("skR")));
  }

  auto shared_secret = private_key->decapsulate(enc);
  ASSERT_TRUE(shared_secret) << shared_secret.error().describe();
  EXPECT_EQ(to_hex(exposed(*shared_secret)), text(v.at("shared_secret")));

  const HpkeSchedule schedule = hpke_key_schedule(kem, aead, *shared_secret, info);
  EXPECT_EQ(to_hex(exposed(schedule.key)), text(v.at("key")));
  EXPECT_EQ(to_hex(schedule.base_nonce), text(v.at("base_nonce")));
  EXPECT_EQ(to_hex(exposed(schedule.exporter)), text(v.at("exporter_secret")));
  check_encryptions(v, aead, schedule);

  auto recipient = HpkeRecipient::setup(*private_key, aead, info, enc);
  ASSERT_TRUE(recipient);
  for (const auto& e : v.at("exports")) {
    const SecretBytes exported = recipient->export_secret(hex(e.at("exporter_context")), e.at("L").get<std::size_t>());
    EXPECT_EQ(to_hex(exposed(exported)), text(e.at("exported_value")));
  }

  const char* randomness = v.contains("rnd") ? "rnd" : "skE";
  if (!v.contains(randomness)) return;
  ScriptedRandom random(hex(v.at(randomness)));
  auto sender = HpkeSender::setup(*public_key, aead, info, random);
  ASSERT_TRUE(sender) << sender.error().describe();
  EXPECT_EQ(random.left(), 0U);
  EXPECT_EQ(to_hex(sender->enc()), to_hex(enc));
  for (const auto& e : v.at("exports")) {
    const SecretBytes exported = sender->export_secret(hex(e.at("exporter_context")), e.at("L").get<std::size_t>());
    EXPECT_EQ(to_hex(exposed(exported)), text(e.at("exported_value")));
  }
  // The contexts themselves, not only their key schedule: the first message through both.
  const Bytes message = to_bytes(as_bytes("first"));
  Bytes sealed(message.size() + kAeadTagSize);
  ASSERT_TRUE(sender->seal({}, message, sealed));
  Bytes opened(message.size());
  ASSERT_TRUE(recipient->open({}, sealed, opened));
  EXPECT_EQ(opened, message);
}

TEST(HpkeVectors, EveryIntermediateValueAndEveryMessageMatch) {
  WAXWING_VECTORS_OR_SKIP(file, "ohttp/hpke.json");
  std::size_t checked = 0;
  for (const auto& v : file.at("vectors")) {
    SCOPED_TRACE(v.value("name", "?"));
    const auto kem = kem_of(v.at("kem_id").get<std::uint64_t>());
    const auto aead = aead_of(v.at("aead_id").get<std::uint64_t>());
    // A suite that this program, or an OpenSSL before 3.5, does not have.
    if (!kem || !aead || v.at("kdf_id") != kKdfHkdfSha256 || !is_available(*kem)) continue;
    check_setup(v, *kem, *aead);
    ++checked;
  }
  RecordProperty("cases", static_cast<int>(checked));
  EXPECT_GT(checked, 0U);
}

void check_kem(const nlohmann::json& v) {
  auto private_key = KemPrivateKey::from_seed(KemId::x_wing, secret32(v.at("seed")));
  ASSERT_TRUE(private_key);
  EXPECT_EQ(to_hex(private_key->public_key()), text(v.at("pk")));
  auto public_key = KemPublicKey::import(KemId::x_wing, hex(v.at("pk")));
  ASSERT_TRUE(public_key);
  ScriptedRandom random(hex(v.at("eseed")));
  auto encapsulation = public_key->encapsulate(random);
  ASSERT_TRUE(encapsulation);
  EXPECT_EQ(to_hex(encapsulation->enc), text(v.at("ct")));
  EXPECT_EQ(to_hex(exposed(encapsulation->shared_secret)), text(v.at("ss")));
  auto opened = private_key->decapsulate(hex(v.at("ct")));
  ASSERT_TRUE(opened);
  EXPECT_EQ(to_hex(exposed(*opened)), text(v.at("ss")));
}

void check_decap(const nlohmann::json& v) {
  auto private_key = KemPrivateKey::from_seed(KemId::x_wing, secret32(v.at("seed")));
  ASSERT_TRUE(private_key);
  const auto opened = private_key->decapsulate(hex(v.at("ct")));
  const std::string verdict = v.at("verdict");
  if (verdict == "error") {
    EXPECT_FALSE(opened);
  } else if (verdict == "implementation-choice") {
    if (opened) {
      EXPECT_EQ(to_hex(exposed(*opened)), text(v.at("ss_if_accepted")));
    }
  } else {
    ASSERT_TRUE(opened) << opened.error().describe();
    EXPECT_EQ(to_hex(exposed(*opened)), text(v.at("ss")));
  }
}

void check_derived(KemId kem, const nlohmann::json& v) {
  auto seed = derive_seed(kem, hex(v.at("ikm")));
  ASSERT_TRUE(seed);
  auto private_key = KemPrivateKey::from_seed(kem, *seed);
  ASSERT_TRUE(private_key);
  if (kem == KemId::x_wing) {
    EXPECT_EQ(to_hex(exposed(*seed)), text(v.at("hpke_pq").at("seed")));
    EXPECT_EQ(to_hex(sha256(private_key->public_key())), text(v.at("hpke_pq").at("pk_sha256")));
  } else {
    EXPECT_EQ(to_hex(exposed(*seed)), text(v.at("skR")));
    EXPECT_EQ(to_hex(private_key->public_key()), text(v.at("pkR")));
  }
}

void check_encap_reject(const nlohmann::json& v) {
  auto public_key = KemPublicKey::import(KemId::x_wing, hex(v.at("pk")));
  if (!public_key) return;
  test::CountingRandom random;
  EXPECT_FALSE(public_key->encapsulate(random));
}

TEST(XWingVectors, EveryOperationAnswersAsStated) {
  WAXWING_VECTORS_OR_SKIP(file, "ohttp/xwing.json");
  if (!is_available(KemId::x_wing)) GTEST_SKIP() << "this OpenSSL has no ML-KEM";
  std::size_t checked = 0;
  for (const auto& v : file.at("vectors")) {
    SCOPED_TRACE(v.value("name", "?"));
    const std::string op = v.at("op");
    ++checked;
    if (op == "kem") {
      check_kem(v);
    } else if (op == "decap") {
      check_decap(v);
    } else if (op == "derive_key_pair") {
      check_derived(KemId::x_wing, v);
    } else if (op == "derive_key_pair_x25519") {
      check_derived(KemId::x25519, v);
    } else if (op == "encap_reject") {
      check_encap_reject(v);
    } else {
      ADD_FAILURE() << "an operation this test does not know: " << op;
    }
  }
  RecordProperty("cases", static_cast<int>(checked));
  EXPECT_GT(checked, 0U);
}

}  // namespace
}  // namespace waxwing::crypto
