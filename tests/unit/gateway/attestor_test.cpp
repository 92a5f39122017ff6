// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway/attestor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "../net/net_test.hpp"
#include "support/scripted_random.hpp"

namespace waxwing::gateway {
namespace {

using namespace std::chrono_literals;
using net::Deadline;
using net::Task;

/// Hardware that answers when the test lets it; its evidence is the REPORTDATA it was given.
class ScriptedReporter final : public Reporter {
 public:
  explicit ScriptedReporter(net::Loop& loop) : loop_(loop) {}
  Task<Evidence> report(ReportData report_data) override {
    asked.push_back(loop_.now());
    if (hold) static_cast<void>(co_await go_on.wait(Deadline::none()));
    if (broken) co_return fail(Code::io, "the hardware is busy");
    Evidence evidence;
    evidence.item = {"test", to_bytes(report_data), "null"};
    evidence.report_id = report_ids.front();
    if (report_ids.size() > 1) report_ids.pop_front();
    co_return evidence;
  }

 private:
  net::Loop& loop_;

 public:
  net::Event go_on{loop_};
  bool hold = false;
  bool broken = false;
  std::deque<ByteArray<32>> report_ids{ByteArray<32>{}};
  std::vector<BootTime> asked;
};

class Attestation : public net::NetTest {
 protected:
  using Answers = std::vector<Result<std::string>>;

  ~Attestation() override {
    group.cancel_all();
    loop.poll();
  }

  Attestor make(AttestorOptions options = {}) {
    StatementFacts facts;
    facts.build = "test";
    return {loop,
            reporter,
            exchange::WorkerKeys::create(key_options, random, clock.now()).value(),
            std::move(facts),
            options,
            random,
            log};
  }
  static Task<> ask_into(Attestor& attestor, exchange::Nonce nonce, std::string source, Answers& answers) {
    auto answer = co_await attestor.attest(nonce, std::move(source));
    answers.push_back(std::move(answer));
    co_return Result<void>();
  }
  void ask(Attestor& attestor, exchange::Nonce nonce, std::string source, Answers& answers) {
    group.spawn(ask_into(attestor, nonce, std::move(source), answers));
  }
  void run(Attestor& attestor) { group.spawn(attestor.run()); }
  void ends() {
    group.cancel_all();
    while (group.running() != 0) loop.poll();
  }
  static exchange::Nonce nonce(std::uint8_t first, std::uint16_t rest = 0) {
    exchange::Nonce out{};
    out[0] = std::byte{first};
    out[1] = static_cast<std::byte>(rest >> 8U);
    out[2] = static_cast<std::byte>(rest & 0xffU);
    return out;
  }
  static std::size_t count_ok(const Answers& answers) {
    return static_cast<std::size_t>(std::ranges::count_if(answers, [](const auto& a) { return a.has_value(); }));
  }

  static exchange::Statement statement_of(const Result<std::string>& answer) {
    return exchange::parse_statement(exchange::parse_document(*answer, Limits::evidence())->statement).value();
  }

  test::CountingRandom random{5};
  observe::NullLogger log;
  exchange::WorkerKeysOptions key_options;
  ScriptedReporter reporter{loop};
  net::TaskGroup group{loop};
};

TEST_F(Attestation, IdleGatewayAnswersAtOnce) {
  Attestor attestor = make();
  Answers answers;
  run(attestor);
  loop.poll();
  ask(attestor, nonce(1), "a", answers);
  loop.poll();
  EXPECT_EQ(count_ok(answers), 1U);
  ends();
}

TEST_F(Attestation, DocumentBindsNonceAndStatement) {
  Attestor attestor = make();
  Answers answers;
  run(attestor);
  ask(attestor, nonce(1), "a", answers);
  ask(attestor, nonce(2), "a", answers);
  ask(attestor, nonce(3), "a", answers);
  loop.poll();
  clock.advance(1s);
  loop.sweep();
  loop.poll();
  ASSERT_EQ(count_ok(answers), 3U);
  for (std::uint8_t i = 0; i < 3; ++i) {
    const auto document = exchange::parse_document(*answers[i], Limits::evidence()).value();
    const auto root = exchange::nonce_root(nonce(static_cast<std::uint8_t>(i + 1)), document.nonce_path).value();
    EXPECT_EQ(document.evidence[0].data, to_bytes(exchange::report_data(root, document.statement)));
    const auto statement = exchange::parse_statement(document.statement).value();
    EXPECT_EQ(statement.worker, attestor.ring()->worker());
    EXPECT_EQ(statement.keys, attestor.ring()->encoded());
  }
  ends();
}

TEST_F(Attestation, QuestionsDuringAReportShareTheNext) {
  Attestor attestor = make();
  Answers answers;
  run(attestor);
  reporter.hold = true;
  ask(attestor, nonce(1), "a", answers);
  loop.poll();
  ASSERT_EQ(reporter.asked.size(), 1U);
  for (std::uint8_t i = 2; i < 12; ++i) ask(attestor, nonce(i), "a", answers);
  loop.poll();
  EXPECT_EQ(reporter.asked.size(), 1U);
  reporter.hold = false;
  reporter.go_on.signal();
  loop.poll();
  EXPECT_EQ(answers.size(), 1U);
  clock.advance(500ms);
  loop.sweep();
  loop.poll();
  EXPECT_EQ(reporter.asked.size(), 2U);
  EXPECT_EQ(count_ok(answers), 11U);
  ends();
}

TEST_F(Attestation, BurstOfTenThousandKeepsToTheRateAndServesEverySource) {
  Attestor attestor = make();
  Answers answers;
  Answers honest;
  run(attestor);
  for (std::uint16_t i = 0; i < 10'000; ++i) ask(attestor, nonce(9, i), "flood", answers);
  ask(attestor, nonce(1), "honest", honest);
  const BootTime begin = loop.now();
  for (int step = 0; step < 20 && honest.empty(); ++step) {
    loop.poll();
    clock.advance(250ms);
    loop.sweep();
  }
  loop.poll();
  EXPECT_EQ(count_ok(honest), 1U);
  EXPECT_EQ(answers.size(), 10'000U);
  EXPECT_LE(count_ok(answers), 2 * AttestorOptions{}.waiting_per_source);
  const auto seconds = std::chrono::duration<double>(loop.now() - begin).count();
  EXPECT_LE(static_cast<double>(reporter.asked.size()), 1 + 2 * seconds);
  for (std::size_t i = 1; i < reporter.asked.size(); ++i) EXPECT_GE(reporter.asked[i] - reporter.asked[i - 1], 500ms);
  for (const auto& answer : answers) {
    if (!answer) EXPECT_EQ(answer.error().code(), Code::rate_limited);
  }
  EXPECT_EQ(attestor.waiting(), 0U);
  ends();
}

TEST_F(Attestation, ManySourcesMayNotFillMoreThanTheBound) {
  Attestor attestor = make({.reports_per_second = 2, .waiting_nonces = 100, .waiting_per_source = 64});
  Answers answers;
  reporter.hold = true;
  run(attestor);
  ask(attestor, nonce(1), "first", answers);
  loop.poll();
  for (std::uint16_t i = 0; i < 500; ++i) ask(attestor, nonce(2, i), "s" + std::to_string(i), answers);
  loop.poll();
  EXPECT_EQ(attestor.waiting(), 100U);
  EXPECT_EQ(answers.size(), 401U);
  reporter.hold = false;
  reporter.go_on.signal();
  loop.poll();
  pass(500ms);
  loop.poll();
  EXPECT_EQ(count_ok(answers), 100U);
  EXPECT_EQ(attestor.waiting(), 0U);
  ends();
}

TEST_F(Attestation, StatementFollowsTheKeys) {
  key_options.rotation = 1h;
  Attestor attestor = make();
  run(attestor);
  Answers answers;
  ask(attestor, nonce(1), "a", answers);
  loop.poll();
  const auto before = attestor.ring();
  pass(1h);
  loop.poll();
  EXPECT_NE(attestor.ring()->version(), before->version());
  ask(attestor, nonce(2), "a", answers);
  loop.poll();
  ASSERT_EQ(count_ok(answers), 2U);
  const auto first = statement_of(answers[0]);
  const auto second = statement_of(answers[1]);
  EXPECT_EQ(first.worker, second.worker);
  EXPECT_EQ(second.keys, attestor.ring()->encoded());
  EXPECT_NE(first.keys, second.keys);
  EXPECT_LE(second.life(), before->life(clock.now()) + 2h);
  ends();
}

TEST_F(Attestation, StatementLivesNoLongerThanItsKeys) {
  Attestor attestor = make();
  run(attestor);
  Answers answers;
  ask(attestor, nonce(1), "a", answers);
  loop.poll();
  pass(30min);
  loop.poll();
  ask(attestor, nonce(2), "a", answers);
  loop.poll();
  ASSERT_EQ(count_ok(answers), 2U);
  const auto first = statement_of(answers[0]);
  const auto second = statement_of(answers[1]);
  EXPECT_EQ(first.life() - second.life(), 30min);
  ends();
}

TEST_F(Attestation, ChangedReportIdReplacesWorkerAndKeysBeforeAnyAnswer) {
  Attestor attestor = make();
  run(attestor);
  Answers answers;
  ask(attestor, nonce(1), "a", answers);
  loop.poll();
  const auto before = attestor.ring();
  reporter.report_ids = {ByteArray<32>{std::byte{1}}};
  clock.advance(1s);
  ask(attestor, nonce(2), "a", answers);
  loop.poll();
  EXPECT_EQ(answers.size(), 1U);  // the report that showed it is thrown away
  pass(500ms);
  loop.poll();
  ASSERT_EQ(count_ok(answers), 2U);
  EXPECT_EQ(attestor.stats().replaced, 1U);
  EXPECT_NE(attestor.ring()->worker(), before->worker());
  EXPECT_FALSE(attestor.ring()->knows(before->worker(), clock.now()));
  const auto statement = statement_of(answers[1]);
  EXPECT_EQ(statement.worker, attestor.ring()->worker());
  ends();
}

TEST_F(Attestation, FailedReportIsToldToAllWhoWaitAndTheNextSucceeds) {
  Attestor attestor = make();
  run(attestor);
  Answers answers;
  reporter.broken = true;
  ask(attestor, nonce(1), "a", answers);
  ask(attestor, nonce(2), "b", answers);
  loop.poll();
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(answers[0].error().code(), Code::io);
  EXPECT_EQ(attestor.waiting(), 0U);
  reporter.broken = false;
  ask(attestor, nonce(3), "a", answers);
  loop.poll();
  pass(500ms);
  loop.poll();
  EXPECT_EQ(count_ok(answers), 1U);
  ends();
}

TEST_F(Attestation, BeginShowsThatEvidenceCanBeHad) {
  Attestor attestor = make();
  reporter.broken = true;
  const auto begin = [](Attestor& of) -> Task<> {
    auto evidence = co_await of.begin();
    if (!evidence) co_return std::unexpected(std::move(evidence).error());
    co_return Result<void>();
  };
  EXPECT_FALSE(NetTest::run(begin(attestor)));
  reporter.broken = false;
  clock.advance(1s);
  EXPECT_TRUE(NetTest::run(begin(attestor)));
}

TEST_F(Attestation, QuestionThatIsGivenUpIsForgotten) {
  Attestor attestor = make();
  reporter.hold = true;
  run(attestor);
  Answers answers;
  {
    net::TaskGroup client(loop);
    client.spawn(ask_into(attestor, nonce(1), "a", answers));
    loop.poll();
    client.cancel_all();
    while (client.running() != 0) loop.poll();
  }
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].error().code(), Code::cancelled);
  reporter.hold = false;
  reporter.go_on.signal();
  loop.poll();
  EXPECT_EQ(attestor.waiting(), 0U);
  ends();
}

}  // namespace
}  // namespace waxwing::gateway
