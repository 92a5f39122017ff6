// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/sev_snp/report.hpp"

#include <gtest/gtest.h>

#include "support/snp_scene.hpp"

namespace waxwing::evidence::sev_snp {
namespace {

using test::SnpScene;
using Names = std::vector<std::string>;

/// Names of the failed checks of parsing alone.
Names verdict_of(ByteView bytes) {
  Checklist checks;
  const auto report = parse_unverified(bytes, checks);
  Names failed = SnpScene::failures(checks);
  if (report) failed.emplace_back("parsed");
  return failed;
}

Report valid() {
  return SnpScene().report;
}

void put_u32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (unsigned i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

TEST(SnpReport, ReadsEveryFieldWhereTheTableSaysItStands) {
  // Each byte tells its own offset, except where the layout wants a certain value.
  Bytes bytes(kReportSize);
  for (std::size_t i = 0; i < 0x330; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
  put_u32(bytes, 0x000, 5);
  for (std::size_t i = 0x008; i < 0x010; ++i) bytes[i] = std::byte{0};
  bytes[0x00A] = std::byte{0x0B};  // SMT, reserved one, debug
  put_u32(bytes, 0x030, 3);
  put_u32(bytes, 0x034, 1);
  put_u32(bytes, 0x048, 0x07);  // author key, masked, VLEK
  put_u32(bytes, 0x04C, 0);
  for (std::size_t i = 0x18B; i < 0x1A0; ++i) bytes[i] = std::byte{0};
  bytes[0x1EB] = bytes[0x1EF] = std::byte{0};
  for (std::size_t i = 0x208; i < 0x2A0; ++i) bytes[i] = std::byte{0};

  const auto parsed = parse_unverified(bytes);
  ASSERT_TRUE(parsed) << parsed.error().describe();
  const Report& r = *parsed;
  const auto at = [&bytes](std::size_t offset, ByteView field) {
    return std::ranges::equal(field, ByteView(bytes).subspan(offset, field.size()));
  };
  EXPECT_EQ(r.version, 5U);
  EXPECT_EQ(r.guest_svn, 0x322B241DU);  // bytes 4 to 7, little-endian
  EXPECT_EQ(r.policy.bits, 0x0B0000U);
  EXPECT_TRUE(r.policy.smt() && r.policy.debug() && !r.policy.migration_agent());
  EXPECT_TRUE(at(0x010, r.family_id) && at(0x020, r.image_id));
  EXPECT_EQ(r.vmpl, 3U);
  EXPECT_TRUE(at(0x038, r.current_tcb));
  EXPECT_EQ(std::to_integer<std::uint64_t>(bytes[0x040]), r.platform_info & 0xFFU);
  EXPECT_EQ(std::to_integer<std::uint64_t>(bytes[0x047]), r.platform_info >> 56U);
  EXPECT_EQ(r.signing_key(), SigningKey::vlek);
  EXPECT_TRUE(r.author_key_enabled() && r.chip_key_masked());
  EXPECT_TRUE(at(0x050, r.report_data) && at(0x090, r.measurement) && at(0x0C0, r.host_data));
  EXPECT_TRUE(at(0x0E0, r.id_key_digest) && at(0x110, r.author_key_digest));
  EXPECT_TRUE(at(0x140, r.report_id) && at(0x160, r.report_id_ma) && at(0x180, r.reported_tcb));
  ASSERT_TRUE(r.cpuid);
  EXPECT_EQ(r.cpuid->family, std::to_integer<std::uint8_t>(bytes[0x188]));
  EXPECT_EQ(r.cpuid->model, std::to_integer<std::uint8_t>(bytes[0x189]));
  EXPECT_EQ(r.cpuid->stepping, std::to_integer<std::uint8_t>(bytes[0x18A]));
  EXPECT_TRUE(at(0x1A0, r.chip_id) && at(0x1E0, r.committed_tcb));
  EXPECT_EQ(r.current_version.build, std::to_integer<std::uint8_t>(bytes[0x1E8]));
  EXPECT_EQ(r.current_version.minor, std::to_integer<std::uint8_t>(bytes[0x1E9]));
  EXPECT_EQ(r.current_version.major, std::to_integer<std::uint8_t>(bytes[0x1EA]));
  EXPECT_EQ(r.committed_version.build, std::to_integer<std::uint8_t>(bytes[0x1EC]));
  EXPECT_TRUE(at(0x1F0, r.launch_tcb));
  EXPECT_EQ(r.launch_mitigations & 0xFFU, std::to_integer<std::uint64_t>(bytes[0x1F8]));
  EXPECT_EQ(r.current_mitigations & 0xFFU, std::to_integer<std::uint64_t>(bytes[0x200]));
  EXPECT_TRUE(at(0x2A0, r.signature_r) && at(0x2E8, r.signature_s) && at(0, r.signed_bytes));
}

TEST(SnpReport, OlderVersionsLackWhatLaterOnesAdded) {
  Report report = valid();
  report.cpuid.reset();
  report.launch_mitigations = report.current_mitigations = 0;
  report.version = 2;
  const auto second = parse_unverified(simulate::encode_report(report));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->cpuid);
  for (const std::uint32_t version : {3U, 4U}) {
    report.version = version;
    report.cpuid = Cpuid{0x19, 0x11, 1};
    const auto parsed = parse_unverified(simulate::encode_report(report));
    ASSERT_TRUE(parsed) << version;
    EXPECT_EQ(parsed->cpuid->model, 0x11) << version;
  }
}

TEST(SnpReport, RefusesAnyOtherLength) {
  Bytes longer = simulate::encode_report(valid());
  longer.push_back(std::byte{0});
  ASSERT_EQ(verdict_of(longer), Names{"snp.format.length"});
  EXPECT_EQ(parse_unverified(longer).error().code(), Code::evidence_malformed);
}

TEST(SnpReport, RefusesItsOwnPrefixAtEveryByte) {
  const Bytes whole = simulate::encode_report(valid());
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_FALSE(parse_unverified(ByteView(whole).first(size))) << size;
}

TEST(SnpReport, RefusesUnknownVersionsAsUnsupported) {
  for (const std::uint32_t version : {6U, 0x80000002U, 1U, 0U}) {
    Report report = valid();
    report.version = version;
    const Bytes bytes = simulate::encode_report(report);
    ASSERT_EQ(verdict_of(bytes), Names{"snp.format.version"}) << version;
    EXPECT_EQ(parse_unverified(bytes).error().code(), Code::evidence_unsupported) << version;
  }
}

TEST(SnpReport, RefusesAnotherSignatureAlgorithm) {
  Report report = valid();
  report.signature_algorithm = 2;
  EXPECT_EQ(verdict_of(simulate::encode_report(report)), Names{"snp.format.signature-algorithm"});
}

TEST(SnpReport, RefusesPolicyBitsThatAreNotAssigned) {
  Report report = valid();
  report.policy.bits &= ~(1ULL << 17U);
  EXPECT_EQ(verdict_of(simulate::encode_report(report)), Names{"snp.format.policy"});
  for (unsigned bit = 26; bit < 64; ++bit) {
    report.policy.bits = 0x30000ULL | (1ULL << bit);
    EXPECT_EQ(verdict_of(simulate::encode_report(report)), Names{"snp.format.policy"}) << bit;
  }
}

TEST(SnpReport, RefusesUnknownKeyInfo) {
  for (const std::uint32_t key : {2U, 3U, 4U, 5U, 6U}) {
    Report report = valid();
    report.key_info = key << 2U;
    EXPECT_EQ(verdict_of(simulate::encode_report(report)), Names{"snp.format.key-info"}) << key;
  }
  Report report = valid();
  report.key_info = 1U << 5U;
  EXPECT_EQ(verdict_of(simulate::encode_report(report)), Names{"snp.format.key-info"});
}

TEST(SnpReport, RefusesPrivilegeLevelsThatAreNotTheGuests) {
  for (const std::uint32_t vmpl : {4U, 0xFFFFFFFFU}) {
    Report report = valid();
    report.vmpl = vmpl;
    EXPECT_EQ(verdict_of(simulate::encode_report(report)), Names{"snp.format.vmpl"}) << vmpl;
  }
}

TEST(SnpReport, RefusesEveryReservedByteThatIsNotZero) {
  const auto refuse = [](const Report& report, std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to; ++at) {
      Bytes bytes = simulate::encode_report(report);
      bytes[at] = std::byte{0x80};
      ASSERT_EQ(verdict_of(bytes), Names{"snp.format.reserved"}) << at;
    }
  };
  Report report = valid();
  refuse(report, 0x04C, 0x050);
  refuse(report, 0x18B, 0x1A0);
  refuse(report, 0x1EB, 0x1EC);
  refuse(report, 0x1EF, 0x1F0);
  refuse(report, 0x208, 0x2A0);
  refuse(report, 0x330, 0x4A0);  // not signed: two files would pass for one report
  report.version = 4;
  report.launch_mitigations = report.current_mitigations = 0;
  refuse(report, 0x1F8, 0x208);
  report.version = 2;
  report.cpuid.reset();
  refuse(report, 0x188, 0x1A0);
}

TEST(SnpTcb, EachProductHasItsOwnLayout) {
  const TcbBytes bytes = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4},
                          std::byte{5}, std::byte{6}, std::byte{7}, std::byte{8}};
  EXPECT_EQ(Tcb::decode(bytes, Product::milan), (Tcb{std::nullopt, 1, 2, 7, 8}));
  EXPECT_EQ(Tcb::decode(bytes, Product::genoa), (Tcb{std::nullopt, 1, 2, 7, 8}));
  EXPECT_EQ(Tcb::decode(bytes, Product::turin), (Tcb{std::uint8_t{1}, 2, 3, 4, 8}));
  for (const Product product : {Product::milan, Product::genoa, Product::turin}) {
    const Tcb tcb = Tcb::decode(bytes, product);
    EXPECT_EQ(Tcb::decode(tcb.encode(product), product), tcb);
  }
}

TEST(SnpTcb, IsComparedComponentByComponent) {
  const Tcb base{std::uint8_t{1}, 3, 2, 5, 97};
  EXPECT_TRUE(base.at_least(base));
  Tcb lower = base;
  lower.boot_loader = 2;
  lower.microcode = 200;  // a higher component does not make up for a lower one
  EXPECT_FALSE(lower.at_least(base));
  for (std::uint8_t* part : {&lower.boot_loader, &lower.tee, &lower.snp, &lower.microcode}) {
    lower = base;
    --*part;
    EXPECT_FALSE(lower.at_least(base));
  }
  lower = base;
  lower.fmc = std::uint8_t{0};
  EXPECT_FALSE(lower.at_least(base));
}

TEST(SnpProduct, IsKnownByFamilyAndModel) {
  EXPECT_EQ(product_of({0x19, 0x00, 0}), Product::milan);
  EXPECT_EQ(product_of({0x19, 0x0F, 0}), Product::milan);
  EXPECT_EQ(product_of({0x19, 0x10, 0}), Product::genoa);
  EXPECT_EQ(product_of({0x19, 0x1F, 0}), Product::genoa);
  EXPECT_EQ(product_of({0x19, 0xA0, 0}), Product::genoa);  // Bergamo, Siena
  EXPECT_EQ(product_of({0x19, 0xAF, 0}), Product::genoa);
  EXPECT_EQ(product_of({0x1A, 0x00, 0}), Product::turin);
  EXPECT_EQ(product_of({0x1A, 0x11, 0}), Product::turin);
  EXPECT_EQ(product_of({0x19, 0x20, 0}), std::nullopt);
  EXPECT_EQ(product_of({0x19, 0x9F, 0}), std::nullopt);
  EXPECT_EQ(product_of({0x1A, 0x12, 0}), std::nullopt);
  EXPECT_EQ(product_of({0x1A, 0x50, 0}), std::nullopt);  // no public root
  EXPECT_EQ(product_of({0x17, 0x01, 0}), std::nullopt);
}

}  // namespace
}  // namespace waxwing::evidence::sev_snp
