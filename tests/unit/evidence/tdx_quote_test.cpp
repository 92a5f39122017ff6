// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/tdx/quote.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/tdx_scene.hpp"

namespace waxwing::evidence::tdx {
namespace {

using test::TdxScene;
using Names = std::vector<std::string>;

// Places in a version 5 quote with TD report 1.5: header 48, body descriptor 6, body 648.
constexpr std::size_t kBodyType = 48;
constexpr std::size_t kBody = 54;
constexpr std::size_t kAuthSize = kBody + kTd15Size;
constexpr std::size_t kAuth = kAuthSize + 4;
constexpr std::size_t kCertification = kAuth + 128;
constexpr std::size_t kQeAuthSize = kCertification + 6 + 384 + 64;
constexpr std::size_t kInnerType = kQeAuthSize + 2 + 32;

/// Names of the failed checks of parsing alone.
Names verdict_of(ByteView bytes, TrailingBytes trailing = TrailingBytes::zero_only) {
  Checklist checks;
  const auto quote = parse_unverified(bytes, trailing, checks);
  Names failed = TdxScene::failures(checks);
  if (quote) failed.emplace_back("parsed");
  return failed;
}

Bytes valid() {
  static const Bytes bytes = TdxScene().evidence();
  return bytes;
}

Bytes with(std::size_t at, std::initializer_list<unsigned> values) {
  Bytes bytes = valid();
  for (const unsigned value : values) bytes[at++] = static_cast<std::byte>(value);
  return bytes;
}

void add_u32(Bytes& bytes, std::size_t at, std::int64_t change) {
  std::int64_t value = 0;
  for (std::size_t i = 4; i > 0; --i) value = value << 8 | std::to_integer<std::int64_t>(bytes[at + i - 1]);
  value += change;
  for (std::size_t i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

TEST(TdxQuote, ReadsEveryFieldWhereTheTableSaysItStands) {
  // Each byte of the body tells its own offset.
  Bytes bytes = valid();
  for (std::size_t i = 0; i < kTd15Size; ++i) bytes[kBody + i] = static_cast<std::byte>(i * 7 + i / 256 + 1);
  for (std::size_t i = 0; i < 128; ++i) bytes[kAuth + i] = static_cast<std::byte>(i * 5 + 3);
  const auto parsed = parse_unverified(bytes);
  ASSERT_TRUE(parsed) << parsed.error().describe();
  const auto at = [&bytes](std::size_t offset, ByteView field) {
    return std::ranges::equal(field, ByteView(bytes).subspan(offset, field.size()));
  };
  const TdReport& td = parsed->body;
  EXPECT_EQ(parsed->version, 5);
  EXPECT_EQ(parsed->body_type, BodyType::td15);
  EXPECT_TRUE(at(kBody, td.tee_tcb_svn) && at(kBody + 16, td.mr_seam) && at(kBody + 64, td.mr_signer_seam));
  EXPECT_TRUE(at(kBody + 112, td.seam_attributes) && at(kBody + 120, td.td_attributes.bytes) &&
              at(kBody + 128, td.xfam));
  EXPECT_TRUE(at(kBody + 136, td.mr_td) && at(kBody + 184, td.mr_config_id) && at(kBody + 232, td.mr_owner));
  EXPECT_TRUE(at(kBody + 280, td.mr_owner_config));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(at(kBody + 328 + 48 * i, td.rtmr[i])) << i;
  EXPECT_TRUE(at(kBody + 520, td.report_data) && at(kBody + 584, td.tee_tcb_svn2) && at(kBody + 600, td.mr_service_td));
  EXPECT_TRUE(at(0, parsed->signed_bytes));
  EXPECT_EQ(parsed->signed_bytes.size(), kAuthSize);
  EXPECT_TRUE(at(kAuth, parsed->signature) && at(kAuth + 64, parsed->attestation_key));
  EXPECT_TRUE(at(kCertification + 6, parsed->qe_report.signed_bytes));
  EXPECT_EQ(parsed->qe_report.isv_prod_id, 2);
  EXPECT_EQ(parsed->qe_report.isv_svn, 4);
  EXPECT_TRUE(at(kCertification + 6 + 128, parsed->qe_report.mr_signer));
  EXPECT_TRUE(at(kCertification + 6 + 384, parsed->qe_report_signature));
  EXPECT_EQ(parsed->qe_auth_data.size(), 32U);
  EXPECT_TRUE(parsed->pck_chain_pem.starts_with("-----BEGIN CERTIFICATE-----"));
  EXPECT_TRUE(parsed->pck_chain_pem.ends_with("-----END CERTIFICATE-----\n"));
}

TEST(TdxQuote, BothVersionsAndBothReportsAreRead) {
  TdxScene scene;
  scene.quote.body.mr_service_td.fill(std::byte{7});
  for (const std::uint16_t version : {std::uint16_t{4}, std::uint16_t{5}}) {
    scene.quote.version = version;
    scene.quote.body_type = BodyType::td10;
    const auto parsed = parse_unverified(scene.evidence());
    ASSERT_TRUE(parsed) << parsed.error().describe();
    EXPECT_EQ(parsed->version, version);
    EXPECT_EQ(parsed->body_type, BodyType::td10);
    EXPECT_EQ(parsed->body.rtmr, scene.quote.body.rtmr);
    EXPECT_EQ(parsed->body.mr_service_td, Register{});
    EXPECT_EQ(parsed->signed_bytes.size(), version == 4 ? 632U : 638U);
  }
}

TEST(TdxQuote, AttributesAreCountedFromTheFirstBit) {
  TdAttributes attributes;
  attributes.bytes[3] = std::byte{0x10};
  EXPECT_TRUE(attributes.sept_ve_disabled());
  EXPECT_FALSE(attributes.migratable() || attributes.untrusted());
  attributes.bytes[3] = std::byte{0x20};
  EXPECT_TRUE(attributes.migratable());
  EXPECT_FALSE(attributes.sept_ve_disabled());
  attributes.bytes[0] = std::byte{0x80};
  EXPECT_TRUE(attributes.untrusted());
}

TEST(TdxQuote, RefusesItsOwnPrefixAtEveryByte) {
  const Bytes whole = valid();
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_EQ(verdict_of(ByteView(whole).first(size)), Names{"tdx.format.length"}) << size;
}

TEST(TdxQuote, RefusesUnknownVersionsAsUnsupported) {
  for (const unsigned version : {0U, 3U, 6U, 0x84U}) {
    const Bytes bytes = with(0, {version});
    ASSERT_EQ(verdict_of(bytes), Names{"tdx.format.version"}) << version;
    EXPECT_EQ(parse_unverified(bytes).error().code(), Code::evidence_unsupported) << version;
  }
}

TEST(TdxQuote, RefusesOtherKeysEnclavesAndVendors) {
  EXPECT_EQ(verdict_of(with(2, {3})), Names{"tdx.format.key-type"});
  ASSERT_EQ(verdict_of(with(4, {0})), Names{"tdx.format.tee-type"});
  EXPECT_EQ(parse_unverified(with(4, {0})).error().code(), Code::evidence_unsupported);
  EXPECT_EQ(verdict_of(with(4, {0x81, 0, 0, 1})), Names{"tdx.format.tee-type"});
  EXPECT_EQ(verdict_of(with(12, {0x94})), Names{"tdx.format.qe-vendor"});
  EXPECT_EQ(verdict_of(with(27, {0x08})), Names{"tdx.format.qe-vendor"});
}

TEST(TdxQuote, RefusesBodiesWhoseTypeAndSizeDoNotAgree) {
  EXPECT_EQ(verdict_of(with(kBodyType, {1, 0, 0x80, 1})), Names{"tdx.format.body-type"});  // SGX, 384 bytes
  EXPECT_EQ(verdict_of(with(kBodyType, {2})), Names{"tdx.format.body-type"});
  EXPECT_EQ(verdict_of(with(kBodyType, {4})), Names{"tdx.format.body-type"});
  EXPECT_EQ(verdict_of(with(kBodyType + 2, {0x48})), Names{"tdx.format.body-type"});
  EXPECT_EQ(verdict_of(with(kBodyType + 2, {0xFF, 0xFF, 0xFF, 0xFF})), Names{"tdx.format.body-type"});
}

TEST(TdxQuote, RefusesLengthsThatDoNotAgreeWithTheirSurroundings) {
  for (const std::size_t at : {kAuthSize, kCertification + 2, kInnerType + 2}) {
    for (const std::int64_t change : {-1, 1, 0x10000}) {
      Bytes bytes = valid();
      add_u32(bytes, at, change);
      EXPECT_EQ(verdict_of(bytes), Names{"tdx.format.length"}) << at << " " << change;
    }
    Bytes bytes = valid();
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 4, std::byte{0xFF});
    EXPECT_EQ(verdict_of(bytes), Names{"tdx.format.length"}) << at;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), 4, std::byte{0});
    EXPECT_EQ(verdict_of(bytes), Names{"tdx.format.length"}) << at;
  }
  EXPECT_EQ(verdict_of(with(kQeAuthSize, {31})), Names{"tdx.format.length"});
  EXPECT_EQ(verdict_of(with(kQeAuthSize, {0xFF, 0xFF})), Names{"tdx.format.length"});
}

TEST(TdxQuote, EnclavesDataMayHaveAnyLengthUpTo1024) {
  TdxScene scene;
  for (const std::size_t size : {std::size_t{0}, std::size_t{33}, std::size_t{1024}}) {
    scene.quote.qe_auth_data.assign(size, std::byte{9});
    EXPECT_EQ(verdict_of(scene.evidence()), Names{"parsed"}) << size;
  }
  scene.quote.qe_auth_data.assign(1025, std::byte{9});
  EXPECT_EQ(verdict_of(scene.evidence()), Names{"tdx.format.length"});
}

TEST(TdxQuote, RefusesOtherKindsOfCertification) {
  for (const unsigned type : {1U, 3U, 5U, 7U})
    EXPECT_EQ(verdict_of(with(kCertification, {type})), Names{"tdx.format.certification"}) << type;
  for (const unsigned type : {1U, 4U, 6U})
    EXPECT_EQ(verdict_of(with(kInnerType, {type})), Names{"tdx.format.certification"}) << type;
}

TEST(TdxQuote, OnlyZerosMayFollow) {
  Bytes padded = valid();
  padded.resize(8000);
  EXPECT_EQ(verdict_of(padded), Names{"parsed"});
  EXPECT_EQ(parse_unverified(padded)->pck_chain_pem, parse_unverified(valid())->pck_chain_pem);
  padded.back() = std::byte{1};
  EXPECT_EQ(verdict_of(padded), Names{"tdx.format.trailing"});
  EXPECT_EQ(verdict_of(padded, TrailingBytes::any), Names{"parsed"});
}

}  // namespace
}  // namespace waxwing::evidence::tdx
