// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Each test takes a worker that the policy accepts and changes one thing; the named check, and it alone, must fail.
#include "waxwing/appraisal/appraise.hpp"

#include <gtest/gtest.h>

#include "support/snp_scene.hpp"

namespace waxwing::appraisal {
namespace {

using sev_snp::Product;
using sev_snp::SigningKey;
using test::kEvidenceTime;
using Names = std::vector<std::string>;

const Names kAccepted = {"accepted"};

/// A worker and the policy that accepts it.
struct Court {
  explicit Court(Product product = Product::genoa, SigningKey kind = SigningKey::vcek) : scene(product, kind) {
    policy.name = "test";
    policy.roots = scene.roots;
    policy.snp.measurements = Measurements{scene.report.measurement};
  }

  Result<TrustedWorker> judge() {
    const auto verified = scene.verify();
    if (!verified) throw std::runtime_error(verified.error().describe());
    checks = {};
    return appraise(*verified, policy, now, checks);
  }

  /// Names of the failed checks, or "accepted".
  Names verdict() {
    const auto worker = judge();
    Names failed = test::SnpScene::failures(checks);
    if (worker)
      failed.emplace_back("accepted");
    else if (worker.error().code() != Code::policy_refused)
      failed.emplace_back("another error");
    return failed;
  }

  evidence::CheckOutcome outcome(std::string_view name) const {
    for (const evidence::Check& check : checks.all())
      if (check.name == name) return check.outcome;
    throw std::runtime_error("not made: " + std::string(name));
  }

  test::SnpScene scene;
  Policy policy;
  Now now{kEvidenceTime, BootTime(std::chrono::hours(5))};
  evidence::Checklist checks;
};

TEST(Appraise, CarriesOverWhatWasProven) {
  Court court;
  court.scene.report.report_data.fill(std::byte{7});
  court.policy.engine.reach = {EngineReach::unix_socket};
  const auto worker = court.judge();
  ASSERT_TRUE(worker) << worker.error().describe();
  EXPECT_EQ(worker->kind(), "sev-snp");
  EXPECT_EQ(worker->product(), "Genoa");
  EXPECT_EQ(worker->report_data(), court.scene.report.report_data);
  EXPECT_EQ(worker->measurement(), to_bytes(court.scene.report.measurement));
  EXPECT_EQ(worker->anchor_label(), "SIMULATED");
  EXPECT_EQ(worker->policy_name(), "test");
  EXPECT_EQ(worker->engine().reach, court.policy.engine.reach);
}

TEST(Appraise, EndsAtTheEarliestOfItsReasons) {
  Court court;
  court.policy.max_age = std::chrono::minutes(30);
  const auto aged = court.judge();
  ASSERT_TRUE(aged);
  EXPECT_EQ(aged->not_after(), court.now.wall + std::chrono::minutes(30));
  EXPECT_EQ(aged->deadline(), court.now.boot + std::chrono::minutes(30));

  court.policy.expires = court.now.wall + std::chrono::minutes(5);
  EXPECT_EQ(court.judge()->not_after(), court.now.wall + std::chrono::minutes(5));

  court.scene.crl = court.scene.root.crl(kEvidenceTime, kEvidenceTime + std::chrono::seconds(9), {}).value();
  const auto listed = court.judge();
  EXPECT_EQ(listed->not_after(), kEvidenceTime + std::chrono::seconds(9));
  EXPECT_EQ(listed->deadline(), court.now.boot + std::chrono::seconds(9));
}

TEST(Appraise, RefusesEvidenceThatHasEndedSinceItWasVerified) {
  Court court;
  court.scene.crl = court.scene.root.crl(kEvidenceTime, kEvidenceTime + std::chrono::seconds(9), {}).value();
  court.now.wall += std::chrono::seconds(11);
  const auto worker = court.judge();
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().code(), Code::expired);
}

TEST(Appraise, RefusesExpiredPolicy) {
  Court court;
  court.policy.expires = court.now.wall;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.expires = court.now.wall - std::chrono::seconds(1);
  EXPECT_EQ(court.verdict(), Names{"policy.expiry"});
}

TEST(Appraise, RefusesRootThatIsNotThePolicys) {
  Court court;
  court.policy.roots = sev_snp::amd_roots();
  EXPECT_EQ(court.verdict(), Names{"policy.root"});
  court.policy.roots = court.scene.roots;
  court.policy.roots.certificates[0].label = "";  // the same root must not lose its label on the way
  EXPECT_EQ(court.verdict(), Names{"policy.root"});
}

TEST(Appraise, RefusesProductThatThePolicyExcludes) {
  Court court;
  court.policy.snp.products = {Product::milan, Product::turin};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.product"});
  court.policy.snp.products.push_back(Product::genoa);
  EXPECT_EQ(court.verdict(), kAccepted);
}

TEST(Appraise, RefusesProvisionalFirmwareWhereThePolicyDoes) {
  Court court;
  court.scene.report.committed_version.build -= 1;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.allow_provisional = false;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.provisional"});
  court.scene.report.committed_version = court.scene.report.current_version;
  EXPECT_EQ(court.verdict(), kAccepted);
  sev_snp::Tcb older = court.scene.chip.spec().tcb;
  --older.snp;
  court.scene.report.committed_tcb = older.encode(Product::genoa);
  EXPECT_EQ(court.verdict(), Names{"snp.policy.provisional"});
}

TEST(Appraise, RefusesReportWithDebugPolicy) {
  Court court;
  court.scene.report.policy.bits |= 1ULL << 19U;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.debug"});
}

TEST(Appraise, RefusesMigrationAgentUnlessAllowed) {
  Court court;
  court.scene.report.policy.bits |= 1ULL << 18U;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.migration"});
  court.policy.snp.allow_migration = true;
  EXPECT_EQ(court.verdict(), kAccepted);
}

TEST(Appraise, RefusesPermissionsThatThePolicyForbids) {
  Court court;
  court.scene.report.policy.bits |= 1ULL << 21U;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.allow_smt = false;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.smt"});
  court.policy.snp.allow_smt = true;
  court.policy.snp.allow_cxl = false;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.cxl"});
}

TEST(Appraise, RefusesMissingRestrictionsThatThePolicyDemands) {
  struct Row {
    bool SnpPolicy::* demand;
    unsigned bit;
    const char* name;
  };
  const Row rows[] = {
      {&SnpPolicy::require_single_socket, 20, "snp.policy.single-socket"},
      {&SnpPolicy::require_aes256_xts, 22, "snp.policy.aes256-xts"},
      {&SnpPolicy::require_rapl_disabled, 23, "snp.policy.rapl"},
      {&SnpPolicy::require_ciphertext_hiding, 24, "snp.policy.ciphertext-hiding"},
      {&SnpPolicy::require_page_swap_disabled, 25, "snp.policy.page-swap"},
  };
  for (const Row& row : rows) {
    Court court;
    court.policy.snp.*(row.demand) = true;
    EXPECT_EQ(court.verdict(), Names{row.name});
    court.scene.report.policy.bits |= 1ULL << row.bit;
    EXPECT_EQ(court.verdict(), kAccepted) << row.name;
  }
}

TEST(Appraise, RefusesOlderGuest) {
  Court court;
  court.scene.report.guest_svn = 4;
  court.policy.snp.min_guest_svn = 4;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.min_guest_svn = 5;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.guest-svn"});
}

TEST(Appraise, RefusesOtherReportData) {
  Court court;
  court.policy.snp.report_data = court.scene.report.report_data;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.report_data->back() ^= std::byte{1};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.report-data"});
}

TEST(Appraise, RefusesMeasurementThatThePolicyDoesNotName) {
  Court court;
  court.scene.report.measurement.back() ^= std::byte{1};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.measurement"});
  std::get<Measurements>(court.policy.snp.measurements).push_back(court.scene.report.measurement);
  EXPECT_EQ(court.verdict(), kAccepted);
}

TEST(Appraise, PolicyWithoutMeasurementsAcceptsNothing) {
  Court court;
  court.policy.snp.measurements = {};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.measurement"});
}

TEST(Appraise, DisregardedMeasurementIsSkippedAndNeverPassed) {
  Court court;
  court.policy.snp.measurements = AnyMeasurement{};
  EXPECT_EQ(court.verdict(), kAccepted);
  EXPECT_EQ(court.outcome("snp.policy.measurement"), evidence::CheckOutcome::skip);
}

TEST(Appraise, RefusesOtherHostData) {
  Court court;
  court.policy.snp.host_data = {ByteArray<32>{std::byte{1}}, ByteArray<32>{}};
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.host_data.pop_back();
  EXPECT_EQ(court.verdict(), Names{"snp.policy.host-data"});
}

TEST(Appraise, RefusesOtherChip) {
  Court court;
  court.policy.snp.chip_ids = {court.scene.report.chip_id};
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.chip_ids[0][0] ^= std::byte{1};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.chip-id"});
}

TEST(Appraise, RefusesMaskedChipUnlessAllowed) {
  Court court;
  court.scene.report.chip_id = {};
  court.scene.report.key_info |= 2U;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.masked-chip-id"});
  court.policy.snp.allow_masked_chip_id = true;
  EXPECT_EQ(court.verdict(), kAccepted);
}

TEST(Appraise, RefusesTcbBelowTheMinimumInAnyComponent) {
  for (const Product product : {Product::milan, Product::genoa, Product::turin}) {
    const sev_snp::Tcb level = Court(product).scene.chip.spec().tcb;
    std::vector<sev_snp::Tcb> higher(4, level);
    ++higher[0].boot_loader;
    ++higher[1].tee;
    ++higher[2].snp;
    ++higher[3].microcode;
    if (product == Product::turin) {
      higher.push_back(level);
      ++*higher.back().fmc;
    }
    for (const sev_snp::Tcb& minimum : higher) {
      Court court(product);
      court.policy.snp.min_tcb = {{product, minimum}};
      EXPECT_EQ(court.verdict(), Names{"snp.policy.tcb"}) << to_string(product) << " " << to_string(minimum);
    }
    Court court(product);
    court.policy.snp.min_tcb = {{product, level}};
    EXPECT_EQ(court.verdict(), kAccepted);
  }
}

TEST(Appraise, RefusesProductWithoutALevelOfItsOwn) {
  Court court;
  court.policy.snp.min_tcb = {{Product::milan, sev_snp::Tcb{}}};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.tcb"});
}

TEST(Appraise, RefusesLaunchTcbBelowItsOwnMinimum) {
  Court court;
  const sev_snp::Tcb level = court.scene.chip.spec().tcb;
  court.policy.snp.min_launch_tcb = {{Product::genoa, level}};
  EXPECT_EQ(court.verdict(), kAccepted);
  sev_snp::Tcb older = level;
  --older.microcode;
  court.scene.report.launch_tcb = older.encode(Product::genoa);
  EXPECT_EQ(court.verdict(), Names{"snp.policy.launch-tcb"});
}

TEST(Appraise, RefusesOlderFirmware) {
  Court court;  // 1.55.39
  for (const MinimumFirmware& least :
       {MinimumFirmware{1, 55, 39}, MinimumFirmware{1, 54, 0}, MinimumFirmware{0, 99, 1}}) {
    court.policy.snp.min_firmware = least;
    EXPECT_EQ(court.verdict(), kAccepted);
  }
  for (const MinimumFirmware& least :
       {MinimumFirmware{1, 55, 40}, MinimumFirmware{1, 56, 0}, MinimumFirmware{2, 0, 0}, MinimumFirmware{1, 0, 40}}) {
    court.policy.snp.min_firmware = least;
    EXPECT_EQ(court.verdict(), Names{"snp.policy.firmware-version"});
  }
}

TEST(Appraise, RefusesOtherPrivilegeLevel) {
  Court court;
  court.scene.report.vmpl = 3;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.vmpl = 0;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.vmpl"});
}

TEST(Appraise, RefusesUntrustedAuthorOfTheIdBlock) {
  Court court;
  court.policy.snp.require_author_key = true;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.author-key"});  // no list accepts nothing
  court.scene.report.author_key_digest.fill(std::byte{5});
  court.policy.snp.author_keys = {court.scene.report.author_key_digest};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.author-key"});  // the digest counts only with its bit
  court.scene.report.key_info |= 1U;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.require_author_key = false;  // a list is a demand too
  court.policy.snp.author_keys[0][3] = std::byte{6};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.author-key"});
}

TEST(Appraise, RefusesUntrustedKeyOfTheIdBlock) {
  Court court;
  court.policy.snp.require_id_key = true;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.id-key"});
  court.scene.report.id_key_digest.fill(std::byte{8});
  court.policy.snp.id_keys = {court.scene.report.id_key_digest};
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.require_id_key = false;
  court.policy.snp.id_keys[0][0] = std::byte{9};
  EXPECT_EQ(court.verdict(), Names{"snp.policy.id-key"});
  // A trusted author stands in for the key it signed.
  court.scene.report.author_key_digest.fill(std::byte{5});
  court.scene.report.key_info |= 1U;
  court.policy.snp.author_keys = {court.scene.report.author_key_digest};
  EXPECT_EQ(court.verdict(), kAccepted);
}

TEST(Appraise, RefusesMissingMitigations) {
  Court court;  // both vectors hold 3
  court.policy.snp.launch_mitigations = 1;
  court.policy.snp.current_mitigations = 3;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.snp.current_mitigations = 4;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.mitigation"});
  court.policy.snp.current_mitigations = 0;
  court.policy.snp.launch_mitigations = 4;
  EXPECT_EQ(court.verdict(), Names{"snp.policy.mitigation"});

  Court older;  // version 4 has no vectors
  older.scene.report.version = 4;
  older.scene.report.launch_mitigations = older.scene.report.current_mitigations = 0;
  older.policy.snp.launch_mitigations = 1;
  EXPECT_EQ(older.verdict(), Names{"snp.policy.mitigation"});
}

TEST(Appraise, JudgesPlatformFeaturesBySense) {
  Court court;  // 0x25: SMT, ECC, alias check
  const auto with = [&court](std::uint64_t features) {
    court.policy.snp.platform = PlatformFeatures{features};
    return court.verdict();
  };
  EXPECT_EQ(with(0x25), kAccepted);
  EXPECT_EQ(with(0x01), kAccepted);                          // nothing demanded
  EXPECT_EQ(with(0x87), kAccepted);                          // allowed, and not there
  EXPECT_EQ(with(0x24), Names{"snp.policy.platform-info"});  // SMT is on and not allowed
  EXPECT_EQ(with(0x2D), Names{"snp.policy.platform-info"});  // RAPL must be off
  court.scene.report.platform_info |= 0x40U;                 // a bit nobody knows is not looked at
  EXPECT_EQ(with(0x25), kAccepted);
}

TEST(Appraise, WarnsOfObservedValues) {
  Court court;
  EXPECT_EQ(court.verdict(), kAccepted);
  EXPECT_EQ(court.outcome("reference.origin"), evidence::CheckOutcome::pass);
  court.policy.origin = Origin::observed;
  EXPECT_EQ(court.verdict(), kAccepted);
  EXPECT_EQ(court.outcome("reference.origin"), evidence::CheckOutcome::warn);
}

TEST(Appraise, RefusesAfterAnEarlierFailureOfTheSameList) {
  Court court;
  const auto verified = court.scene.verify();
  ASSERT_TRUE(verified);
  evidence::Checklist checks;
  checks.require("snp.signature", false, "", "", "");
  EXPECT_FALSE(appraise(*verified, court.policy, court.now, checks));
}

}  // namespace
}  // namespace waxwing::appraisal
