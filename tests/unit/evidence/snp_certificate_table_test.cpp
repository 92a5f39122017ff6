// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/sev_snp/certificate_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/snp_scene.hpp"
#include "waxwing/base/byte_reader.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::evidence::sev_snp {
namespace {

constexpr std::string_view kVcek = "63da758de6644564adc5f4b93be8accd";
constexpr std::string_view kVlek = "a8074bc2a25a483eaae639c045a0b8a1";
constexpr std::string_view kAsk = "4ab7b379bbac4fe4a02f05aef327c782";
constexpr std::string_view kArk = "c0b406a4a803495297433fb6014cd0ae";
constexpr std::string_view kForeign = "ecae0c0f950243b1afa20ae2e0d565b6";

struct Item {
  std::string_view guid;
  Bytes data;
};

Bytes table_of(const std::vector<Item>& items) {
  Bytes out;
  ByteWriter writer(out);
  std::size_t offset = (items.size() + 1) * 24;
  for (const Item& item : items) {
    writer.bytes(from_hex(item.guid).value());
    writer.u32_le(static_cast<std::uint32_t>(offset)).u32_le(static_cast<std::uint32_t>(item.data.size()));
    offset += item.data.size();
  }
  writer.zeros(24);
  for (const Item& item : items) writer.bytes(item.data);
  return out;
}

Bytes entry(std::string_view guid, std::uint32_t offset, std::uint32_t length) {
  Bytes out;
  ByteWriter(out).bytes(from_hex(guid).value()).u32_le(offset).u32_le(length).zeros(24);
  return out;
}

const Limits kLimits = Limits::evidence();

TEST(SnpCertificateTable, FindsEachCertificate) {
  const Bytes bytes = table_of({{kVcek, Bytes(3, std::byte{1})},
                                {kForeign, Bytes(5, std::byte{9})},
                                {kVlek, Bytes(4, std::byte{2})},
                                {kAsk, Bytes(1, std::byte{3})},
                                {kArk, Bytes(2, std::byte{4})}});
  const auto table = parse_certificate_table(bytes, kLimits);
  ASSERT_TRUE(table) << table.error().describe();
  EXPECT_EQ(to_hex(*table->vcek), "010101");
  EXPECT_EQ(to_hex(*table->vlek), "02020202");
  EXPECT_EQ(to_hex(*table->ask), "03");
  EXPECT_EQ(to_hex(*table->ark), "0404");
}

TEST(SnpCertificateTable, AcceptsAnEmptyOne) {
  const auto nothing = parse_certificate_table({}, kLimits);
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->vcek || nothing->vlek || nothing->ask || nothing->ark);
  EXPECT_TRUE(parse_certificate_table(Bytes(24), kLimits));
  EXPECT_TRUE(parse_certificate_table(Bytes(4096), kLimits));  // pages are zero-filled
}

TEST(SnpCertificateTable, RefusesEntriesOutsideIt) {
  EXPECT_FALSE(parse_certificate_table(entry(kVcek, 48, 1), kLimits));  // behind the end
  EXPECT_TRUE(parse_certificate_table(entry(kVcek, 48, 0), kLimits));   // empty, at the end
  EXPECT_FALSE(parse_certificate_table(entry(kVcek, 47, 1), kLimits));  // inside the header
  EXPECT_FALSE(parse_certificate_table(entry(kVcek, 0, 24), kLimits));
  EXPECT_FALSE(parse_certificate_table(entry(kVcek, 0xFFFFFFFF, 0x31), kLimits));  // would wrap to 48 in 32 bits
  EXPECT_FALSE(parse_certificate_table(entry(kForeign, 48, 0xFFFFFFFF), kLimits));
}

TEST(SnpCertificateTable, RefusesOneCertificateTwice) {
  EXPECT_FALSE(parse_certificate_table(table_of({{kAsk, Bytes(1)}, {kAsk, Bytes(1)}}), kLimits));
}

TEST(SnpCertificateTable, IsBounded) {
  EXPECT_EQ(parse_certificate_table(Bytes(kLimits.document + 1), kLimits).error().code(), Code::too_large);
  EXPECT_EQ(parse_certificate_table(table_of({{kAsk, Bytes(kLimits.certificate + 1)}}), kLimits).error().code(),
            Code::too_large);
  EXPECT_EQ(parse_certificate_table(table_of(std::vector<Item>(65, {kForeign, {}})), kLimits).error().code(),
            Code::too_large);
}

TEST(SnpCertificateTable, RefusesItsOwnPrefixAtEveryByte) {
  const Bytes whole = table_of({{kVcek, Bytes(30, std::byte{1})}, {kArk, Bytes(7, std::byte{2})}});
  for (std::size_t size = 1; size < whole.size(); ++size)
    ASSERT_FALSE(parse_certificate_table(ByteView(whole).first(size), kLimits)) << size;
}

TEST(SnpCertificateTable, SurvivesEveryFlippedBit) {
  const Bytes whole = table_of({{kVcek, Bytes(30, std::byte{1})}, {kArk, Bytes(7, std::byte{2})}});
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto table = parse_certificate_table(flipped, kLimits);
    if (!table) continue;
    // Whatever is found lies inside.
    for (const auto& view : {table->vcek, table->vlek, table->ask, table->ark})
      if (view)
        ASSERT_TRUE(view->data() >= flipped.data() && view->data() + view->size() <= flipped.data() + flipped.size());
  }
}

TEST(SnpCertificateTable, GivesTheEndorsementsOfTheSigningKey) {
  test::SnpScene scene;
  const test::SnpScene vlek(Product::genoa, SigningKey::vlek);
  const Bytes bytes =
      table_of({{kVlek, vlek.chain[0]}, {kVcek, scene.chain[0]}, {kAsk, scene.chain[1]}, {kArk, scene.chain[2]}});
  const auto table = parse_certificate_table(bytes, kLimits).value();
  const auto endorsements = endorsements_from_table(table, SigningKey::vcek, kLimits);
  ASSERT_TRUE(endorsements);
  EXPECT_TRUE(std::ranges::equal(endorsements->ek.der(), scene.chain[0]));
  EXPECT_EQ(endorsements->intermediates.size(), 2U);
  EXPECT_EQ(endorsements_from_table(table, SigningKey::vlek, kLimits)->ek.subject_cn(), "SEV-VLEK");
  EXPECT_FALSE(endorsements_from_table(table, SigningKey::none, kLimits));
  EXPECT_FALSE(endorsements_from_table({}, SigningKey::vcek, kLimits));
}

}  // namespace
}  // namespace waxwing::evidence::sev_snp
