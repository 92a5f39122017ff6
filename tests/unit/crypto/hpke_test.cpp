// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/hpke.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <thread>
#include <vector>

#include "support/scripted_random.hpp"
#include "waxwing/crypto/random.hpp"

namespace waxwing::crypto {
namespace {

/// Both, or X25519 alone where OpenSSL has no ML-KEM.
std::vector<KemId> kems() {
  const auto x_wing = KemPrivateKey::from_seed(KemId::x_wing, Secret<32>());
  if (!x_wing && x_wing.error().code() == Code::unsupported) return {KemId::x25519};
  return {KemId::x25519, KemId::x_wing};
}

constexpr std::array kAeads{AeadId::aes_128_gcm, AeadId::aes_256_gcm, AeadId::chacha20_poly1305};

KemPrivateKey make_key(KemId kem, std::uint64_t seed = 1) {
  test::CountingRandom random(seed);
  return KemPrivateKey::generate(kem, random).value();
}

KemPublicKey public_of(const KemPrivateKey& key) {
  return KemPublicKey::import(key.id(), key.public_key()).value();
}

Result<Bytes> open(HpkeRecipient& recipient, ByteView sealed, ByteView aad = {}) {
  Bytes plaintext(sealed.size() - kAeadTagSize);
  WAXWING_TRY(recipient.open(aad, sealed, plaintext));
  return plaintext;
}

TEST(Hpke, SealThenOpenIsIdentity) {
  SystemRandom random;
  for (const KemId kem : kems()) {
    const auto key = KemPrivateKey::generate(kem, random);
    ASSERT_TRUE(key);
    const KemPublicKey public_key = public_of(*key);
    for (const AeadId aead : kAeads) {
      auto sender = HpkeSender::setup(public_key, aead, as_bytes("info"), random);
      ASSERT_TRUE(sender);
      EXPECT_EQ(sender->enc().size(), kem_sizes(kem).enc);
      auto recipient = HpkeRecipient::setup(*key, aead, as_bytes("info"), sender->enc());
      ASSERT_TRUE(recipient);
      for (const std::string_view text : {"", "one", "and another"}) {
        Bytes sealed(text.size() + kAeadTagSize);
        ASSERT_TRUE(sender->seal(as_bytes("aad"), as_bytes(text), sealed));
        const auto opened = open(*recipient, sealed, as_bytes("aad"));
        ASSERT_TRUE(opened);
        EXPECT_EQ(as_text(*opened), text);
      }
      EXPECT_EQ(sender->export_secret(as_bytes("c"), 48), recipient->export_secret(as_bytes("c"), 48));
      EXPECT_FALSE(sender->export_secret(as_bytes("c"), 48) == recipient->export_secret(as_bytes("d"), 48));
    }
  }
}

TEST(Hpke, AnotherInfoSuiteOrKeyOpensNothing) {
  test::CountingRandom random;
  for (const KemId kem : kems()) {
    const KemPrivateKey key = make_key(kem);
    auto sender = HpkeSender::setup(public_of(key), AeadId::aes_256_gcm, as_bytes("info"), random);
    ASSERT_TRUE(sender);
    Bytes sealed(5 + kAeadTagSize);
    ASSERT_TRUE(sender->seal({}, as_bytes("hello"), sealed));

    auto other_info = HpkeRecipient::setup(key, AeadId::aes_256_gcm, as_bytes("inf0"), sender->enc());
    EXPECT_FALSE(open(*other_info, sealed));
    auto other_suite = HpkeRecipient::setup(key, AeadId::chacha20_poly1305, as_bytes("info"), sender->enc());
    EXPECT_FALSE(open(*other_suite, sealed));
    auto other_key = HpkeRecipient::setup(make_key(kem, 2), AeadId::aes_256_gcm, as_bytes("info"), sender->enc());
    EXPECT_FALSE(open(*other_key, sealed));
  }
}

// Also the top bit of an X25519 share, which the curve ignores: it enters the key derivation.
TEST(Hpke, EveryFlippedBitOfTheEncapsulationChangesTheSecret) {
  test::CountingRandom random;
  for (const KemId kem : kems()) {
    const KemPrivateKey key = make_key(kem);
    const auto encapsulation = public_of(key).encapsulate(random);
    ASSERT_TRUE(encapsulation);
    const auto right = key.decapsulate(encapsulation->enc);
    ASSERT_TRUE(right);
    ASSERT_EQ(*right, encapsulation->shared_secret);
    for (std::size_t bit = 0; bit < 8 * encapsulation->enc.size(); bit += 1) {
      Bytes flipped = encapsulation->enc;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      const auto other = key.decapsulate(flipped);
      EXPECT_FALSE(other && *other == *right) << bit;
    }
  }
}

TEST(Kem, RefusesOtherLengths) {
  for (const KemId kem : kems()) {
    const KemPrivateKey key = make_key(kem);
    const KemSizes sizes = kem_sizes(kem);
    for (const std::size_t size : {std::size_t{0}, sizes.enc - 1, sizes.enc + 1}) {
      const auto secret = key.decapsulate(Bytes(size, std::byte{1}));
      ASSERT_FALSE(secret);
      EXPECT_EQ(secret.error().code(), Code::malformed);
    }
    for (const std::size_t size : {std::size_t{0}, sizes.public_key - 1, sizes.public_key + 1}) {
      const auto imported = KemPublicKey::import(kem, Bytes(size, std::byte{1}));
      ASSERT_FALSE(imported);
      EXPECT_EQ(imported.error().code(), Code::malformed);
    }
  }
}

TEST(Kem, RefusesUnreducedMlKemCoefficients) {
  if (kems().size() == 1) GTEST_SKIP() << "this OpenSSL has no ML-KEM";
  Bytes key = to_bytes(make_key(KemId::x_wing).public_key());
  key[0] = key[1] = std::byte{0xff};
  const auto imported = KemPublicKey::import(KemId::x_wing, key);
  ASSERT_FALSE(imported);
  EXPECT_EQ(imported.error().code(), Code::malformed);
}

TEST(Kem, RefusesSharesOfLowOrder) {
  Bytes one(32);
  one[0] = std::byte{1};
  for (const Bytes& share : {Bytes(32), one}) {
    const auto secret = make_key(KemId::x25519).decapsulate(share);
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().code(), Code::open_failed);
    test::CountingRandom random;
    const auto encapsulation = KemPublicKey::import(KemId::x25519, share)->encapsulate(random);
    ASSERT_FALSE(encapsulation);
    EXPECT_EQ(encapsulation.error().code(), Code::open_failed);
  }
}

TEST(Kem, SameSeedGivesTheSameKey) {
  for (const KemId kem : kems()) {
    const KemPrivateKey one = make_key(kem);
    const KemPrivateKey other = make_key(kem);
    EXPECT_TRUE(std::ranges::equal(one.public_key(), other.public_key()));
    EXPECT_FALSE(std::ranges::equal(one.public_key(), make_key(kem, 2).public_key()));
  }
}

TEST(Kem, OneEncapsulationDrawsTheRandomnessStated) {
  for (const KemId kem : kems()) {
    const KemPublicKey key = public_of(make_key(kem));
    test::ScriptedRandom random(Bytes(kem_sizes(kem).randomness, std::byte{7}));
    ASSERT_TRUE(key.encapsulate(random));
    EXPECT_EQ(random.left(), 0U);
  }
}

TEST(Kem, OneKeyServesSeveralThreads) {
  for (const KemId kem : kems()) {
    const KemPrivateKey key = make_key(kem);
    const KemPublicKey public_key = public_of(key);
    const auto exercise = [&](std::uint64_t seed) {
      test::CountingRandom random(seed);
      for (int i = 0; i < 200; ++i) {
        const auto encapsulation = public_key.encapsulate(random);
        ASSERT_TRUE(encapsulation);
        const auto secret = key.decapsulate(encapsulation->enc);
        ASSERT_TRUE(secret);
        EXPECT_EQ(*secret, encapsulation->shared_secret);
      }
    };
    std::thread other(exercise, 1);
    exercise(2);
    other.join();
  }
}

TEST(SystemRandom, FillsDifferently) {
  SystemRandom random;
  EXPECT_NE(random.array<32>(), random.array<32>());
  Bytes nothing;
  random.fill(nothing);
}

}  // namespace
}  // namespace waxwing::crypto
