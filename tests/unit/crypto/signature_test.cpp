// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/signature.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/signing_key.hpp"

namespace waxwing::crypto {
namespace {

using Algorithm = SigningKey::Algorithm;

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

struct Known {
  Curve curve;
  std::string_view x_y, r, s, order;
};

// RFC 6979 appendix A.2.5 and A.2.6, message "sample" under SHA-256 and SHA-384; the orders are FIPS 186-4's.
constexpr Known kP256{Curve::p256,
                      "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
                      "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
                      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
                      "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"};
constexpr Known kP384{
    Curve::p384,
    "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"
    "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
    "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46",
    "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"};

TEST(Ecdsa, VerifiesThePublishedSignatures) {
  for (const Known& known : {kP256, kP384}) {
    const auto key = PublicKey::from_ec_point(known.curve, hex(known.x_y));
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->is_ec(known.curve));
    EXPECT_TRUE(key->verify_ecdsa(as_bytes("sample"), hex(known.r), hex(known.s)));
    const auto refused = key->verify_ecdsa(as_bytes("Sample"), hex(known.r), hex(known.s));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::evidence_rejected);
  }
}

TEST(Ecdsa, RefusesEveryFlippedBit) {
  for (const Known& known : {kP256, kP384}) {
    const PublicKey key = PublicKey::from_ec_point(known.curve, hex(known.x_y)).value();
    const Bytes r = hex(known.r);
    const Bytes s = hex(known.s);
    for (std::size_t bit = 0; bit < 8 * r.size(); ++bit) {
      Bytes flipped_r = r;
      Bytes flipped_s = s;
      flipped_r[bit / 8] ^= std::byte{1} << (bit % 8);
      flipped_s[bit / 8] ^= std::byte{1} << (bit % 8);
      EXPECT_FALSE(key.verify_ecdsa(as_bytes("sample"), flipped_r, s)) << bit;
      EXPECT_FALSE(key.verify_ecdsa(as_bytes("sample"), r, flipped_s)) << bit;
    }
  }
}

TEST(Ecdsa, RefusesNumbersOutOfRangeAndOtherLengths) {
  for (const Known& known : {kP256, kP384}) {
    const PublicKey key = PublicKey::from_ec_point(known.curve, hex(known.x_y)).value();
    const Bytes r = hex(known.r);
    const Bytes s = hex(known.s);
    const Bytes zero(r.size());
    const Bytes order = hex(known.order);
    for (const Bytes& bad :
         {zero, order, Bytes(r.size(), std::byte{0xff}), Bytes(), Bytes(r.size() - 1), Bytes(r.size() + 1)}) {
      EXPECT_FALSE(key.verify_ecdsa(as_bytes("sample"), bad, s));
      EXPECT_FALSE(key.verify_ecdsa(as_bytes("sample"), r, bad));
      EXPECT_FALSE(key.verify_ecdsa(as_bytes("sample"), bad, bad));
    }
  }
}

TEST(PublicKey, RefusesPointsOffTheCurveAndOtherLengths) {
  for (const Known& known : {kP256, kP384}) {
    Bytes point = hex(known.x_y);
    point.back() ^= std::byte{1};
    for (const Bytes& bad : {point, Bytes(point.size()), Bytes(point.size(), std::byte{0xff}), Bytes(), Bytes(1),
                             Bytes(point.size() + 1)}) {
      const auto key = PublicKey::from_ec_point(known.curve, bad);
      ASSERT_FALSE(key);
      EXPECT_EQ(key.error().code(), Code::malformed);
    }
  }
}

TEST(PublicKey, SpkiReadsBackAndRefusesEveryTruncation) {
  for (const Known& known : {kP256, kP384}) {
    const PublicKey key = PublicKey::from_ec_point(known.curve, hex(known.x_y)).value();
    const Bytes spki = key.spki();
    const auto again = PublicKey::from_spki(spki);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->is_ec(known.curve));
    EXPECT_EQ(again->spki(), spki);
    for (std::size_t size = 0; size < spki.size(); ++size) {
      EXPECT_FALSE(PublicKey::from_spki(ByteView(spki).first(size))) << size;
    }
    Bytes longer = spki;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(PublicKey::from_spki(longer));
  }
}

TEST(PublicKey, RefusesThePointAtInfinity) {
  // SubjectPublicKeyInfo of P-256 whose BIT STRING holds the one byte 00.
  EXPECT_FALSE(PublicKey::from_spki(hex("3019301306072a8648ce3d020106082a8648ce3d03010703020000")));
}

TEST(SigningKey, SignsWhatItsPublicKeyVerifies) {
  for (const auto& [algorithm, curve] : {std::pair(Algorithm::p256, Curve::p256), {Algorithm::p384, Curve::p384}}) {
    const auto key = SigningKey::generate(algorithm);
    ASSERT_TRUE(key);
    EXPECT_TRUE(key->public_key().is_ec(curve));
    for (int i = 0; i < 20; ++i) {
      const auto signature = key->sign_ecdsa(as_bytes("message"));
      ASSERT_TRUE(signature);
      EXPECT_TRUE(key->public_key().verify_ecdsa(as_bytes("message"), signature->r, signature->s));
    }
  }
}

TEST(SigningKey, Pkcs8ReadsBack) {
  for (const Algorithm algorithm : {Algorithm::p256, Algorithm::p384}) {
    const SigningKey key = SigningKey::generate(algorithm).value();
    const SecretBytes pem = key.to_pkcs8_pem().value();
    const auto again = SigningKey::from_pkcs8_pem(pem.expose_text(SecretAccess()));
    ASSERT_TRUE(again) << again.error().describe();
    EXPECT_EQ(again->algorithm(), algorithm);
    EXPECT_EQ(again->public_key().spki(), key.public_key().spki());
  }
}

TEST(SigningKey, RefusesWhatIsNotOnePrivateKey) {
  const SecretBytes pem = SigningKey::generate(Algorithm::p256)->to_pkcs8_pem().value();
  const std::string text(pem.expose_text(SecretAccess()));
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    EXPECT_FALSE(SigningKey::from_pkcs8_pem(std::string_view(text).substr(0, size))) << size;
  }
  EXPECT_FALSE(SigningKey::from_pkcs8_pem(text + text));
  EXPECT_FALSE(SigningKey::from_pkcs8_pem("# key\n" + text));
  EXPECT_TRUE(SigningKey::from_pkcs8_pem("\n " + text + "\n"));
}

}  // namespace
}  // namespace waxwing::crypto
