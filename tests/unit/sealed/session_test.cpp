// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// The way the product goes: from an attested session key to the ring of a worker's keys.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <utility>

#include "../exchange/samples.hpp"
#include "support.hpp"
#include "support/simulated_worker.hpp"
#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/exchange/session.hpp"
#include "waxwing/exchange/worker_keys.hpp"

namespace waxwing::test {
namespace {

using namespace std::chrono_literals;

class SealedSession : public testing::Test {
 protected:
  [[nodiscard]] Now now() const { return clock_.now(); }

  std::shared_ptr<const exchange::SessionKey> establish() {
    exchange::Statement statement = full_statement();
    statement.tls_spki_sha256.reset();
    statement.worker = keys_.ring()->worker();
    statement.keys = keys_.ring()->encoded();
    statement.issued_at = now().wall;
    statement.expires_at = now().wall + keys_.ring()->life(now());
    const auto nonce = filled<32>(0xa5);
    const auto document = SimulatedWorker::shared().attest(exchange::encode_statement(statement).value(), nonce);
    const auto policy = SimulatedWorker::shared().policy();

    evidence::Checklist checks;
    const auto wire = exchange::parse_snp_endorsements(document.evidence[0].endorsements, Limits::evidence()).value();
    const auto report = evidence::sev_snp::parse_unverified(document.evidence[0].data).value();
    const auto endorsements =
        evidence::sev_snp::Endorsements::from_der(wire.chain, std::nullopt, Limits::evidence()).value();
    const auto verified = evidence::sev_snp::verify(report, endorsements, policy.roots, now().wall,
                                                    evidence::sev_snp::CrlPolicy::if_present, checks);
    const auto trusted = appraisal::appraise(verified.value(), policy, now(), checks).value();
    return std::make_shared<const exchange::SessionKey>(
        exchange::establish(trusted, {.document = document, .nonce = nonce, .drawn = now(), .peer = std::nullopt}, {},
                            now(), checks)
            .value());
  }

  sealed::WorkerExchange worker() { return {keys_.ring(), keys_.ring()->worker(), now(), kNoLimit}; }

  FakeClock clock_{SimulatedWorker::time()};
  CountingRandom random_;
  exchange::WorkerKeys keys_ = exchange::WorkerKeys::create({}, random_, now()).value();
};

TEST_F(SealedSession, CarriesARequestAndItsAnswer) {
  const auto key = establish();
  sealed::RequestComposer request(sealed::ClientExchange::begin(*key, now(), random_).value());
  request.head({"POST", "https", "", "/v1/messages", {{"waxwing-pad", "256"}}}).value();
  request.content(text("{}")).value();
  request.finish().value();

  sealed::RequestReader reader(worker());
  ByteView wire = request.wire().view();
  EXPECT_EQ(reader.next(wire, sealed::Input::ended)->event, sealed::MessageEvent::head);
  EXPECT_EQ(as_text(reader.next(wire, sealed::Input::ended)->content), "{}");
  EXPECT_EQ(reader.next(wire, sealed::Input::ended)->event, sealed::MessageEvent::end);

  auto answer = reader.answer(random_);
  answer.head({200, {{"content-type", "text/event-stream"}}}).value();
  answer.content(text("data: 1\n\n")).value();
  answer.finish().value();
  sealed::AnswerReader opened(request.response(), sealed::AnswerPadding::padded);
  wire = answer.wire().view();
  EXPECT_EQ(opened.next(wire, sealed::Input::ended)->event, sealed::MessageEvent::head);
  EXPECT_EQ(as_text(opened.next(wire, sealed::Input::ended)->content), "data: 1\n\n");
  EXPECT_EQ(opened.next(wire, sealed::Input::ended)->event, sealed::MessageEvent::end);
}

TEST_F(SealedSession, ARequestToAKeyPastItsGraceIsAKeyError) {
  const auto key = establish();
  auto client = sealed::ClientExchange::begin(*key, now(), random_).value();
  const Bytes request = seal_all(client, std::array{text("x")});
  auto open = worker();
  EXPECT_TRUE(open_all(open, request).complete);
  clock_.advance(2h);
  keys_.update(random_, now()).value();
  auto late = worker();
  EXPECT_EQ(open_all(late, request).failure, Code::key_unknown);
}

TEST_F(SealedSession, NothingIsSealedToAKeyPastItsEnd) {
  const auto key = establish();
  sealed::ContextPool pool(key, 4);
  EXPECT_EQ(pool.refill(1, now(), random_), 1U);
  clock_.advance(2h);
  EXPECT_EQ(sealed::ClientExchange::begin(*key, now(), random_).error().code(), Code::expired);
  EXPECT_EQ(pool.begin(now(), random_).error().code(), Code::expired);
  EXPECT_EQ(pool.refill(1, now(), random_), 0U);
}

TEST_F(SealedSession, ThePoolHandsEachContextOutOnceAndMakesMoreWhenEmpty) {
  sealed::ContextPool pool(establish(), 3);
  EXPECT_EQ(pool.refill(2, now(), random_), 2U);
  EXPECT_EQ(pool.refill(10, now(), random_), 1U);
  EXPECT_EQ(pool.ready(), 3U);
  std::vector<Bytes> headers;
  for (int i = 0; i < 5; ++i) {
    auto client = pool.begin(now(), random_).value();
    auto open = worker();
    EXPECT_TRUE(open_all(open, seal_all(client, std::array{text("x")})).complete);
    headers.push_back(to_bytes(client.header()));
  }
  std::ranges::sort(headers);
  EXPECT_EQ(std::ranges::adjacent_find(headers), headers.end());
  EXPECT_EQ(pool.ready(), 0U);
}

}  // namespace
}  // namespace waxwing::test
