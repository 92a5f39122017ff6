// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Each test takes a TDX worker that the policy accepts and changes one thing; the named check, and it alone, must fail.
#include <gtest/gtest.h>

#include <stdexcept>

#include "support/tdx_scene.hpp"
#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/appraisal/verdict.hpp"

namespace waxwing::appraisal {
namespace {

using test::TdxScene;
using Names = std::vector<std::string>;

const Names kAccepted = {"accepted"};
constexpr std::chrono::seconds kSecond(1);

/// A worker and the policy that accepts it.
struct TdxCourt {
  TdxCourt() {
    policy.name = "test";
    policy.tdx_roots = scene.roots;
    policy.tdx.measurements = {measured()};
  }

  [[nodiscard]] TdMeasurements measured() const {
    const tdx::TdReport& td = scene.quote.body;
    return {td.mr_td, {td.rtmr[0], td.rtmr[1], td.rtmr[2], td.rtmr[3]}};
  }

  Result<TrustedWorker> judge() {
    scene.publish();
    const auto verified = scene.verify();
    if (!verified) throw std::runtime_error(verified.error().describe());
    checks = {};
    return appraise(*verified, policy, now, checks);
  }

  /// Names of the failed checks, or "accepted".
  Names verdict() {
    const auto worker = judge();
    Names failed = TdxScene::failures(checks);
    if (worker)
      failed.emplace_back("accepted");
    else if (worker.error().code() != Code::policy_refused)
      failed.emplace_back("another error");
    return failed;
  }

  [[nodiscard]] const evidence::Check& check(std::string_view name) const {
    for (const evidence::Check& made : checks.all())
      if (made.name == name) return made;
    throw std::runtime_error("not made: " + std::string(name));
  }

  TdxScene scene;
  Policy policy;
  Now now{TdxScene::time(), BootTime(std::chrono::hours(5))};
  evidence::Checklist checks;
};

TEST(AppraiseTdx, CarriesOverWhatWasProven) {
  TdxCourt court;
  court.scene.quote.body.report_data.fill(std::byte{7});
  court.policy.engine.reach = {EngineReach::unix_socket};
  court.policy.max_age = std::chrono::minutes(30);
  const auto worker = court.judge();
  ASSERT_TRUE(worker) << worker.error().describe();
  EXPECT_EQ(worker->kind(), "tdx");
  EXPECT_EQ(worker->product(), "FMSPC 53494d544458");
  EXPECT_EQ(worker->report_data(), court.scene.quote.body.report_data);
  EXPECT_EQ(worker->measurement(), to_bytes(court.scene.quote.body.mr_td));
  EXPECT_EQ(worker->anchor_label(), "SIMULATED");
  EXPECT_EQ(worker->policy_name(), "test");
  EXPECT_EQ(worker->engine().reach, court.policy.engine.reach);
  EXPECT_EQ(worker->not_after(), court.now.wall + std::chrono::minutes(30));
  EXPECT_EQ(worker->deadline(), court.now.boot + std::chrono::minutes(30));
}

TEST(AppraiseTdx, RefusesEvidenceThatHasEndedSinceItWasVerified) {
  TdxCourt court;
  court.scene.info.next_update = court.now.wall + kSecond;
  court.now.wall += 3 * kSecond;
  const auto worker = court.judge();
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().code(), Code::expired);
}

TEST(AppraiseTdx, RefusesWhatNoPolicyNames) {
  TdxCourt court;
  court.policy.tdx = {};
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.mrtd"});
}

TEST(AppraiseTdx, RefusesRootThatIsNotThePolicysForTdx) {
  TdxCourt court;
  court.policy.tdx_roots = tdx::intel_roots();
  EXPECT_EQ(court.verdict(), Names{"policy.root"});
  court.policy.tdx_roots = {};
  court.policy.roots.certificates.push_back({court.scene.roots.certificates[0].certificate, "SIMULATED"});
  EXPECT_EQ(court.verdict(), Names{"policy.root"});
  court.policy.tdx_roots = court.scene.roots;
  court.policy.tdx_roots.certificates[0].label = "";
  EXPECT_EQ(court.verdict(), Names{"policy.root"});
}

TEST(AppraiseTdx, RefusesExpiredPolicy) {
  TdxCourt court;
  court.policy.expires = court.now.wall - kSecond;
  EXPECT_EQ(court.verdict(), Names{"policy.expiry"});
}

TEST(AppraiseTdx, WarnsOfObservedValues) {
  TdxCourt court;
  court.policy.origin = Origin::observed;
  EXPECT_EQ(court.verdict(), kAccepted);
  EXPECT_EQ(court.check("reference.origin").outcome, evidence::CheckOutcome::warn);
}

TEST(AppraiseTdx, RefusesOlderEvaluations) {
  TdxCourt court;
  court.policy.tdx.min_evaluation_number = 20;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.tdx.min_evaluation_number = 21;
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.evaluation-number"});
  court.scene.info.evaluation_number = 21;  // both documents count
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.evaluation-number"});
}

TEST(AppraiseTdx, RefusesEveryUntrustedAttribute) {
  for (unsigned bit = 0; bit < 8; ++bit) {
    TdxCourt court;
    court.scene.quote.body.td_attributes.bytes[0] = static_cast<std::byte>(1U << bit);
    EXPECT_EQ(court.verdict(), Names{"tdx.policy.debug"}) << bit;
    court.policy.tdx.allow_debug = true;
    EXPECT_EQ(court.verdict(), kAccepted) << bit;
  }
}

TEST(AppraiseTdx, RefusesMigrationServicesAndInjectedExceptions) {
  TdxCourt court;
  court.scene.quote.body.td_attributes.bytes[3] = std::byte{0x30};  // MIGRATABLE, SEPT_VE_DISABLE
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.migration"});
  court.policy.tdx.allow_migration = true;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.tdx.require_sept_ve_disabled = true;
  EXPECT_EQ(court.verdict(), kAccepted);
  court.scene.quote.body.td_attributes.bytes[3] = std::byte{0};
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.sept-ve"});
  court.policy.tdx.require_sept_ve_disabled = false;
  court.scene.quote.body.mr_service_td[47] = std::byte{1};
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.service-td"});
  court.policy.tdx.allow_service_td = true;
  EXPECT_EQ(court.verdict(), kAccepted);
}

TEST(AppraiseTdx, RefusesStatusThatThePolicyDoesNotAccept) {
  TdxCourt court;
  court.scene.info.levels[0].standing = {tdx::TcbStatus::sw_hardening_needed, court.now.wall, {"INTEL-SA-00960"}};
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.tcb-status"});
  court.policy.tdx.statuses.push_back(tdx::TcbStatus::sw_hardening_needed);
  EXPECT_EQ(court.verdict(), kAccepted);
  court.policy.tdx.statuses.clear();
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.tcb-status"});
  court.scene.info.levels[0].standing.status = tdx::TcbStatus::revoked;
  court.policy.tdx.statuses = {tdx::TcbStatus::up_to_date, tdx::TcbStatus::revoked};
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.tcb-status"});
}

TEST(AppraiseTdx, SaysWhatIsBehindAndSinceWhen) {
  TdxCourt court;
  ++court.scene.info.levels[0].pcesvn;
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.tcb-status"});
  EXPECT_EQ(court.check("tdx.policy.tcb-status").found, "OutOfDate as of 2025-01-01; PCE: 13, newest 14");
  EXPECT_EQ(court.check("tdx.policy.tcb-status").expected, "UpToDate");
}

TEST(AppraiseTdx, ExcusesAdvisoriesUntilTheirExceptionEnds) {
  TdxCourt court;
  court.scene.info.levels[0].standing.advisory_ids = {"INTEL-SA-1", "INTEL-SA-2"};
  EXPECT_EQ(court.verdict(), kAccepted);  // the policy does not ask
  court.policy.tdx.advisories.emplace();
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.advisories"});
  court.policy.tdx.advisories = {{"INTEL-SA-1", court.now.wall}};
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.advisories"});
  EXPECT_EQ(court.check("tdx.policy.advisories").found, "INTEL-SA-2");
  court.policy.tdx.advisories->push_back({"INTEL-SA-2", court.now.wall + kSecond});
  EXPECT_EQ(court.verdict(), kAccepted);
  court.now.wall += kSecond;
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.advisories"});
}

TEST(AppraiseTdx, EveryRegisterCountsUnlessThePolicySaysAny) {
  const Names names = {"tdx.policy.rtmr0", "tdx.policy.rtmr1", "tdx.policy.rtmr2", "tdx.policy.rtmr3"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    TdxCourt court;
    court.scene.quote.body.rtmr[i][47] ^= std::byte{1};
    EXPECT_EQ(court.verdict(), Names{names[i]});
    court.policy.tdx.measurements[0].rtmr[i].reset();
    EXPECT_EQ(court.verdict(), kAccepted);
    EXPECT_EQ(court.check(names[i]).outcome, evidence::CheckOutcome::skip);
  }
  TdxCourt court;
  court.scene.quote.body.mr_td[0] ^= std::byte{1};
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.mrtd"});
}

TEST(AppraiseTdx, AnEntryHoldsAsAWhole) {
  TdxCourt court;
  TdMeasurements other = court.measured();
  other.mrtd->fill(std::byte{1});
  TdMeasurements mixed = court.measured();
  mixed.rtmr[2]->fill(std::byte{2});
  court.policy.tdx.measurements = {other, mixed};
  // Registers of two entries do not add up to one; the verdict is about the one that agrees furthest.
  EXPECT_EQ(court.verdict(), Names{"tdx.policy.rtmr2"});
  court.policy.tdx.measurements.push_back(court.measured());
  EXPECT_EQ(court.verdict(), kAccepted);
}

TEST(AppraiseTdx, RefusesOtherIdentities) {
  const auto verdict = [](auto demand) {
    TdxCourt court;
    demand(court.policy.tdx, court.scene.quote.body);
    return court.verdict();
  };
  const std::vector<tdx::Register> others = {tdx::Register{std::byte{1}}, tdx::Register{std::byte{2}}};
  EXPECT_EQ(verdict([&](TdxPolicy& p, const auto&) { p.config_ids = others; }), Names{"tdx.policy.mr-config-id"});
  EXPECT_EQ(verdict([&](TdxPolicy& p, const auto&) { p.owners = others; }), Names{"tdx.policy.mr-owner"});
  EXPECT_EQ(verdict([&](TdxPolicy& p, const auto&) { p.owner_configs = others; }), Names{"tdx.policy.mr-owner-config"});
  EXPECT_EQ(verdict([&](TdxPolicy& p, const auto&) { p.modules = others; }), Names{"tdx.policy.mr-seam"});
  EXPECT_EQ(verdict([&](TdxPolicy& p, const auto&) { p.td_attributes.emplace(); }), Names{"tdx.policy.td-attributes"});
  EXPECT_EQ(verdict([&](TdxPolicy& p, const auto&) { p.xfam.emplace(); }), Names{"tdx.policy.xfam"});
  EXPECT_EQ(verdict([&](TdxPolicy& p, const auto&) {
              p.report_data.emplace();
              p.report_data->fill(std::byte{1});
            }),
            Names{"tdx.policy.report-data"});
  EXPECT_EQ(verdict([&](TdxPolicy& p, const tdx::TdReport& td) {
              p.config_ids = {others[0], td.mr_config_id};
              p.owners = {td.mr_owner};
              p.owner_configs = {td.mr_owner_config};
              p.modules = {td.mr_seam};
              p.td_attributes = td.td_attributes.bytes;
              p.xfam = td.xfam;
              p.report_data = td.report_data;
            }),
            kAccepted);
}

TEST(AppraiseTdx, RefusesAfterAnEarlierFailureOfTheSameList) {
  TdxCourt court;
  const auto verified = court.scene.verify();
  evidence::Checklist checks;
  checks.require("tdx.quote.signature", false, "", "", "");
  EXPECT_FALSE(appraise(*verified, court.policy, court.now, checks));
}

TEST(VerdictTdx, AcceptsOnlyWhatWasVerifiedAppraisedAndBound) {
  TdxCourt court;
  const auto verified = court.scene.verify();
  ASSERT_TRUE(verified);
  evidence::Checklist checks = court.scene.checks;
  const VerdictFacts facts = facts_of(*verified);
  EXPECT_EQ(facts.kind, "tdx");
  EXPECT_EQ(facts.anchor_label, "SIMULATED");
  EXPECT_EQ(judge(checks, std::nullopt, facts, court.now.wall, "").decision, Decision::evidence_only);
  ASSERT_TRUE(appraise(*verified, court.policy, court.now, checks));
  EXPECT_EQ(judge(checks, std::nullopt, facts, court.now.wall, "").decision, Decision::refused);
  checks.require("report-data.binding", true, "", "", "");
  EXPECT_EQ(judge(checks, std::nullopt, facts, court.now.wall, "").decision, Decision::accepted);
}

}  // namespace
}  // namespace waxwing::appraisal
