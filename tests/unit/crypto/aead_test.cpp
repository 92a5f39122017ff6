// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/aead.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/scripted_random.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::crypto {
namespace {

using Nonce = ByteArray<kAeadNonceSize>;

constexpr std::array kAll{AeadId::aes_128_gcm, AeadId::aes_256_gcm, AeadId::chacha20_poly1305};

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

Bytes random_bytes(std::size_t size, std::uint64_t seed = 1) {
  Bytes bytes(size);
  test::CountingRandom(seed).fill(bytes);
  return bytes;
}

struct Pair {
  AeadSealer sealer;
  AeadOpener opener;
};

Pair make_pair(AeadId id, Nonce nonce = {}) {
  const Bytes key = random_bytes(aead_key_size(id));
  return {AeadSealer(id, key, nonce), AeadOpener(id, key, nonce)};
}

Bytes seal(AeadSealer& sealer, ByteView plaintext, ByteView aad = {}) {
  Bytes sealed(plaintext.size() + kAeadTagSize);
  EXPECT_TRUE(sealer.seal(aad, plaintext, sealed));
  return sealed;
}

Result<Bytes> open(AeadOpener& opener, ByteView sealed, ByteView aad = {}) {
  Bytes plaintext(sealed.size() - std::min(sealed.size(), kAeadTagSize));
  WAXWING_TRY(opener.open(aad, sealed, plaintext));
  return plaintext;
}

// The GCM specification's test cases 2 and 14, and RFC 8439 section 2.8.2.
TEST(Aead, MatchesPublishedCiphertexts) {
  AeadSealer aes128(AeadId::aes_128_gcm, Bytes(16), Nonce{});
  EXPECT_EQ(to_hex(seal(aes128, Bytes(16))), "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
  AeadSealer aes256(AeadId::aes_256_gcm, Bytes(32), Nonce{});
  EXPECT_EQ(to_hex(seal(aes256, Bytes(16))), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");

  Bytes key(32);
  for (unsigned i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(0x80 + i);
  AeadSealer chacha(AeadId::chacha20_poly1305, key, to_array<12>(hex("070000004041424344454647")));
  EXPECT_EQ(to_hex(seal(chacha,
                        as_bytes("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
                                 "future, sunscreen would be it."),
                        hex("50515253c0c1c2c3c4c5c6c7"))),
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
            "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
            "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
            "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
}

TEST(Aead, SealThenOpenIsIdentityForEverySize) {
  for (const AeadId id : kAll) {
    Pair pair = make_pair(id);
    for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 255U, 1024U, 16384U, 65537U}) {
      const Bytes plaintext = random_bytes(size, size + 7);
      const Bytes aad = random_bytes(size % 40, 3);
      const auto opened = open(pair.opener, seal(pair.sealer, plaintext, aad), aad);
      ASSERT_TRUE(opened);
      EXPECT_EQ(*opened, plaintext);
    }
    EXPECT_EQ(pair.sealer.sequence(), 9U);
    EXPECT_EQ(pair.opener.sequence(), 9U);
  }
}

TEST(Aead, MessageNumberIsXoredIntoTheNonce) {
  for (const AeadId id : kAll) {
    const Bytes key = random_bytes(aead_key_size(id));
    const Nonce base = to_array<12>(hex("ffffffffffffffffffffffff"));
    AeadSealer sealer(id, key, base);
    for (unsigned i = 0; i < 300; ++i) {
      Nonce nonce = base;
      nonce[11] ^= static_cast<std::byte>(i);
      nonce[10] ^= static_cast<std::byte>(i >> 8U);
      AeadSealer first(id, key, nonce);
      ASSERT_EQ(seal(sealer, as_bytes("same")), seal(first, as_bytes("same"))) << i;
    }
  }
}

TEST(Aead, PartsSealLikeTheirConcatenation) {
  const Bytes whole = random_bytes(5000);
  const ByteView view(whole);
  for (const AeadId id : kAll) {
    AeadSealer one = make_pair(id).sealer;
    AeadSealer other = make_pair(id).sealer;
    const std::array<ByteView, 6> parts{view.first(1),        view.subspan(1, 0),   view.subspan(1, 16),
                                        view.subspan(17, 31), view.subspan(48, 17), view.subspan(65)};
    Bytes sealed(whole.size() + kAeadTagSize);
    ASSERT_TRUE(one.seal({}, parts, sealed));
    EXPECT_EQ(sealed, seal(other, whole));
  }
}

TEST(Aead, WorksInPlace) {
  for (const AeadId id : kAll) {
    Pair pair = make_pair(id);
    const Bytes plaintext = random_bytes(1000);
    Bytes buffer(plaintext);
    buffer.resize(plaintext.size() + kAeadTagSize);
    const std::array<ByteView, 2> parts{ByteView(buffer).first(301), ByteView(buffer).subspan(301, 699)};
    ASSERT_TRUE(pair.sealer.seal({}, parts, buffer));
    ASSERT_TRUE(pair.opener.open({}, buffer, MutableByteView(buffer).first(plaintext.size())));
    buffer.resize(plaintext.size());
    EXPECT_EQ(buffer, plaintext);
  }
}

TEST(Aead, RefusesEveryFlippedBit) {
  const Bytes aad = hex("0102");
  for (const AeadId id : kAll) {
    AeadSealer sealer = make_pair(id).sealer;
    const Bytes sealed = seal(sealer, as_bytes("twenty-one characters"), aad);
    for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
      Bytes flipped = sealed;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      AeadOpener opener = make_pair(id).opener;
      EXPECT_FALSE(open(opener, flipped, aad)) << bit;
    }
    for (std::size_t bit = 0; bit < 8 * aad.size(); ++bit) {
      Bytes flipped = aad;
      flipped[bit / 8] ^= std::byte{1} << (bit % 8);
      AeadOpener opener = make_pair(id).opener;
      EXPECT_FALSE(open(opener, sealed, flipped));
    }
    AeadOpener opener = make_pair(id).opener;
    EXPECT_TRUE(open(opener, sealed, aad));
  }
}

TEST(Aead, RefusesEveryTruncation) {
  for (const AeadId id : kAll) {
    AeadSealer sealer = make_pair(id).sealer;
    const Bytes sealed = seal(sealer, as_bytes("twenty-one characters"));
    for (std::size_t size = 0; size < sealed.size(); ++size) {
      AeadOpener opener = make_pair(id).opener;
      const auto opened = open(opener, ByteView(sealed).first(size));
      ASSERT_FALSE(opened) << size;
      EXPECT_EQ(opened.error().code(), Code::open_failed);
    }
  }
}

TEST(Aead, RefusesReorderedAndRepeatedMessages) {
  for (const AeadId id : kAll) {
    Pair pair = make_pair(id);
    const Bytes first = seal(pair.sealer, as_bytes("first"));
    const Bytes second = seal(pair.sealer, as_bytes("second"));
    AeadOpener out_of_order = make_pair(id).opener;
    EXPECT_FALSE(open(out_of_order, second));
    EXPECT_TRUE(open(pair.opener, first));
    EXPECT_FALSE(open(pair.opener, first));
  }
}

// A tag stays set in OpenSSL's context, and ChaCha20-Poly1305 checks nothing when none is set.
TEST(Aead, ChecksEachMessageAgainstItsOwnTag) {
  for (const AeadId id : kAll) {
    Pair pair = make_pair(id);
    ASSERT_TRUE(open(pair.opener, seal(pair.sealer, as_bytes("first"))));
    Bytes second = seal(pair.sealer, as_bytes("first"));
    const Bytes tag_of_first = [&] {
      AeadSealer again = make_pair(id).sealer;
      return seal(again, as_bytes("first"));
    }();
    std::copy(tag_of_first.end() - 16, tag_of_first.end(), second.end() - 16);
    EXPECT_FALSE(open(pair.opener, second));
  }
}

TEST(Aead, OpenerIsDeadAfterAFailure) {
  for (const AeadId id : kAll) {
    Pair pair = make_pair(id);
    const Bytes first = seal(pair.sealer, as_bytes("first"));
    Bytes forged = first;
    forged[0] ^= std::byte{1};
    EXPECT_FALSE(open(pair.opener, forged));
    EXPECT_EQ(pair.opener.sequence(), 0U);
    const auto opened = open(pair.opener, first);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), Code::open_failed);
  }
}

TEST(Aead, WipesWhatAFailedOpenDeciphered) {
  for (const AeadId id : kAll) {
    Pair pair = make_pair(id);
    Bytes sealed = seal(pair.sealer, as_bytes("a secret of some length"));
    sealed.back() ^= std::byte{1};
    Bytes plaintext(sealed.size() - kAeadTagSize, std::byte{0xee});
    EXPECT_FALSE(pair.opener.open({}, sealed, plaintext));
    EXPECT_TRUE(all_zero(plaintext));
  }
}

TEST(Aead, RefusesBuffersOfAnotherSize) {
  for (const AeadId id : kAll) {
    Pair pair = make_pair(id);
    Bytes small(4 + kAeadTagSize);
    const auto sealed = pair.sealer.seal({}, as_bytes("five!"), small);
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().code(), Code::internal);
    Bytes right(5 + kAeadTagSize);
    EXPECT_FALSE(pair.sealer.seal({}, as_bytes("five!"), right)) << "dead after a misuse";

    Bytes small_plaintext(4);
    EXPECT_FALSE(pair.opener.open({}, right, small_plaintext));
  }
}

TEST(Aead, RefusesKeysOfAnotherSize) {
  EXPECT_THROW(AeadSealer(AeadId::aes_256_gcm, Bytes(16), Nonce{}), std::invalid_argument);
  EXPECT_THROW(AeadOpener(AeadId::aes_128_gcm, Bytes(32), Nonce{}), std::invalid_argument);
}

TEST(Aead, MovesKeepTheState) {
  Pair pair = make_pair(AeadId::chacha20_poly1305);
  const Bytes first = seal(pair.sealer, as_bytes("first"));
  AeadSealer moved = std::move(pair.sealer);
  const Bytes second = seal(moved, as_bytes("second"));
  EXPECT_TRUE(open(pair.opener, first));
  AeadOpener moved_opener = std::move(pair.opener);
  EXPECT_TRUE(open(moved_opener, second));
}

}  // namespace
}  // namespace waxwing::crypto
