// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/provider/waxwing/attestation.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "support/scripted_random.hpp"
#include "support/simulated_worker.hpp"
#include "support/tdx_scene.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/exchange/worker_keys.hpp"

namespace waxwing::provider::native {
namespace {

using namespace std::chrono_literals;
using appraisal::Decision;
using evidence::CheckOutcome;
using test::SimulatedWorker;

std::optional<CheckOutcome> outcome(const appraisal::Verdict& verdict, std::string_view name) {
  std::optional<CheckOutcome> found;
  for (const auto& check : verdict.checks) {
    if (check.name == name) found = check.outcome;
  }
  return found;
}

class AttestationTest : public ::testing::Test {
 protected:
  exchange::Statement statement() {
    exchange::Statement s;
    s.worker = keys_.ring()->worker();
    s.keys = keys_.ring()->encoded();
    s.engine_reach = exchange::EngineReach::builtin;
    s.build = "test";
    s.features = {"pad-256"};
    s.issued_at = now().wall;
    s.expires_at = now().wall + keys_.ring()->life(now());
    return s;
  }
  /// The gateway's side of a target.
  exchange::AttestationDocument document_for(const std::string& target) {
    const auto nonce = exchange::parse_nonce(target.substr(target.find('=') + 1)).value();
    return SimulatedWorker::shared().attest(exchange::encode_statement(statement()).value(), nonce);
  }
  AttestationAnswer ask() {
    auto question = AttestationQuestion::draw(random_, now());
    const std::string document = exchange::encode_document(document_for(question.target()));
    return std::move(question).answer(document, PeerKey{});
  }
  template <class Change>
  AttestationAnswer ask_changed(Change change) {
    auto question = AttestationQuestion::draw(random_, now());
    exchange::AttestationDocument document = document_for(question.target());
    change(document);
    return std::move(question).answer(exchange::encode_document(document), PeerKey{});
  }
  Attested judge_it(const AttestationAnswer& answer) {
    return judge(answer, {.policy = policy_, .roots = policy_.roots, .client = client_}, now());
  }
  void expect_refused(const AttestationAnswer& answer, Code code) {
    const Attested attested = judge_it(answer);
    ASSERT_FALSE(attested.key);
    EXPECT_EQ(attested.key.error().code(), code) << attested.key.error().describe();
    EXPECT_EQ(attested.verdict.decision, Decision::refused);
    EXPECT_EQ(attested.verdict.code, code);
  }
  Now now() const { return clock_.now(); }

  FakeClock clock_{SimulatedWorker::time()};
  test::CountingRandom random_;
  exchange::WorkerKeys keys_ = exchange::WorkerKeys::create({}, random_, clock_.now()).value();
  appraisal::Policy policy_ = SimulatedWorker::shared().policy();
  ClientPolicy client_;
};

TEST_F(AttestationTest, AcceptsAWorkerAndSaysWhatItIs) {
  const Attested attested = judge_it(ask());
  ASSERT_TRUE(attested.key) << attested.key.error().describe();
  EXPECT_EQ(attested.verdict.decision, Decision::accepted);
  EXPECT_EQ(attested.verdict.facts.anchor_label, "SIMULATED");
  EXPECT_EQ(attested.verdict.facts.worker, to_base64url(keys_.ring()->worker()));
  EXPECT_EQ(attested.verdict.facts.engine_reach, "builtin");
  EXPECT_EQ(attested.verdict.facts.channel, "x-wing, aes-256-gcm");
  EXPECT_EQ(attested.verdict.facts.not_after, (*attested.key)->not_after());
  EXPECT_EQ(attested.verdict.facts.statement_sha256, to_hex((*attested.key)->statement_sha256()));
}

TEST_F(AttestationTest, EveryQuestionHasAFreshNonce) {
  std::set<std::string> targets;
  for (int i = 0; i < 100; ++i) targets.insert(AttestationQuestion::draw(random_, now()).target());
  EXPECT_EQ(targets.size(), 100U);
}

TEST_F(AttestationTest, RefusesAnAnswerToAnEarlierQuestion) {
  const AttestationAnswer old = ask();
  auto question = AttestationQuestion::draw(random_, now());
  const AttestationAnswer replayed = std::move(question).answer(old.document, PeerKey{});
  expect_refused(replayed, Code::evidence_rejected);
  EXPECT_EQ(outcome(judge_it(replayed).verdict, "report-data.binding"), CheckOutcome::fail);
}

TEST_F(AttestationTest, RefusesWhatIsNoDocument) {
  for (const char* text : {"", "{}", "<html>", "[]"}) {
    expect_refused({text, {}, now(), PeerKey{}}, Code::evidence_malformed);
  }
  expect_refused({std::string(exchange::kMaxDocumentSize + 1, ' '), {}, now(), PeerKey{}}, Code::evidence_malformed);
}

TEST_F(AttestationTest, RefusesEvidenceOfOtherKindsOnly) {
  expect_refused(ask_changed([](auto& document) { document.evidence[0].kind = "nitro"; }), Code::evidence_unsupported);
}

TEST_F(AttestationTest, RefusesEvidenceUnderTheNameOfAnotherKind) {
  expect_refused(ask_changed([](auto& document) { document.evidence[0].kind = "tdx"; }), Code::evidence_unsupported);
}

/// The same worker on TDX: the binding, the statement and the keys do not change.
class TdxAttestationTest : public AttestationTest {
 protected:
  TdxAttestationTest() {
    policy_.tdx_roots = scene_.roots;
    const auto& td = scene_.quote.body;
    policy_.tdx.measurements = {{td.mr_td, {td.rtmr[0], td.rtmr[1], td.rtmr[2], td.rtmr[3]}}};
    clock_.set_wall(test::TdxScene::time());
  }

  AttestationAnswer ask_tdx() {
    return ask_changed([this](exchange::AttestationDocument& document) { put_quote(document); });
  }
  void put_quote(exchange::AttestationDocument& document) {
    const auto report = evidence::sev_snp::parse_unverified(document.evidence[0].data).value();  // holds the binding
    scene_.quote.body.report_data = report.report_data;
    document.evidence = {{"tdx", scene_.evidence(), simulate::encode_collateral(scene_.parts)}};
  }

  test::TdxScene scene_;
};

TEST_F(TdxAttestationTest, AcceptsAWorkerAndSaysWhatItIs) {
  const Attested attested = judge_it(ask_tdx());
  ASSERT_TRUE(attested.key) << attested.key.error().describe();
  EXPECT_EQ(attested.verdict.decision, Decision::accepted);
  EXPECT_EQ(attested.verdict.facts.kind, "tdx");
  EXPECT_EQ(attested.verdict.facts.anchor_label, "SIMULATED");
  EXPECT_EQ(attested.verdict.facts.measurement, to_hex(scene_.quote.body.mr_td));
}

TEST_F(TdxAttestationTest, RefusesQuoteForAnotherQuestion) {
  const AttestationAnswer old = ask_tdx();
  auto question = AttestationQuestion::draw(random_, now());
  const AttestationAnswer replayed = std::move(question).answer(old.document, PeerKey{});
  expect_refused(replayed, Code::evidence_rejected);
  EXPECT_EQ(outcome(judge_it(replayed).verdict, "report-data.binding"), CheckOutcome::fail);
}

TEST_F(TdxAttestationTest, RefusesWhatPolicyEndorsementsOrSecondEvidenceDoNotBearOut) {
  AttestationAnswer answer = ask_tdx();
  policy_.tdx.measurements.clear();
  expect_refused(answer, Code::policy_refused);
  policy_.tdx_roots = {};
  expect_refused(answer, Code::evidence_rejected);
  expect_refused(ask_changed([this](auto& document) {
                   put_quote(document);
                   document.evidence[0].endorsements = "null";
                 }),
                 Code::evidence_malformed);
  expect_refused(ask_changed([this](auto& document) {
                   const exchange::EvidenceItem snp = document.evidence[0];
                   put_quote(document);
                   document.evidence.push_back(snp);
                 }),
                 Code::evidence_malformed);
}

TEST_F(TdxAttestationTest, EvidenceAloneIsJudgedWithItsBinding) {
  AttestationAnswer answer = ask_tdx();
  const auto crl = evidence::sev_snp::CrlPolicy::if_present;
  EXPECT_EQ(judge_evidence(answer, {{}, scene_.roots}, crl, now()).decision, Decision::evidence_only);
  EXPECT_EQ(judge_evidence(answer, {{}, evidence::tdx::intel_roots()}, crl, now()).decision, Decision::refused);
  answer.nonce[0] ^= std::byte{1};
  EXPECT_EQ(judge_evidence(answer, {{}, scene_.roots}, crl, now()).decision, Decision::refused);
}

TEST_F(AttestationTest, LooksPastFurtherEvidenceOfOtherKinds) {
  const auto answer = ask_changed([](auto& document) {
    document.evidence.insert(document.evidence.begin(), exchange::EvidenceItem{"nvidia-gpu", {}, "null"});
  });
  EXPECT_TRUE(judge_it(answer).key);
}

TEST_F(AttestationTest, RefusesTwoPiecesOfEvidenceOfOneKind) {
  expect_refused(ask_changed([](auto& document) { document.evidence.push_back(document.evidence[0]); }),
                 Code::evidence_malformed);
}

TEST_F(AttestationTest, RefusesBrokenEvidenceAndEndorsements) {
  expect_refused(ask_changed([](auto& document) { document.evidence[0].data.pop_back(); }), Code::evidence_malformed);
  expect_refused(ask_changed([](auto& document) { document.evidence[0].endorsements = "null"; }),
                 Code::evidence_malformed);
  expect_refused(
      ask_changed([](auto& document) { document.evidence[0].endorsements = R"({"chain":["AAAA"],"crl":null})"; }),
      Code::evidence_malformed);
}

TEST_F(AttestationTest, RefusesAReportChangedAfterItWasSigned) {
  const auto answer = ask_changed([](auto& document) { document.evidence[0].data[0x90] ^= std::byte{1}; });
  expect_refused(answer, Code::evidence_rejected);
  EXPECT_EQ(outcome(judge_it(answer).verdict, "snp.signature"), CheckOutcome::fail);
}

TEST_F(AttestationTest, RefusesSoftwareThePolicyDoesNotName) {
  policy_.snp.measurements = appraisal::Measurements{ByteArray<48>{}};
  const AttestationAnswer answer = ask();
  expect_refused(answer, Code::policy_refused);
  const appraisal::Verdict verdict = judge_it(answer).verdict;
  EXPECT_EQ(outcome(verdict, "snp.policy.measurement"), CheckOutcome::fail);
  EXPECT_EQ(outcome(verdict, "report-data.binding"), std::nullopt) << "nothing is established";
  EXPECT_FALSE(verdict.facts.measurement.empty()) << "what was found is told all the same";
}

TEST_F(AttestationTest, RefusesARootThatNobodyNamed) {
  policy_.roots = evidence::sev_snp::amd_roots();
  expect_refused(ask(), Code::evidence_rejected);
}

TEST_F(AttestationTest, HandsTheClientsDemandsToTheExchange) {
  client_.kems = {crypto::KemId::x25519};
  expect_refused(ask(), Code::policy_refused);
  client_.kems = {crypto::KemId::x_wing};
  client_.tls_binding = exchange::Demand::required;
  expect_refused(ask(), Code::policy_refused);
}

TEST_F(AttestationTest, JudgesALiveSessionAgainUnderAnotherPolicy) {
  const AttestationAnswer answer = ask();
  ASSERT_TRUE(judge_it(answer).key);
  clock_.advance(10min);
  EXPECT_TRUE(judge_it(answer).key);
  policy_.engine.reach = {exchange::EngineReach::remote};
  expect_refused(answer, Code::policy_refused);
}

TEST_F(AttestationTest, NoPolicyGivesNewLifeToAnOldAnswer) {
  const AttestationAnswer answer = ask();
  const BootTime end = judge_it(answer).key.value()->deadline();
  clock_.advance(30min);
  EXPECT_EQ(judge_it(answer).key.value()->deadline(), end);
  clock_.advance(30min);
  expect_refused(answer, Code::policy_refused);
}

TEST_F(AttestationTest, EvidenceAloneIsJudgedWithItsBinding) {
  const AttestationAnswer answer = ask();
  const auto crl = evidence::sev_snp::CrlPolicy::if_present;
  const appraisal::Verdict verdict = judge_evidence(answer, {policy_.roots, {}}, crl, now());
  EXPECT_EQ(verdict.decision, Decision::evidence_only);
  EXPECT_FALSE(verdict.facts.measurement.empty());

  AttestationAnswer stale = answer;
  stale.nonce[0] ^= std::byte{1};
  EXPECT_EQ(judge_evidence(stale, {policy_.roots, {}}, crl, now()).decision, Decision::refused);
  EXPECT_EQ(judge_evidence(answer, {evidence::sev_snp::amd_roots(), {}}, crl, now()).decision, Decision::refused);
}

}  // namespace
}  // namespace waxwing::provider::native
