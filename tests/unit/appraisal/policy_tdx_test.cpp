// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "support/tdx_scene.hpp"
#include "waxwing/appraisal/policy.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::appraisal {
namespace {

const std::string kA(96, 'a');
const std::string kB(96, 'b');
const std::string kEntry = "[[tdx.measurements]]\nmrtd = \"" + kA + "\"\nrtmr0 = \"any\"\nrtmr1 = \"" + kB +
                           "\"\nrtmr2 = \"" + kB + "\"\nrtmr3 = \"any\"\n";

std::string with(std::string_view keys) {
  return "version = 1\n[tdx]\n" + std::string(keys) + "\n" + kEntry;
}

/// The error of a text that must be refused.
std::string refusal(const std::string& text) {
  const auto policy = parse_policy(text, "p.toml");
  if (policy) return "accepted";
  EXPECT_EQ(policy.error().code(), Code::config_invalid);
  return policy.error().text();
}

TEST(TdxPolicyFile, DefaultsAreStrict) {
  const auto policy = parse_policy(with(""), "p.toml");
  ASSERT_TRUE(policy) << policy.error().describe();
  EXPECT_EQ(policy->roots.pinned.size(), 3U);
  EXPECT_EQ(policy->tdx_roots.pinned.size(), 1U);
  EXPECT_TRUE(policy->tdx_roots.certificates.empty());
  EXPECT_TRUE(std::get<Measurements>(policy->snp.measurements).empty());  // which accepts no SEV-SNP worker
  const TdxPolicy& tdx = policy->tdx;
  ASSERT_EQ(tdx.measurements.size(), 1U);
  EXPECT_EQ(to_hex(*tdx.measurements[0].mrtd), kA);
  EXPECT_EQ(to_hex(*tdx.measurements[0].rtmr[1]), kB);
  EXPECT_FALSE(tdx.measurements[0].rtmr[0] || tdx.measurements[0].rtmr[3]);
  EXPECT_EQ(tdx.statuses, std::vector{tdx::TcbStatus::up_to_date});
  EXPECT_FALSE(tdx.advisories || tdx.allow_debug || tdx.allow_migration || tdx.allow_service_td);
  EXPECT_EQ(tdx.trailing, tdx::TrailingBytes::zero_only);
}

TEST(TdxPolicyFile, PolicyForSevSnpAcceptsNoTrustDomain) {
  const auto policy = parse_policy("version = 1\n[snp]\nmeasurements = [\"" + kA + "\"]\n", "p.toml");
  ASSERT_TRUE(policy);
  EXPECT_TRUE(policy->tdx.measurements.empty());
}

TEST(TdxPolicyFile, ReadsEveryKey) {
  const auto policy = parse_policy(with("statuses = [\"UpToDate\", \"SWHardeningNeeded\"]\n"
                                        "min_evaluation_number = 19\n"
                                        "config_ids = [\"" +
                                        kA + "\"]\nowners = [\"" + kB +
                                        "\"]\n"
                                        "owner_configs = [\"" +
                                        kA + "\", \"" + kB + "\"]\nmodules = [\"" + kB +
                                        "\"]\n"
                                        "td_attributes = \"0000001000000000\"\nxfam = \"e702060000000000\"\n"
                                        "allow_migration = true\nallow_service_td = true\n"
                                        "require_sept_ve_disabled = true\n"
                                        "[[tdx.advisories]]\nid = \"INTEL-SA-00960\"\nuntil = 2027-01-01T00:00:00Z\n"),
                                   "p.toml");
  ASSERT_TRUE(policy) << policy.error().describe();
  const TdxPolicy& tdx = policy->tdx;
  EXPECT_EQ(tdx.statuses, (std::vector{tdx::TcbStatus::up_to_date, tdx::TcbStatus::sw_hardening_needed}));
  EXPECT_EQ(tdx.min_evaluation_number, 19U);
  EXPECT_EQ(tdx.config_ids.size(), 1U);
  EXPECT_EQ(tdx.owners.size(), 1U);
  EXPECT_EQ(tdx.owner_configs.size(), 2U);
  EXPECT_EQ(to_hex(tdx.modules.at(0)), kB);
  EXPECT_EQ(to_hex(*tdx.td_attributes), "0000001000000000");
  EXPECT_EQ(to_hex(*tdx.xfam), "e702060000000000");
  EXPECT_TRUE(tdx.allow_migration && tdx.allow_service_td && tdx.require_sept_ve_disabled);
  ASSERT_EQ(tdx.advisories->size(), 1U);
  EXPECT_EQ(tdx.advisories->at(0).id, "INTEL-SA-00960");
  EXPECT_EQ(to_rfc3339(tdx.advisories->at(0).until), "2027-01-01T00:00:00Z");
}

TEST(TdxPolicyFile, MeasurementsMustBeThere) {
  EXPECT_EQ(refusal("version = 1\n[tdx]\nmin_evaluation_number = 1\n"), "p.toml:2:1: tdx.measurements is missing");
  EXPECT_EQ(refusal("version = 1\n[tdx]\nmeasurements = []\n"),
            "p.toml:3:16: tdx.measurements must be a list of tables");
  for (const std::string_view name : {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"}) {
    std::string entry = kEntry;
    const std::size_t at = entry.find("\n" + std::string(name)) + 1;
    entry.erase(at, entry.find('\n', at) - at + 1);
    EXPECT_EQ(refusal("version = 1\n" + entry), "p.toml:2:1: tdx.measurements." + std::string(name) + " is missing");
  }
}

TEST(TdxPolicyFile, FirmwareCannotBeAny) {
  std::string entry = kEntry;
  entry.replace(entry.find(kA), kA.size(), "any");
  EXPECT_EQ(refusal("version = 1\n" + entry), "p.toml:3:8: tdx.measurements.mrtd must be 48 bytes in hexadecimal");
}

TEST(TdxPolicyFile, DebuggingAndRevokedPlatformsCannotBeAllowed) {
  EXPECT_EQ(refusal(with("allow_debug = true")), "p.toml:3:1: unknown key tdx.allow_debug");
  EXPECT_TRUE(refusal(with("statuses = [\"Revoked\"]")).starts_with("p.toml:3:13: tdx.statuses must be"));
  EXPECT_TRUE(refusal(with("statuses = [\"uptodate\"]")).starts_with("p.toml:3:13: tdx.statuses must be"));
  EXPECT_TRUE(refusal(with("statuses = []")).starts_with("p.toml:3:12: tdx.statuses must be"));
}

TEST(TdxPolicyFile, RefusesWrongValuesWithTheirPlace) {
  EXPECT_EQ(refusal(with("xfam = \"e7\"")), "p.toml:3:8: tdx.xfam must be 8 bytes in hexadecimal");
  EXPECT_TRUE(refusal(with("owners = [\"00\"]")).starts_with("p.toml:3:11: tdx.owners must be"));
  EXPECT_TRUE(refusal(with("min_evaluation_number = -1")).starts_with("p.toml:3:25: tdx.min_evaluation_number"));
  EXPECT_TRUE(refusal(with("min_evaluation_number = 4294967296")).starts_with("p.toml:3:25: "));
  EXPECT_EQ(refusal(with("[[tdx.advisories]]\nid = \"INTEL-SA-1\"")), "p.toml:3:1: tdx.advisories.until is missing");
  EXPECT_TRUE(refusal(with("[[tdx.advisories]]\nid = \"INTEL-SA-1\"\nuntil = 2027-01-01")).starts_with("p.toml:5:9: "));
  EXPECT_EQ(refusal(with("") + "rtmr4 = \"any\"\n"), "p.toml:10:1: unknown key tdx.measurements.rtmr4");
}

TEST(TdxPolicyFile, EachVendorsRootsStandByThemselves) {
  const auto amd = parse_policy("version = 1\n[[roots]]\nvendor = \"amd\"\n" + kEntry, "p.toml");
  ASSERT_TRUE(amd);
  EXPECT_TRUE(amd->tdx_roots.pinned.empty());
  const auto intel = parse_policy("version = 1\n[[roots]]\nvendor = \"intel\"\n" + kEntry, "p.toml");
  ASSERT_TRUE(intel);
  EXPECT_TRUE(intel->roots.pinned.empty());
  EXPECT_EQ(intel->tdx_roots.pinned.size(), 1U);
}

TEST(TdxPolicyFile, RootFromFileIsForWhatItsNameSays) {
  auto policy = parse_policy("version = 1\n[[roots]]\nlabel = \"SIMULATED\"\nfile = \"root.pem\"\n" + kEntry, "p.toml");
  ASSERT_TRUE(policy);
  ASSERT_TRUE(policy->add_root(as_bytes(test::TdxScene::shared_root().root_pem())));
  EXPECT_TRUE(policy->roots.certificates.empty());
  ASSERT_EQ(policy->tdx_roots.certificates.size(), 1U);
  EXPECT_EQ(policy->tdx_roots.certificates[0].label, "SIMULATED");
  policy->root_files.push_back({"other.pem", "SIMULATED"});
  const auto& other = test::TdxScene::shared_root().tcb_signer();
  EXPECT_EQ(policy->add_root(other).error().code(), Code::config_invalid);
}

}  // namespace
}  // namespace waxwing::appraisal
