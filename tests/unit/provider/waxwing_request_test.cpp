// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/provider/waxwing/request.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "support/scripted_random.hpp"
#include "support/simulated_worker.hpp"
#include "waxwing/exchange/worker_keys.hpp"
#include "waxwing/provider/waxwing/attestation.hpp"

namespace waxwing::provider::native {
namespace {

using namespace std::chrono_literals;
using test::SimulatedWorker;

constexpr std::string_view kSealed = "message/ohttp-chunked-res";
constexpr std::string_view kProblem = "application/problem+json";
constexpr std::string_view kDateProblem =
    R"({"type":"https://iana.org/assignments/http-problem-types#date","title":"date"})";

template <class T, class... Choices>
bool is(const std::variant<Choices...>& step) {
  return std::holds_alternative<T>(step);
}

/// The code and the pause of a Stop.
template <class... Choices>
std::pair<Code, std::optional<std::chrono::seconds>> stopped(const std::variant<Choices...>& step) {
  const Stop* stop = std::get_if<Stop>(&step);
  return stop == nullptr ? std::pair(Code::internal, std::optional<std::chrono::seconds>())
                         : std::pair(stop->error.code(), stop->retry_after);
}

class SealedRequestTest : public ::testing::Test {
 protected:
  /// A session with what `keys_` lists now.
  std::shared_ptr<const exchange::SessionKey> attest() {
    exchange::Statement s;
    s.worker = keys_.ring()->worker();
    s.keys = keys_.ring()->encoded();
    s.engine_reach = exchange::EngineReach::builtin;
    s.build = "test";
    s.features = {"pad-256"};
    s.issued_at = clock_.now().wall;
    s.expires_at = s.issued_at + 1h;
    auto question = AttestationQuestion::draw(random_, clock_.now());
    const std::string target = question.target();
    const auto nonce = exchange::parse_nonce(target.substr(target.find('=') + 1)).value();
    const auto document = SimulatedWorker::shared().attest(exchange::encode_statement(s).value(), nonce);
    const auto answer = std::move(question).answer(exchange::encode_document(document), PeerKey{});
    const appraisal::Policy policy = SimulatedWorker::shared().policy();
    return judge(answer, {.policy = policy, .roots = policy.roots, .client = {}}, clock_.now()).key.value();
  }
  SealedRequest request() { return {random_, session_->fingerprint(), AnswerPadding::padded, "scope"}; }
  static Result<const exchange::SessionKey*> fresh(const std::shared_ptr<const exchange::SessionKey>& key) {
    return key.get();
  }

  FakeClock clock_{SimulatedWorker::time()};
  test::CountingRandom random_;
  exchange::WorkerKeys keys_ = exchange::WorkerKeys::create({}, random_, clock_.now()).value();
  std::shared_ptr<const exchange::SessionKey> session_ = attest();
};

TEST_F(SealedRequestTest, AddsItsOwnFields) {
  SealedRequest sealed = request();
  EXPECT_EQ(sealed.inner_fields(SimulatedWorker::time()),
            (std::vector<Field>{{"date", "Tue, 24 Nov 2026 12:00:00 GMT"},
                                {"waxwing-request-id", exchange::encode_request_id(sealed.id())},
                                {"waxwing-pad", "256"},
                                {"waxwing-cache-scope", "scope"}}));
  const SealedRequest plain(random_, session_->fingerprint(), AnswerPadding::none, std::nullopt);
  EXPECT_EQ(plain.inner_fields(SimulatedWorker::time()).size(), 2U);
  EXPECT_NE(plain.id(), sealed.id());
}

TEST_F(SealedRequestTest, OpensOnlyASealedAnswer) {
  for (const std::string_view type :
       {kSealed, std::string_view("Message/OHTTP-chunked-res"), std::string_view("message/ohttp-chunked-res; x=1")}) {
    EXPECT_TRUE(is<OpenAnswer>(request().outer({200, type, {}}, BodyKept::yes))) << type;
  }
  for (const char* type : {"", "application/json", "message/ohttp-res", "message/ohttp-chunked-resx", "text/html"}) {
    EXPECT_EQ(stopped(request().outer({200, type, {}}, BodyKept::yes)).first, Code::worker_unreachable) << type;
  }
}

TEST_F(SealedRequestTest, OuterAnswersAreTypedAndNeverTheModels) {
  const std::vector<std::pair<int, Code>> rows = {
      {201, Code::worker_unreachable}, {204, Code::worker_unreachable}, {302, Code::worker_unreachable},
      {400, Code::worker_unreachable}, {401, Code::worker_unreachable}, {404, Code::worker_unreachable},
      {413, Code::too_large},          {429, Code::rate_limited},       {500, Code::worker_unreachable},
      {502, Code::worker_unreachable}, {503, Code::worker_unreachable}, {0, Code::worker_unreachable},
  };
  for (const auto& [status, code] : rows) {
    const auto step = request().outer({status, kSealed, 7s}, BodyKept::yes);
    EXPECT_EQ(stopped(step), std::pair(code, std::optional(7s))) << status;
  }
}

TEST_F(SealedRequestTest, AnUnprovenEdgeCannotSendAnAppAwayForLong) {
  EXPECT_EQ(stopped(request().outer({503, "", 999999h}, BodyKept::yes)).second, 300s);
  EXPECT_EQ(stopped(request().outer({429, "", -5s}, BodyKept::yes)).second, 0s);
  EXPECT_EQ(stopped(request().outer({503, "", {}}, BodyKept::yes)).second, std::nullopt);
}

TEST_F(SealedRequestTest, HintThatTheWorkersOwnListDeniesIsNotFollowed) {
  for (const int status : {421, 422}) {
    SealedRequest sealed = request();
    ASSERT_TRUE(is<Reattest>(sealed.outer({status, "", {}}, BodyKept::yes)));
    EXPECT_EQ(stopped(sealed.reattested(fresh(attest()))).first, Code::worker_unreachable);
  }
}

TEST_F(SealedRequestTest, HintIsNotFollowedWhileTheKeyIsInGrace) {
  SealedRequest sealed = request();
  clock_.advance(1h);
  ASSERT_TRUE(keys_.update(random_, clock_.now()));
  ASSERT_TRUE(is<Reattest>(sealed.outer({422, "", {}}, BodyKept::yes)));
  EXPECT_EQ(stopped(sealed.reattested(fresh(attest()))).first, Code::worker_unreachable);
}

TEST_F(SealedRequestTest, IsSentOnceMoreUnderTheSameIdWhenTheKeyIsProvenGone) {
  SealedRequest sealed = request();
  const exchange::RequestId id = sealed.id();
  ASSERT_TRUE(keys_.replace(random_, clock_.now()));
  ASSERT_TRUE(is<Reattest>(sealed.outer({421, "", {}}, BodyKept::yes)));
  const auto session = attest();
  EXPECT_TRUE(is<Resend>(sealed.reattested(fresh(session))));
  EXPECT_EQ(sealed.id(), id);

  // And not a third time.
  EXPECT_EQ(stopped(sealed.outer({421, "", {}}, BodyKept::yes)), std::pair(Code::worker_changed, std::optional(0s)));
}

TEST_F(SealedRequestTest, BodyThatWasNotKeptEndsAsATryForTheApp) {
  SealedRequest sealed = request();
  ASSERT_TRUE(keys_.replace(random_, clock_.now()));
  ASSERT_TRUE(is<Reattest>(sealed.outer({422, "", {}}, BodyKept::no)));
  EXPECT_EQ(stopped(sealed.reattested(fresh(attest()))), std::pair(Code::worker_changed, std::optional(0s)));
}

TEST_F(SealedRequestTest, FailedAttestationIsTheRequestsEnd) {
  SealedRequest sealed = request();
  ASSERT_TRUE(is<Reattest>(sealed.outer({421, "", {}}, BodyKept::yes)));
  EXPECT_EQ(stopped(sealed.reattested(fail(Code::policy_refused, "no"))).first, Code::policy_refused);
}

TEST_F(SealedRequestTest, DateIsCorrectedOnce) {
  SealedRequest sealed = request();
  const InnerAnswer refusal{400, kProblem, "Tue, 24 Nov 2026 15:30:00 GMT"};
  ASSERT_TRUE(is<ReadProblem>(sealed.inner(refusal, BodyKept::yes)));
  ASSERT_TRUE(is<Resend>(sealed.problem(kDateProblem)));
  EXPECT_EQ(sealed.inner_fields(clock_.now().wall)[0].value, "Tue, 24 Nov 2026 15:30:00 GMT");
  EXPECT_TRUE(is<Deliver>(sealed.inner(refusal, BodyKept::yes))) << "the second refusal is the answer";
}

TEST_F(SealedRequestTest, OtherInnerAnswersAreTheApps) {
  const auto delivers = [&](const InnerAnswer& answer, BodyKept body) {
    return is<Deliver>(request().inner(answer, body));
  };
  constexpr std::string_view kDate = "Tue, 24 Nov 2026 15:30:00 GMT";
  EXPECT_TRUE(delivers({200, "application/json", kDate}, BodyKept::yes));
  EXPECT_TRUE(delivers({400, "application/json", kDate}, BodyKept::yes));
  EXPECT_TRUE(delivers({409, kProblem, kDate}, BodyKept::yes));
  EXPECT_TRUE(delivers({400, kProblem, ""}, BodyKept::yes));
  EXPECT_TRUE(delivers({400, kProblem, "yesterday"}, BodyKept::yes));
  EXPECT_TRUE(delivers({400, kProblem, kDate}, BodyKept::no));
}

TEST_F(SealedRequestTest, AnotherProblemIsTheApps) {
  for (const std::string_view problem :
       {std::string_view("{}"), std::string_view("[]"), std::string_view("not JSON"), std::string_view(R"({"type":7})"),
        std::string_view(R"({"type":"https://iana.org/assignments/http-problem-types#ohttp-key"})")}) {
    SealedRequest sealed = request();
    ASSERT_TRUE(is<ReadProblem>(sealed.inner({400, kProblem, "Tue, 24 Nov 2026 15:30:00 GMT"}, BodyKept::yes)));
    EXPECT_TRUE(is<Deliver>(sealed.problem(problem))) << problem;
    EXPECT_EQ(sealed.inner_fields(clock_.now().wall)[0].value, "Tue, 24 Nov 2026 12:00:00 GMT");
  }
  EXPECT_TRUE(is<Deliver>(request().problem(kDateProblem))) << "without a date on offer";
}

TEST(ForwardedFields, TellNothingOfTheAppsMachine) {
  for (const char* name :
       {"accept", "anthropic-beta", "anthropic-version", "authorization", "content-type", "openai-beta", "x-api-key"}) {
    EXPECT_TRUE(forwards_request_field(name)) << name;
  }
  for (const char* name : {"user-agent",
                           "x-stainless-os",
                           "x-stainless-lang",
                           "cookie",
                           "host",
                           "connection",
                           "content-length",
                           "transfer-encoding",
                           "expect",
                           "te",
                           "accept-encoding",
                           "x-forwarded-for",
                           "forwarded",
                           "origin",
                           "referer",
                           "date",
                           "waxwing-request-id",
                           "waxwing-pad",
                           "waxwing-cache-scope",
                           "openai-organization",
                           ""}) {
    EXPECT_FALSE(forwards_request_field(name)) << name;
  }
  for (const char* name : {"content-type", "retry-after", "x-request-id", "request-id"}) {
    EXPECT_TRUE(forwards_response_field(name)) << name;
  }
  for (const char* name : {"set-cookie", "server", "access-control-allow-origin", "content-length", "date", ""}) {
    EXPECT_FALSE(forwards_response_field(name)) << name;
  }
}

TEST(CacheScope, IsTheSameForOneKeyAndDiffersForAll) {
  const Secret<32> secret(ByteArray<32>{std::byte{1}});
  const Secret<32> other(ByteArray<32>{std::byte{2}});
  const std::string scope = cache_scope(secret, "p", "k");
  EXPECT_EQ(scope.size(), 22U);
  EXPECT_EQ(cache_scope(secret, "p", "k"), scope);
  EXPECT_NE(cache_scope(other, "p", "k"), scope);
  EXPECT_NE(cache_scope(secret, "pk", ""), scope);
  EXPECT_NE(cache_scope(secret, "", "pk"), cache_scope(secret, "pk", ""));
}

class ReattestGateTest : public ::testing::Test {
 protected:
  bool begins() { return is<ReattestGate::Begin>(gate_.hint(clock_.now())); }
  std::chrono::seconds pause() {
    const auto step = gate_.hint(clock_.now());
    const auto* pause = std::get_if<ReattestGate::Pause>(&step);
    return pause == nullptr ? 0s : pause->retry_after;
  }
  void finish(ReattestGate::Proved proved) { gate_.finished(proved, clock_.now()); }

  FakeClock clock_{SimulatedWorker::time()};
  ReattestGate gate_;
};

TEST_F(ReattestGateTest, OneAtATime) {
  ASSERT_TRUE(begins());
  EXPECT_TRUE(is<ReattestGate::Join>(gate_.hint(clock_.now())));
  EXPECT_TRUE(is<ReattestGate::Join>(gate_.hint(clock_.now())));
}

TEST_F(ReattestGateTest, PausesDoubleFromOneSecondToOneMinute) {
  for (const auto expected : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    ASSERT_TRUE(begins());
    finish(ReattestGate::Proved::nothing);
    EXPECT_EQ(pause(), expected);
    clock_.advance(expected - 1ns);
    EXPECT_EQ(pause(), 1s);
    clock_.advance(1ns);
  }
}

TEST_F(ReattestGateTest, ProvenChangeStartsOver) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(begins());
    finish(ReattestGate::Proved::nothing);
    clock_.advance(pause());
  }
  ASSERT_TRUE(begins());
  finish(ReattestGate::Proved::key_change);
  EXPECT_EQ(pause(), 1s);
}

TEST_F(ReattestGateTest, QuietMinuteStartsOver) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(begins());
    finish(ReattestGate::Proved::nothing);
    clock_.advance(pause());
  }
  clock_.advance(60s);
  ASSERT_TRUE(begins());
  finish(ReattestGate::Proved::nothing);
  EXPECT_EQ(pause(), 1s);
}

}  // namespace
}  // namespace waxwing::provider::native
