// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/hash.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "waxwing/base/encoding.hpp"

namespace waxwing::crypto {
namespace {

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}
std::string hex(const Secret<32>& secret) {
  return to_hex(secret.expose(SecretAccess()));
}

// FIPS 180-4 and FIPS 202 example messages.
TEST(Hash, MatchesPublishedDigests) {
  const ByteView abc = as_bytes("abc");
  EXPECT_EQ(to_hex(sha256(abc)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(ByteView())), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha384(abc)),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(to_hex(sha512(abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(to_hex(sha3_256({abc})), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
  ByteArray<32> squeezed;
  shake256({}, squeezed);
  EXPECT_EQ(to_hex(squeezed), "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
}

TEST(Hash, PartsAreTheirConcatenation) {
  EXPECT_EQ(sha256({as_bytes("a"), {}, as_bytes("bc")}), sha256(as_bytes("abc")));
  EXPECT_EQ(sha512({as_bytes("ab"), as_bytes("c")}), sha512(as_bytes("abc")));
}

TEST(Hash, ThreadsDoNotShareContexts) {
  const Sha256Digest expected = sha256(as_bytes("abc"));
  std::thread other([&] {
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(sha256(as_bytes("abc")), expected);
  });
  for (int i = 0; i < 2000; ++i) EXPECT_EQ(sha256(as_bytes("abc")), expected);
  other.join();
}

// RFC 4231, cases 1, 2 and 6 (a key longer than the block).
TEST(Hmac, MatchesRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(Bytes(20, std::byte{0x0b}), {as_bytes("Hi There")})),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256(as_bytes("Jefe"), {as_bytes("what do ya want "), as_bytes("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(Bytes(131, std::byte{0xaa}),
                            {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")})),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// RFC 5869, appendix A.1 to A.3.
TEST(Hkdf, MatchesRfc5869) {
  const Secret<32> prk = hkdf_extract(hex("000102030405060708090a0b0c"), {Bytes(22, std::byte{0x0b})});
  EXPECT_EQ(hex(prk), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  Bytes okm(42);
  hkdf_expand(prk, {hex("f0f1f2f3f4f5f6f7f8f9")}, okm);
  EXPECT_EQ(to_hex(okm), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");

  Bytes ikm;
  Bytes salt;
  Bytes info;
  for (unsigned i = 0; i < 80; ++i) {
    ikm.push_back(static_cast<std::byte>(i));
    salt.push_back(static_cast<std::byte>(0x60 + i));
    info.push_back(static_cast<std::byte>(0xb0 + i));
  }
  okm.resize(82);
  hkdf_expand(hkdf_extract(salt, {ikm}), {info}, okm);
  EXPECT_EQ(to_hex(okm),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
            "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
            "cc30c58179ec3e87c14c01d5c1f3434f1d87");

  okm.resize(42);
  const Secret<32> unsalted = hkdf_extract({}, {Bytes(22, std::byte{0x0b})});
  EXPECT_EQ(hex(unsalted), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  hkdf_expand(unsalted, {}, okm);
  EXPECT_EQ(to_hex(okm), "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, EmptySaltIsThirtyTwoZeroBytes) {
  EXPECT_EQ(hkdf_extract({}, {as_bytes("x")}), hkdf_extract(Bytes(32), {as_bytes("x")}));
}

TEST(Hkdf, EndsAt255Blocks) {
  const Secret<32> prk;
  Bytes most(255 * 32);
  hkdf_expand(prk, {}, most);
  Bytes beyond(255 * 32 + 1);
  EXPECT_THROW(hkdf_expand(prk, {}, beyond), std::length_error);
}

}  // namespace
}  // namespace waxwing::crypto
