// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/session.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "samples.hpp"
#include "support/simulated_worker.hpp"
#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/crypto/key_config.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/exchange/worker_keys.hpp"

namespace waxwing::exchange {
namespace {

using namespace std::chrono_literals;
using crypto::AeadId;
using crypto::KemId;
using evidence::Checklist;
using evidence::CheckOutcome;
using test::filled;
using test::SimulatedWorker;

std::optional<CheckOutcome> outcome(const Checklist& checks, std::string_view name) {
  std::optional<CheckOutcome> found;
  for (const auto& check : checks.all()) {
    if (check.name == name) found = check.outcome;
  }
  return found;
}

/// One worker, its keys and the statement it would make now; tests change one thing and try to establish a session.
class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { use_keys({}); }

  void use_keys(WorkerKeysOptions options) {
    keys_.emplace(WorkerKeys::create(std::move(options), random_, now()).value());
    list_keys();
  }
  void list_keys() {
    statement_ = test::full_statement();
    statement_.worker = keys_->ring()->worker();
    statement_.keys = keys_->ring()->encoded();
    statement_.issued_at = now().wall;
    statement_.expires_at = now().wall + keys_->ring()->life(now());
  }
  Now now() const { return clock_.now(); }

  /// The proof types on the way to establish(), for a document as the gateway would make it.
  static appraisal::TrustedWorker trust(const AttestationDocument& document, const appraisal::Policy& policy, Now now) {
    Checklist checks;
    const EvidenceItem& item = document.evidence[0];
    const auto wire = parse_snp_endorsements(item.endorsements, Limits::evidence()).value();
    const auto report = evidence::sev_snp::parse_unverified(item.data).value();
    const auto endorsements =
        evidence::sev_snp::Endorsements::from_der(wire.chain, std::nullopt, Limits::evidence()).value();
    const auto verified = evidence::sev_snp::verify(report, endorsements, policy.roots, now.wall,
                                                    evidence::sev_snp::CrlPolicy::if_present, checks);
    return appraisal::appraise(verified.value(), policy, now, checks).value();
  }

  Bytes encoded() const { return encode_statement(statement_).value(); }
  AttestationDocument attest(const std::vector<Nonce>& others = {}) const {
    return SimulatedWorker::shared().attest(encoded(), nonce_, others);
  }
  Result<SessionKey> establish_from(const AttestationDocument& document) {
    checks_ = {};
    const auto worker = trust(document, appraisal_, now());
    return establish_with(worker, document);
  }
  Result<SessionKey> establish_with(const appraisal::TrustedWorker& worker, const AttestationDocument& document) {
    return establish(worker, {.document = document, .nonce = nonce_, .drawn = drawn_, .peer = peer_}, policy_, now(),
                     checks_);
  }
  Result<SessionKey> run() { return establish_from(attest()); }

  /// The named check failed, and the error is this one.
  void expect_refused(const Result<SessionKey>& key, Code code, std::string_view check) {
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code(), code) << key.error().describe();
    EXPECT_EQ(outcome(checks_, check), CheckOutcome::fail) << check;
  }

  FakeClock clock_{SimulatedWorker::time()};
  test::CountingRandom random_;
  std::optional<WorkerKeys> keys_;
  Statement statement_;
  Nonce nonce_ = filled<32>(0xa5);
  Now drawn_ = clock_.now();
  std::optional<PeerKey> peer_ = PeerKey{filled<32>(0x33)};
  appraisal::Policy appraisal_ = SimulatedWorker::shared().policy();
  ExchangePolicy policy_;
  Checklist checks_;
};

TEST_F(SessionTest, HoldsWhatWasAttested) {
  const auto key = run();
  ASSERT_TRUE(key) << key.error().describe();
  EXPECT_EQ(key->worker(), statement_.worker);
  EXPECT_EQ(key->statement(), statement_);
  EXPECT_EQ(key->statement_sha256(), crypto::sha256(encoded()));
  EXPECT_EQ(key->label(), "SIMULATED");
  EXPECT_EQ(key->aead(), AeadId::aes_256_gcm);
  const auto held = keys_->ring()->find(key->worker(), key->key_id(), now());
  ASSERT_TRUE(held);
  EXPECT_TRUE(std::ranges::equal((*held)->private_key().public_key(), key->public_key().bytes()));
  EXPECT_TRUE(key->lists(key->fingerprint()));
  EXPECT_TRUE(key->usable(now()));
}

TEST_F(SessionTest, MakesEveryCheckOfTheChannel) {
  ASSERT_TRUE(run());
  for (const char* name :
       {"nonce.path", "report-data.binding", "statement.format", "engine.reach", "channel.post-quantum",
        "channel.padding", "channel.tls-binding", "session.life", "channel.keys", "channel.suites"}) {
    EXPECT_EQ(outcome(checks_, name), CheckOutcome::pass) << name;
  }
  EXPECT_EQ(outcome(checks_, "engine.config"), CheckOutcome::skip);
}

TEST_F(SessionTest, OneReportServesEveryoneWhoWaited) {
  for (std::uint8_t others = 1; others < 9; ++others) {
    std::vector<Nonce> nonces;
    for (std::uint8_t i = 0; i < others; ++i) nonces.push_back(filled<32>(i));
    EXPECT_TRUE(establish_from(attest(nonces))) << int{others};
  }
}

TEST_F(SessionTest, RefusesAPathOfAnImpossibleShape) {
  AttestationDocument document = attest();
  document.nonce_path.nodes.push_back(filled<32>(1));
  expect_refused(establish_from(document), Code::evidence_rejected, "nonce.path");
}

TEST_F(SessionTest, RefusesAnAnswerToAnotherNonce) {
  const AttestationDocument document = attest();
  nonce_[31] ^= std::byte{1};
  expect_refused(establish_from(document), Code::evidence_rejected, "report-data.binding");
}

TEST_F(SessionTest, RefusesThePathOfAnotherWaiter) {
  AttestationDocument document = attest({filled<32>(1), filled<32>(2)});
  document.nonce_path.index = 0;
  document.nonce_path.nodes.resize(2);
  expect_refused(establish_from(document), Code::evidence_rejected, "report-data.binding");
}

TEST_F(SessionTest, RefusesAStatementChangedByOneByteAnywhere) {
  const AttestationDocument document = attest();
  const auto worker = trust(document, appraisal_, now());
  for (std::size_t at = 0; at < document.statement.size(); ++at) {
    AttestationDocument changed = document;
    changed.statement[at] ^= std::byte{1};
    checks_ = {};
    expect_refused(establish_with(worker, changed), Code::evidence_rejected, "report-data.binding");
  }
  for (const char* more : {" ", "\n"}) {
    AttestationDocument longer = document;
    append(longer.statement, as_bytes(more));
    checks_ = {};
    expect_refused(establish_with(worker, longer), Code::evidence_rejected, "report-data.binding");
  }
}

TEST_F(SessionTest, RefusesAReportForAnotherWorkersStatement) {
  const AttestationDocument ours = attest();
  use_keys({});
  const AttestationDocument theirs = attest();
  const auto worker = trust(ours, appraisal_, now());
  expect_refused(establish_with(worker, theirs), Code::evidence_rejected, "report-data.binding");
}

TEST_F(SessionTest, RefusesAnAttestedStatementThatCannotBeRead) {
  const auto attested = [&](std::string_view statement) {
    return establish_from(SimulatedWorker::shared().attest(to_bytes(as_bytes(statement)), nonce_));
  };
  expect_refused(attested("{}"), Code::evidence_malformed, "statement.format");
  const std::string text(as_text(encoded()));
  expect_refused(attested(test::replaced(text, R"("ext":[])", R"("ext":[],"more":1)")), Code::evidence_malformed,
                 "statement.format");
  expect_refused(attested(test::replaced(text, "waxwing/1", "waxwing/2")), Code::evidence_unsupported,
                 "statement.format");
}

TEST_F(SessionTest, RefusesAnEngineFurtherAwayThanThePolicyAccepts) {
  statement_.engine_reach = EngineReach::remote;
  expect_refused(run(), Code::policy_refused, "engine.reach");
  appraisal_.engine.reach = {EngineReach::remote};
  EXPECT_TRUE(run());
  statement_.engine_reach = EngineReach::builtin;
  expect_refused(run(), Code::policy_refused, "engine.reach");
}

TEST_F(SessionTest, RefusesAConfigurationThePolicyDoesNotName) {
  appraisal_.engine.config_sha256 = {filled<32>(0x54), filled<32>(0x55)};
  ASSERT_TRUE(run());
  EXPECT_EQ(outcome(checks_, "engine.config"), CheckOutcome::pass);
  statement_.config_sha256[0] ^= std::byte{1};
  expect_refused(run(), Code::policy_refused, "engine.config");
}

TEST_F(SessionTest, WarnsInEveryVerdictWhereX25519IsAllowed) {
  policy_.kems = {KemId::x_wing, KemId::x25519};
  const auto key = run();
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key().id(), KemId::x_wing);
  EXPECT_EQ(outcome(checks_, "channel.post-quantum"), CheckOutcome::warn);
}

TEST_F(SessionTest, RefusesX25519UnlessListedByName) {
  use_keys({.kems = {KemId::x25519}});
  expect_refused(run(), Code::policy_refused, "channel.suites");
  policy_.kems = {KemId::x25519};
  const auto key = run();
  ASSERT_TRUE(key);
  EXPECT_EQ(key->public_key().id(), KemId::x25519);
  EXPECT_EQ(outcome(checks_, "channel.post-quantum"), CheckOutcome::warn);
}

TEST_F(SessionTest, TakesTheFirstKeyItAccepts) {
  use_keys({.kems = {KemId::x25519, KemId::x_wing}});
  EXPECT_EQ(run().value().public_key().id(), KemId::x_wing);
  policy_.kems = {KemId::x_wing, KemId::x25519};
  EXPECT_EQ(run().value().public_key().id(), KemId::x25519);
}

TEST_F(SessionTest, TakesTheCurrentKeyAndKnowsTheOneInGrace) {
  const KeyFingerprint before = run().value().fingerprint();
  clock_.advance(1h);
  drawn_ = now();
  ASSERT_TRUE(keys_->update(random_, now()));
  list_keys();
  const auto key = run();
  ASSERT_TRUE(key);
  EXPECT_NE(key->fingerprint(), before);
  EXPECT_TRUE(key->lists(before));

  clock_.advance(10min);
  drawn_ = now();
  ASSERT_TRUE(keys_->update(random_, now()));
  list_keys();
  EXPECT_FALSE(run().value().lists(before));
}

TEST_F(SessionTest, KeyOfAnotherWorkerIsNotListedEvenWithTheSameBytes) {
  const auto key = run();
  ASSERT_TRUE(key);
  KeyFingerprint foreign = key->fingerprint();
  foreign.worker[0] ^= std::byte{1};
  EXPECT_FALSE(key->lists(foreign));
}

TEST_F(SessionTest, PrefersAes256ThenChaChaAndNeverTakesAes128) {
  const auto with = [&](std::vector<AeadId> aeads) {
    const auto ring = keys_->ring();
    const auto list = crypto::parse_key_list(ring->encoded()).value();
    const Bytes config = crypto::encode_key_config(list[0].key_id, KemId::x_wing, list[0].public_key.bytes(), aeads);
    statement_.keys = crypto::encode_key_list(std::span(&config, 1));
    return run();
  };
  EXPECT_EQ(with({AeadId::chacha20_poly1305, AeadId::aes_128_gcm, AeadId::aes_256_gcm}).value().aead(),
            AeadId::aes_256_gcm);
  EXPECT_EQ(with({AeadId::aes_128_gcm, AeadId::chacha20_poly1305}).value().aead(), AeadId::chacha20_poly1305);
  expect_refused(with({AeadId::aes_128_gcm}), Code::policy_refused, "channel.suites");
}

TEST_F(SessionTest, RefusesAKeyListThatIsBrokenAnywhere) {
  statement_.keys.push_back(std::byte{0});
  expect_refused(run(), Code::evidence_malformed, "channel.keys");
}

TEST_F(SessionTest, RefusesAWorkerThatDoesNotPadUnlessToldOtherwise) {
  statement_.features = {"other"};
  expect_refused(run(), Code::policy_refused, "channel.padding");
  policy_.padding = Demand::if_present;
  ASSERT_TRUE(run());
  EXPECT_EQ(outcome(checks_, "channel.padding"), CheckOutcome::warn);
}

TEST_F(SessionTest, RefusesAnotherTlsKeyThanTheStatementNames) {
  peer_ = PeerKey{filled<32>(0x34)};
  expect_refused(run(), Code::policy_refused, "channel.tls-binding");
  peer_ = PeerKey{};
  expect_refused(run(), Code::policy_refused, "channel.tls-binding");
  peer_.reset();
  ASSERT_TRUE(run());
  EXPECT_EQ(outcome(checks_, "channel.tls-binding"), CheckOutcome::skip);
}

TEST_F(SessionTest, RefusesAStatementWithoutATlsKeyWhereOneIsDemanded) {
  statement_.tls_spki_sha256.reset();
  ASSERT_TRUE(run());
  EXPECT_EQ(outcome(checks_, "channel.tls-binding"), CheckOutcome::skip);
  policy_.tls_binding = Demand::required;
  expect_refused(run(), Code::policy_refused, "channel.tls-binding");
}

TEST_F(SessionTest, StatementsLifeCountsFromTheNonceByOurClock) {
  // The host's clock is years behind; only the difference of the statement's two times means anything.
  statement_.issued_at = test::noon() - 10000h;
  statement_.expires_at = statement_.issued_at + 20min;
  clock_.advance(19min);
  const auto key = run();
  ASSERT_TRUE(key);
  EXPECT_EQ(key->not_after(), drawn_.wall + 20min);
  EXPECT_EQ(key->deadline(), drawn_.boot + 20min);
  clock_.advance(1min);
  expect_refused(run(), Code::policy_refused, "session.life");
}

TEST_F(SessionTest, EndsWithTheEarliestOfItsGrounds) {
  EXPECT_EQ(run().value().not_after(), drawn_.wall + 1h) << "the age allowed, before the statement's 70 minutes";
  policy_.max_age = 5min;
  EXPECT_EQ(run().value().not_after(), drawn_.wall + 5min);
  policy_.max_age = 1h;
  appraisal_.max_age = 3min;
  EXPECT_EQ(run().value().not_after(), now().wall + 3min);
  EXPECT_EQ(run().value().deadline(), now().boot + 3min);
  appraisal_.max_age = 1h;
  appraisal_.expires = now().wall + 2min;
  EXPECT_EQ(run().value().not_after(), now().wall + 2min);
}

TEST_F(SessionTest, JudgedAgainItDoesNotGetOlderThanItsNonceAllows) {
  const AttestationDocument document = attest();
  clock_.advance(59min);
  const auto again = establish_from(document);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->deadline(), drawn_.boot + 1h);
}

TEST_F(SessionTest, IsExpiredAtItsEndOnEitherClock) {
  const auto key = run();
  ASSERT_TRUE(key);
  const auto expired = [&](Now at) {
    const auto usable = key->usable(at);
    return !usable && usable.error().code() == Code::expired;
  };
  const Now start = now();
  EXPECT_FALSE(expired({start.wall + 1h - 1s, start.boot + 1h - 1s}));
  EXPECT_TRUE(expired({start.wall + 1h, start.boot}));
  EXPECT_TRUE(expired({start.wall, start.boot + 1h}));
  EXPECT_TRUE(expired({start.wall - 24h, start.boot + 1h})) << "a wall clock set back gives no time";
}

TEST_F(SessionTest, RefusesWhereAnEarlierCheckOfTheListHasFailed) {
  const AttestationDocument document = attest();
  const auto worker = trust(document, appraisal_, now());
  checks_.require("policy.root", false, "", "", "");
  expect_refused(establish_with(worker, document), Code::policy_refused, "policy.root");
}

}  // namespace
}  // namespace waxwing::exchange
