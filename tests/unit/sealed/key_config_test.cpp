// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/key_config.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace waxwing::test {
namespace {

using crypto::AeadId;
using crypto::KemId;

constexpr std::array kAeads = {AeadId::aes_256_gcm, AeadId::chacha20_poly1305};

Bytes config(std::uint8_t id, KemId kem = KemId::x25519) {
  return crypto::encode_key_config(id, kem, TestKey(kem).private_key.public_key(), kAeads);
}

Bytes list(std::initializer_list<Bytes> configs) {
  return crypto::encode_key_list(std::vector<Bytes>(configs));
}

TEST(KeyConfig, ParsesWhatItEncodes) {
  for (const KemId kem : {KemId::x25519, KemId::x_wing}) {
    const Bytes bytes = config(200, kem);
    const auto parsed = crypto::parse_key_config(bytes).value();
    EXPECT_EQ(parsed.key_id, 200);
    EXPECT_EQ(parsed.public_key.id(), kem);
    EXPECT_EQ(parsed.aeads, std::vector(kAeads.begin(), kAeads.end()));
    EXPECT_EQ(parsed.encoding, bytes);
  }
  const auto both = crypto::parse_key_list(list({config(1, KemId::x_wing), config(2)})).value();
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0].key_id, 1);
  EXPECT_EQ(both[1].key_id, 2);
}

TEST(KeyConfig, RefusesTruncationAtEveryByte) {
  const Bytes single = config(1);
  for (std::size_t size = 0; size < single.size(); ++size)
    EXPECT_FALSE(crypto::parse_key_config(ByteView(single).first(size))) << size;
  const Bytes two = list({config(1), config(2)});
  for (std::size_t size = 0; size < two.size(); ++size) {
    const auto parsed = crypto::parse_key_list(ByteView(two).first(size));
    // A list that ends after its first item is a list.
    if (size == two.size() / 2)
      EXPECT_EQ(parsed->size(), 1U);
    else
      EXPECT_FALSE(parsed) << size;
  }
}

TEST(KeyConfig, AFlippedBitNeverParsesAsTheSameConfiguration) {
  const Bytes bytes = config(1, KemId::x_wing);
  const auto original = crypto::parse_key_config(bytes).value();
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const auto parsed = crypto::parse_key_config(flipped);
    if (!parsed) continue;
    EXPECT_FALSE(parsed->key_id == original.key_id && parsed->aeads == original.aeads &&
                 std::ranges::equal(parsed->public_key.bytes(), original.public_key.bytes()))
        << bit;
  }
}

TEST(KeyConfig, RefusesAMlKemKeyWithACoefficientOutOfRange) {
  Bytes bytes = config(1, KemId::x_wing);
  bytes[3] = bytes[4] = bytes[5] = std::byte{0xff};
  EXPECT_EQ(crypto::parse_key_config(bytes).error().code(), Code::malformed);
  EXPECT_EQ(crypto::parse_key_list(list({config(2), bytes})).error().code(), Code::malformed);
}

TEST(KeyConfig, SkipsAKemItDoesNotKnowAndThrowsAwayAListWithABadItem) {
  Bytes unknown = config(9);
  unknown[2] = std::byte{0x21};
  EXPECT_EQ(crypto::parse_key_config(unknown).error().code(), Code::unsupported);
  EXPECT_EQ(crypto::parse_key_list(list({unknown, config(2)}))->size(), 1U);
  Bytes bad = config(3);
  bad.push_back(std::byte{0});
  EXPECT_EQ(crypto::parse_key_list(list({config(2), bad})).error().code(), Code::malformed);
  EXPECT_EQ(crypto::parse_key_list({}).error().code(), Code::malformed);
}

TEST(KeyConfig, RefusesAListInWhichAnIdStandsTwice) {
  EXPECT_EQ(crypto::parse_key_list(list({config(4), config(4, KemId::x_wing)})).error().code(), Code::malformed);
}

TEST(KeyConfig, TakesSuitesItKnowsAndLeavesOutTheRest) {
  Bytes bytes = config(1);
  bytes[bytes.size() - 1] = std::byte{0x77};  // the second AEAD
  EXPECT_EQ(crypto::parse_key_config(bytes)->aeads, std::vector{AeadId::aes_256_gcm});
  bytes[bytes.size() - 7] = std::byte{3};  // the first KDF
  EXPECT_EQ(crypto::parse_key_config(bytes).error().code(), Code::unsupported);
}

}  // namespace
}  // namespace waxwing::test
