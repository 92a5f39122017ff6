// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/byte_reader.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace waxwing {
namespace {

ByteArray<8> counting() {
  ByteArray<8> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::byte>(i + 1);
  return out;
}

TEST(ByteReaderTest, RefusesToReadPastTheEnd) {
  const auto bytes = counting();
  ByteReader in("thing", bytes);
  EXPECT_EQ(in.u32_le(), 0x04030201U);
  EXPECT_TRUE(in.bytes(5).empty());
  const auto status = in.status();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), Code::truncated);
  EXPECT_EQ(status.error().describe(), "thing: ends at byte 8, 5 more wanted at byte 4");
}

TEST(ByteReaderTest, YieldsNothingAfterTheFirstFailureAndKeepsIt) {
  const auto bytes = counting();
  ByteReader in("thing", bytes);
  in.reject(Code::unsupported, "version 9");
  in.reject(Code::malformed, "later");
  EXPECT_EQ(in.u8(), 0);
  EXPECT_EQ(in.u64_be(), 0U);
  EXPECT_EQ(in.varint(), 0U);
  EXPECT_TRUE(in.rest().empty());
  EXPECT_EQ(in.array<3>(), ByteArray<3>{});
  EXPECT_EQ(in.remaining(), 0U);
  EXPECT_EQ(in.expect_end().error().code(), Code::unsupported);
  EXPECT_EQ(in.status().error().text(), "thing: version 9");
}

TEST(ByteReaderTest, RefusesBytesLeftOver) {
  const auto bytes = counting();
  ByteReader in("thing", bytes);
  in.u16_be();
  const auto end = in.expect_end();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code(), Code::malformed);
  EXPECT_EQ(end.error().text(), "thing: 6 bytes left over at byte 2");
}

TEST(ByteReaderTest, RefusesReservedBytesThatAreSet) {
  const ByteArray<4> bytes{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}};
  ByteReader in("thing", bytes);
  in.expect_zero(2, "first");
  EXPECT_TRUE(in.ok());
  in.expect_zero(2, "reserved");
  EXPECT_EQ(in.status().error().text(), "thing: reserved is not zero (bytes 2 to 3)");
}

TEST(ByteReaderTest, ReservedBytesThatAreMissingAreTruncation) {
  const ByteArray<1> bytes{};
  ByteReader in("thing", bytes);
  in.expect_zero(std::numeric_limits<std::size_t>::max(), "reserved");
  EXPECT_EQ(in.status().error().code(), Code::truncated);
}

TEST(ByteReaderTest, AHugeLengthDoesNotWrapAround) {
  const auto bytes = counting();
  ByteReader in("thing", bytes);
  in.u8();
  EXPECT_TRUE(in.bytes(std::numeric_limits<std::size_t>::max()).empty());
  EXPECT_EQ(in.status().error().code(), Code::truncated);
}

TEST(ByteReaderTest, StatesEndianness) {
  const auto bytes = counting();
  EXPECT_EQ(ByteReader("t", bytes).u16_le(), 0x0201);
  EXPECT_EQ(ByteReader("t", bytes).u16_be(), 0x0102);
  EXPECT_EQ(ByteReader("t", bytes).u32_be(), 0x01020304U);
  EXPECT_EQ(ByteReader("t", bytes).u64_le(), 0x0807060504030201U);
  EXPECT_EQ(ByteReader("t", bytes).u64_be(), 0x0102030405060708U);
}

TEST(ByteReaderTest, VarintCutAnywhereIsTruncated) {
  for (const std::uint64_t value : {64ULL, 16384ULL, 1ULL << 30U}) {
    Bytes bytes;
    ByteWriter(bytes).varint(value);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      ByteReader in("varint", ByteView(bytes).first(n));
      EXPECT_EQ(in.varint(), 0U);
      EXPECT_EQ(in.status().error().code(), Code::truncated) << value << " cut at " << n;
    }
  }
}

TEST(ByteWriterTest, WritesWhatTheReaderReads) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(1).u16_le(2).u32_le(3).u64_le(4).u16_be(5).u32_be(6).u64_be(7).zeros(2).bytes(as_bytes("end"));
  ByteReader in("thing", bytes);
  EXPECT_EQ(in.u8(), 1);
  EXPECT_EQ(in.u16_le(), 2);
  EXPECT_EQ(in.u32_le(), 3U);
  EXPECT_EQ(in.u64_le(), 4U);
  EXPECT_EQ(in.u16_be(), 5);
  EXPECT_EQ(in.u32_be(), 6U);
  EXPECT_EQ(in.u64_be(), 7U);
  in.expect_zero(2, "zeros");
  EXPECT_EQ(as_text(in.rest()), "end");
  EXPECT_TRUE(in.expect_end());
}

TEST(ByteWriterTest, VarintsAreShortestAndComeBack) {
  constexpr unsigned long long max = (1ULL << 62U) - 1;
  for (const std::uint64_t value : {0ULL, 63ULL, 64ULL, 16383ULL, 16384ULL, (1ULL << 30U) - 1, 1ULL << 30U, max}) {
    Bytes bytes;
    ByteWriter(bytes).varint(value);
    EXPECT_EQ(bytes.size(), varint_size(value));
    ByteReader in("varint", bytes);
    EXPECT_EQ(in.varint(), value);
    EXPECT_TRUE(in.expect_end());
  }
  EXPECT_EQ(varint_size(63), 1U);
  EXPECT_EQ(varint_size(64), 2U);
  EXPECT_EQ(varint_size(16384), 4U);
  EXPECT_EQ(varint_size(1ULL << 30U), 8U);
}

}  // namespace
}  // namespace waxwing
