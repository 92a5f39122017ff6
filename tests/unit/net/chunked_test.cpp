// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "waxwing/net/http_head.hpp"

namespace waxwing::net {
namespace {

struct Decoded {
  bool ok = false;
  bool end = false;
  std::string body{};
  std::size_t consumed = 0;
  friend bool operator==(const Decoded&, const Decoded&) = default;
};

/// Feeds `piece` bytes at a time.
Decoded decode(std::string_view wire, std::size_t piece) {
  ChunkedDecoder decoder;
  Decoded out{.ok = true};
  while (out.consumed < wire.size() && !out.end) {
    const auto step = decoder.step(as_bytes(wire.substr(out.consumed, piece)));
    if (!step) {
      out.ok = false;
      EXPECT_FALSE(decoder.step(as_bytes("0\r\n\r\n"))) << "an error must stay one";
      return out;
    }
    out.consumed += step->consumed;
    out.body += as_text(step->data);
    out.end = step->end;
  }
  return out;
}

TEST(ChunkedTest, DecodesTheRfcExample) {
  const std::string wire = "4\r\nWiki\r\n5\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\n\r\n";
  const Decoded expected{true, true, "Wikipedia in\r\n\r\nchunks.", wire.size()};
  for (std::size_t piece = 1; piece <= wire.size(); ++piece) EXPECT_EQ(decode(wire, piece), expected) << piece;
}

TEST(ChunkedTest, SkipsExtensionsAndTrailers) {
  const std::string wire = "2 ;a=\"b;c\"\r\nhi\r\n000;x\r\nx-a: 1\r\nx-b: 2\r\n\r\nNEXT";
  const auto got = decode(wire, wire.size());
  EXPECT_TRUE(got.ok && got.end);
  EXPECT_EQ(got.body, "hi");
  EXPECT_EQ(wire.substr(got.consumed), "NEXT");
}

TEST(ChunkedTest, TakesTheLargestSizeWithoutOverflow) {
  const auto got = decode("FFFFFFFFFFFFFFFF\r\nabc", 64);
  EXPECT_TRUE(got.ok);
  EXPECT_FALSE(got.end);
  EXPECT_EQ(got.body, "abc");
}

TEST(ChunkedTest, RefusesWhatTwoReadersCouldReadDifferently) {
  for (const std::string_view wire : {
           "\r\n",
           "g\r\n",
           "-1\r\n",
           "+1\r\n",
           "0x1\r\n",
           " 1\r\n",
           ";\r\n",
           "1\n",
           "1\ra",
           "1\r\nab\r\n",
           "1\r\na\n",
           "1\r\na\rb",
           "1\r\na0\r\n",
           "10000000000000000\r\n",
           "00000000000000001\r\n",
           "1;a\nb\r\n",
           "1;\x01\r\n",
           "0\r\n\n",
           "0\r\n\rx",
           "0\r\n x: folded\r\n",
           "0\r\nx: \x01\r\n",
           "0\r\nx: y\n",
           "0\n\r\n",
           "1 \x7f\r\n",
       }) {
    EXPECT_FALSE(decode(wire, wire.size()).ok) << wire;
    EXPECT_FALSE(decode(wire, 1).ok) << wire;
  }
}

TEST(ChunkedTest, BoundsExtensionsAndTrailers) {
  EXPECT_TRUE(decode("1;" + std::string(256, 'x') + "\r\n", 1000).ok);
  EXPECT_FALSE(decode("1;" + std::string(257, 'x') + "\r\n", 1000).ok);
  EXPECT_FALSE(decode("0\r\nx:" + std::string(9000, 'x'), 10000).ok);
  std::string lines = "0\r\n";
  for (int i = 0; i < 65; ++i) lines += "a: b\r\n";
  EXPECT_FALSE(decode(lines, lines.size()).ok);
}

TEST(ChunkedTest, TruncatedAtEveryByteNeverEnds) {
  const std::string wire = "4\r\nWiki\r\n1;x\r\n!\r\n0\r\na: b\r\n\r\n";
  for (std::size_t n = 0; n < wire.size(); ++n) {
    const auto got = decode(wire.substr(0, n), 3);
    EXPECT_TRUE(got.ok);
    EXPECT_FALSE(got.end) << n;
  }
}

TEST(ChunkedTest, FlippedBitsGiveTheSameResultInEverySplit) {
  const std::string wire = "4\r\nWiki\r\n1;x\r\n!\r\n0\r\na: b\r\n\r\n";
  for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
    std::string flipped = wire;
    flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    const auto whole = decode(flipped, flipped.size());
    const auto bytes = decode(flipped, 1);
    EXPECT_EQ(whole.ok, bytes.ok) << bit;
    EXPECT_EQ(whole.end, bytes.end) << bit;
    if (whole.ok) EXPECT_EQ(whole, bytes) << bit;
  }
}

}  // namespace
}  // namespace waxwing::net
