// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/listener/local_api.hpp"

#include <functional>
#include <nlohmann/json.hpp>

#include "unit/net/net_test.hpp"
#include "waxwing/crypto/random.hpp"
#include "waxwing/net/http_client.hpp"
#include "waxwing/observe/log.hpp"
#include "waxwing/observe/metrics.hpp"

namespace waxwing::listener {
namespace {

using net::BodyLength;
using net::BodyPiece;
using net::Deadline;
using net::Sent;
using nlohmann::json;
using namespace std::chrono_literals;

/// Stands for a provider; what it does with a call is the test's.
class FakeInference final : public Inference {
 public:
  using Behaviour = std::function<net::Task<>(Call, net::BodySource&, net::AnswerSink&)>;
  Behaviour behaviour;
  int calls = 0;
  std::string anchor_label;

  net::Task<> run(Call call, net::BodySource& source, net::AnswerSink& sink) override {
    ++calls;
    return behaviour(std::move(call), source, sink);
  }
  net::Task<std::string> models(const net::Fields& /*caller*/) override {
    co_return std::string(R"({"object":"list","data":[{"id":"m/1"}]})");
  }
  [[nodiscard]] Readiness readiness() const override { return {.ready = false, .json = R"({"ready":false})"}; }
  [[nodiscard]] std::string label() const override { return anchor_label; }
};

net::Task<> read_all(net::BodySource& source, std::string& body) {
  while (true) {
    WAXWING_CO_ASSIGN(const BodyPiece piece, source.try_read());
    if (piece.state == BodyPiece::State::end) co_return Result<void>{};
    if (piece.state == BodyPiece::State::blocked) co_return fail(Code::internal, "the test sends whole bodies");
    body += as_text(piece.bytes);
  }
}

net::Task<> start_events(net::AnswerSink& sink, std::string_view events) {
  const net::ResponseHead head{.status = 200, .minor_version = 1, .fields = {{"content-type", "text/event-stream"}}};
  WAXWING_CO_TRY(sink.start(head, BodyLength::chunked()));
  const ByteView part = as_bytes(events);
  WAXWING_CO_TRY(sink.send({&part, 1}));
  co_return Result<void>{};
}

struct Answer {
  int status = 0;
  net::Fields fields;
  std::string body;
  bool cut = false;  ///< the connection ended without an end of the body
};

class LocalApiTest : public net::NetTest {
 protected:
  /// One request over a real connection.
  Answer ask(std::string method, std::string target, net::Fields fields, std::string body) {
    Answer answer;
    expect_ok(exchange(answer, std::move(method), std::move(target), std::move(fields), std::move(body)));
    return answer;
  }
  Answer chat(std::string body, net::Fields fields = {{"content-type", "application/json"}}) {
    fields.add("host", "localhost");
    return ask("POST", "/v1/chat/completions", std::move(fields), std::move(body));
  }

  FakeInference inference;
  observe::NullLogger log;
  observe::Registry metrics;
  crypto::SystemRandom random;
  LocalApi api{inference, {}, random, log, metrics};
  net::HttpServer server{loop, api, api.server_options()};

 private:
  net::Task<> exchange(Answer& answer, std::string method, std::string target, net::Fields fields, std::string body) {
    WAXWING_CO_ASSIGN(auto pair, net::make_stream_pair(loop));
    net::TaskGroup serving(loop);
    serving.spawn(server.serve_stream(std::move(pair.first)));
    auto done = co_await client_side(std::move(pair.second), answer, std::move(method), std::move(target),
                                     std::move(fields), std::move(body));
    (void)co_await serving.join(Deadline::none());
    co_return done;
  }
  static net::Task<> client_side(net::StreamPtr stream, Answer& answer, std::string method, std::string target,
                                 net::Fields fields, std::string body) {
    net::ClientConnection client(std::move(stream), {});
    if (!fields.find("host")) fields.add("host", "localhost");
    const net::RequestHead head{.method = method, .target = target, .minor_version = 1, .fields = std::move(fields)};
    WAXWING_CO_TRY(client.start(head, body.empty() ? BodyLength::none() : BodyLength::known(body.size())));
    if (!body.empty()) WAXWING_CO_TRY(client.send({as_bytes(body)}));
    WAXWING_CO_TRY(client.finish());
    WAXWING_CO_TRY(co_await client.flush(Deadline::none()));
    WAXWING_CO_TRY(co_await client.read_head(Deadline::none()));
    answer.status = client.response().status;
    answer.fields = client.response().fields;
    while (true) {
      auto piece = co_await client.read_body(Deadline::none());
      if (!piece) {
        answer.cut = true;
        break;
      }
      if (piece->state == BodyPiece::State::end) break;
      answer.body += as_text(piece->bytes);
    }
    co_return Result<void>{};
  }
};

TEST_F(LocalApiTest, RelaysWhatTheProviderAnswersWithItsOwnIds) {
  std::string seen;
  inference.behaviour = [&](Call call, net::BodySource& source, net::AnswerSink& sink) -> net::Task<> {
    EXPECT_EQ(call.method, "POST");
    EXPECT_EQ(call.target, "/v1/chat/completions");
    WAXWING_CO_TRY(co_await read_all(source, seen));
    WAXWING_CO_TRY(co_await start_events(sink, "data: 1\n\n"));
    WAXWING_CO_TRY(sink.finish());
    co_return co_await sink.flush(Deadline::none());
  };
  const Answer answer = chat(R"({"model":"m","stream":true})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.cut);
  EXPECT_EQ(answer.body, "data: 1\n\n");
  EXPECT_EQ(seen, R"({"model":"m","stream":true})");
  EXPECT_TRUE(answer.fields.find("x-request-id")->starts_with("req_"));
  EXPECT_EQ(answer.fields.find("request-id"), answer.fields.find("x-request-id"));
  EXPECT_FALSE(answer.fields.find("waxwing-verdict")) << "only the session that answered knows its label";
}

TEST_F(LocalApiTest, TurnsAnErrorBeforeTheAnswerIntoATypedOne) {
  inference.behaviour = [](Call, net::BodySource&, net::AnswerSink&) -> net::Task<> {
    co_return std::unexpected(Error(Code::worker_changed, "its key is gone").with_retry_after(7s));
  };
  const Answer answer = chat(R"({"model":"m"})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(*answer.fields.find("x-should-retry"), "true");
  EXPECT_EQ(*answer.fields.find("retry-after"), "7");
  EXPECT_EQ(json::parse(answer.body)["error"]["code"], "worker_changed");
}

TEST_F(LocalApiTest, EndsABrokenStreamWithAnErrorEventAndNoCleanEnd) {
  inference.behaviour = [](Call, net::BodySource&, net::AnswerSink& sink) -> net::Task<> {
    WAXWING_CO_TRY(co_await start_events(sink, "data: 1\n\ndata: half"));
    co_return fail(Code::answer_cut, "the worker's answer ended early");
  };
  const Answer answer = chat(R"({"model":"m","stream":true})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.cut);
  EXPECT_TRUE(answer.body.starts_with("data: 1\n\ndata: {\"error\"")) << answer.body;
  EXPECT_TRUE(answer.body.ends_with("\n\n"));
}

TEST_F(LocalApiTest, PassesOnWholeEventsOnlyHoweverTheyArrive) {
  const std::string events = "data: one\n\n: note\n\ndata: two\r\n\r\ndata: three\n\n";
  for (std::size_t at = 1; at < events.size(); ++at) {
    inference.behaviour = [&](Call, net::BodySource& source, net::AnswerSink& sink) -> net::Task<> {
      std::string body;
      WAXWING_CO_TRY(co_await read_all(source, body));
      WAXWING_CO_TRY(co_await start_events(sink, std::string_view(events).substr(0, at)));
      const ByteView rest = as_bytes(events).subspan(at);
      WAXWING_CO_TRY(sink.send({&rest, 1}));
      const ByteView unended = as_bytes("data: at the end");
      WAXWING_CO_TRY(sink.send({&unended, 1}));
      WAXWING_CO_TRY(sink.finish());
      co_return co_await sink.flush(Deadline::none());
    };
    const Answer answer = chat(R"({"model":"m"})");
    EXPECT_FALSE(answer.cut);
    EXPECT_EQ(answer.body, events + "data: at the end") << "cut at " << at;
  }
}

TEST_F(LocalApiTest, RefusesABodyThatTwoReadersWouldReadDifferently) {
  inference.behaviour = [](Call, net::BodySource& source, net::AnswerSink&) -> net::Task<> {
    std::string body;
    co_return co_await read_all(source, body);
  };
  for (const char* body :
       {R"({"model":"a","mod\u0065l":"b"})", R"({"model":"a"} x)", R"([1])", R"({"model":)", "\xef\xbb\xbf{}"}) {
    const Answer answer = chat(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(json::parse(answer.body)["error"]["code"], "bad_request") << body;
  }
}

TEST_F(LocalApiTest, SendsNothingOnForRequestsItRefuses) {
  inference.behaviour = [](Call, net::BodySource&, net::AnswerSink&) -> net::Task<> { co_return Result<void>{}; };
  EXPECT_EQ(chat("{}", {{"content-type", "text/plain"}}).status, 400);
  EXPECT_EQ(chat("{}", {{"content-type", "application/json"}, {"origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(ask("POST", "/v1/unknown", {{"content-type", "application/json"}}, "{}").status, 404);
  EXPECT_EQ(ask("GET", "/v1/chat/completions", {}, "").status, 404);
  EXPECT_EQ(ask("POST", "/v1/chat/../chat/completions", {{"content-type", "application/json"}}, "{}").status, 400);
  EXPECT_EQ(inference.calls, 0);
}

TEST_F(LocalApiTest, ServesModelsAndHealth) {
  inference.anchor_label = "SIMULATED";
  const Answer models = ask("GET", "/v1/models", {}, "");
  EXPECT_EQ(json::parse(models.body)["object"], "list");
  EXPECT_EQ(*models.fields.find("waxwing-verdict"), "accepted; label=\"SIMULATED\"");
  EXPECT_EQ(json::parse(ask("GET", "/v1/models/m%2F1", {}, "").body)["id"], "m/1");
  EXPECT_EQ(ask("GET", "/v1/models/other", {}, "").status, 404);
  EXPECT_EQ(ask("GET", "/healthz", {}, "").status, 200);
  EXPECT_EQ(ask("GET", "/readyz", {}, "").status, 503);
  EXPECT_EQ(inference.calls, 0);
}

TEST_F(LocalApiTest, AnswersAnthropicClientsInTheirShape) {
  inference.behaviour = [](Call, net::BodySource&, net::AnswerSink&) -> net::Task<> {
    co_return fail(Code::policy_refused, "wrong measurement");
  };
  const Answer answer =
      ask("POST", "/v1/messages", {{"content-type", "application/json"}, {"anthropic-version", "2023-06-01"}},
          R"({"model":"m"})");
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(*answer.fields.find("x-should-retry"), "false");
  EXPECT_EQ(json::parse(answer.body)["type"], "error");
}

}  // namespace
}  // namespace waxwing::listener
