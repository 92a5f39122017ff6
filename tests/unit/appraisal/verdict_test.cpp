// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/appraisal/verdict.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/snp_scene.hpp"

namespace waxwing::appraisal {
namespace {

using evidence::Checklist;
using test::kEvidenceTime;

Checklist verified() {
  Checklist checks;
  checks.require("snp.root.pinned", true, "pinned", "pinned", "clause");
  checks.require("snp.signature", true, "the key's", "the key's", "clause");
  return checks;
}

Checklist whole() {
  Checklist checks = verified();
  checks.require("snp.policy.measurement", true, "ab", "ab", "clause");
  checks.require("report-data.binding", true, "cd", "cd", "clause");
  return checks;
}

VerdictFacts facts() {
  VerdictFacts facts;
  facts.kind = "sev-snp";
  facts.anchor_label = "SIMULATED";
  facts.not_after = kEvidenceTime + std::chrono::hours(1);
  return facts;
}

Verdict judged(const Checklist& checks, const std::optional<Error>& error = std::nullopt) {
  return judge(checks, error, facts(), kEvidenceTime, "https://worker.test");
}

TEST(Verdict, AcceptsOnlyAfterVerifyingAppraisingAndBinding) {
  EXPECT_EQ(judged(whole()).decision, Decision::accepted);
  EXPECT_EQ(judged(verified()).decision, Decision::evidence_only);
  EXPECT_EQ(judged(Checklist()).decision, Decision::refused);

  Checklist unbound = verified();
  unbound.require("snp.policy.measurement", true, "", "", "");
  EXPECT_EQ(judged(unbound).decision, Decision::refused);

  Checklist unsigned_report;
  unsigned_report.require("snp.policy.measurement", true, "", "", "");
  unsigned_report.require("report-data.binding", true, "", "", "");
  EXPECT_EQ(judged(unsigned_report).decision, Decision::refused);
}

TEST(Verdict, ASkipIsNeverAPass) {
  Checklist checks = verified();
  checks.skip("snp.policy.measurement", "no measurement is demanded", "");
  checks.require("report-data.binding", true, "", "", "");
  EXPECT_EQ(judged(checks).decision, Decision::refused);
}

TEST(Verdict, AnyFailureOrErrorRefuses) {
  Checklist failed = whole();
  failed.require("engine.reach", false, "loopback", "remote", "clause");
  const Verdict by_check = judged(failed);
  EXPECT_EQ(by_check.decision, Decision::refused);
  EXPECT_EQ(by_check.reason, "engine.reach does not hold");

  const Verdict by_error = judged(whole(), Error(Code::policy_refused, "no"));
  EXPECT_EQ(by_error.decision, Decision::refused);
  EXPECT_EQ(by_error.code, Code::policy_refused);
}

TEST(Verdict, JsonFollowsItsSchema) {
  Checklist checks = whole();
  checks.advise("reference.origin", false, "given", "observed", "docs/policy.md");
  const auto json = nlohmann::json::parse(to_json(judged(checks)));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["decision"], "accepted");
  EXPECT_EQ(json["label"], "SIMULATED");
  EXPECT_EQ(json["url"], "https://worker.test");
  EXPECT_EQ(json["at"], "2026-01-01T00:00:00Z");
  EXPECT_EQ(json["not_after"], "2026-01-01T01:00:00Z");
  EXPECT_EQ(json["facts"]["kind"], "sev-snp");
  EXPECT_FALSE(json["facts"].contains("product"));
  EXPECT_FALSE(json.contains("code"));
  ASSERT_EQ(json["checks"].size(), 5U);
  const nlohmann::json warning = {{"name", "reference.origin"},
                                  {"outcome", "warn"},
                                  {"expected", "given"},
                                  {"found", "observed"},
                                  {"clause", "docs/policy.md"}};
  EXPECT_EQ(json["checks"][4], warning);
  EXPECT_EQ(json["not_proven"], not_proven());
  const auto refused = nlohmann::json::parse(to_json(judged(whole(), Error(Code::evidence_rejected, "forged"))));
  EXPECT_EQ(refused["code"], "evidence_rejected");
  EXPECT_EQ(refused["reason"], "forged");
}

TEST(Verdict, TableShowsLabelFailuresSkipsAndWhatIsNotProven) {
  Checklist checks = whole();
  checks.skip("snp.policy.tcb", "the policy does not ask", "");
  const std::string accepted = to_table(judged(checks));
  EXPECT_TRUE(accepted.starts_with("ACCEPTED [SIMULATED]\n"));
  EXPECT_TRUE(accepted.contains("Not checked: snp.policy.tcb\n"));
  EXPECT_TRUE(accepted.ends_with(std::string(not_proven()) + "\n"));
  for (const std::string_view named : {"build of the engine", "model weights", "GPU"})
    EXPECT_TRUE(not_proven().contains(named));

  checks.require("engine.reach", false, "loopback", "remote", "docs/protocols/waxwing.md 2");
  const std::string refused = to_table(judged(checks));
  EXPECT_TRUE(refused.starts_with("REFUSED [SIMULATED]: engine.reach does not hold\n"));
  EXPECT_TRUE(refused.contains("FAIL engine.reach"));
  EXPECT_TRUE(refused.contains("expected loopback; found remote (docs/protocols/waxwing.md 2)"));

  EXPECT_TRUE(to_table(judged(verified()))
                  .starts_with("EVIDENCE VALID [SIMULATED], WORKER NOT APPRAISED: no policy names its measurement\n"));
}

TEST(Verdict, TellsWhatTheEvidenceShowed) {
  test::SnpScene scene;
  const auto report = scene.verify().value();
  const VerdictFacts known = facts_of(report);
  EXPECT_EQ(known.kind, "sev-snp");
  EXPECT_EQ(known.product, "Genoa");
  EXPECT_EQ(known.anchor_label, "SIMULATED");
  EXPECT_EQ(known.measurement.size(), 96U);
  EXPECT_EQ(known.not_after, report.not_after());
  // Verified evidence alone is never an acceptance.
  EXPECT_EQ(judge(scene.checks, std::nullopt, known, kEvidenceTime, "").decision, Decision::evidence_only);

  Policy policy;
  policy.name = "lab";
  policy.roots = scene.roots;
  policy.snp.measurements = Measurements{scene.report.measurement};
  const auto worker = appraise(report, policy, {kEvidenceTime, BootTime{}}, scene.checks);
  ASSERT_TRUE(worker);
  EXPECT_EQ(facts_of(*worker).policy_name, "lab");
  EXPECT_EQ(facts_of(*worker).anchor_sha256, known.anchor_sha256);
}

}  // namespace
}  // namespace waxwing::appraisal
