// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway/engine.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../net/net_test.hpp"
#include "waxwing/gateway/sources.hpp"

namespace waxwing::gateway {
namespace {

using namespace std::chrono_literals;
using net::Deadline;
using net::Task;
using nlohmann::json;

TEST(EngineAddress, ReachFollowsFromTheAddress) {
  const auto reach = [](std::string_view url) { return parse_engine(url, RemoteEngine::allow)->reach; };
  EXPECT_EQ(reach("builtin"), EngineReach::builtin);
  EXPECT_EQ(reach("unix:/run/engine.sock"), EngineReach::unix_socket);
  EXPECT_EQ(reach("http://127.0.0.1:8000"), EngineReach::loopback);
  EXPECT_EQ(reach("http://[::1]:8000"), EngineReach::loopback);
  EXPECT_EQ(reach("http://localhost:8000"), EngineReach::loopback);
  EXPECT_EQ(reach("https://engine.example"), EngineReach::remote);
  EXPECT_EQ(reach("https://10.0.0.1"), EngineReach::remote);
}

TEST(EngineAddress, RemoteMustBeAllowedByName) {
  EXPECT_FALSE(parse_engine("https://engine.example", RemoteEngine::refuse));
  EXPECT_TRUE(parse_engine("https://engine.example", RemoteEngine::allow));
}

TEST(EngineAddress, RemoteMustBeEncrypted) {
  EXPECT_FALSE(parse_engine("http://engine.example", RemoteEngine::allow));
}

TEST(EngineAddress, ReachOfAConnection) {
  EXPECT_EQ(reach_of({"", 0}), EngineReach::unix_socket);
  EXPECT_EQ(reach_of({"127.8.8.8", 1}), EngineReach::loopback);
  EXPECT_EQ(reach_of({"::1", 1}), EngineReach::loopback);
  EXPECT_EQ(reach_of({"::ffff:127.0.0.1", 1}), EngineReach::loopback);
  EXPECT_EQ(reach_of({"10.0.0.1", 1}), EngineReach::remote);
  EXPECT_EQ(reach_of({"::ffff:10.0.0.1", 1}), EngineReach::remote);
  EXPECT_EQ(reach_of({"engine.example", 1}), EngineReach::remote);
}

class BuiltinTest : public net::NetTest {
 protected:
  struct Answer {
    int status = 0;
    std::string body;
  };
  Task<> ask_into(Engine& engine, std::string method, std::string target, std::string body, Answer& answer) {
    {
      WAXWING_CO_ASSIGN(auto lease, co_await engine.connect(net::Reuse::allowed));
      net::RequestHead head{
          .method = std::move(method), .target = std::move(target), .fields = {{"host", "localhost"}}};
      WAXWING_CO_TRY(lease->start(head, net::BodyLength::known(body.size())));
      if (!body.empty()) WAXWING_CO_TRY(lease->send({as_bytes(body)}));
      WAXWING_CO_TRY(lease->finish());
      WAXWING_CO_TRY(co_await lease->read_head(Deadline::none()));
      answer.status = lease->response().status;
      WAXWING_CO_ASSIGN(const Bytes bytes, co_await lease->read_whole_body(SIZE_MAX, Deadline::none()));
      answer.body = as_text(bytes);
    }
    co_return co_await engine.close();
  }
  Answer ask(std::string method, std::string target, std::string body = {}) {
    const auto engine = Engine::make(loop, {}).value();
    Answer answer;
    expect_ok(ask_into(*engine, std::move(method), std::move(target), std::move(body), answer));
    return answer;
  }
  json chat(const json& request) { return json::parse(ask("POST", "/v1/chat/completions", request.dump()).body); }
};

const json kMessages = json::array({{{"role", "user"}, {"content", "what is the weather in Oslo"}}});

TEST_F(BuiltinTest, SaysWhatItIsInEveryAnswer) {
  const json answer = chat({{"model", kBuiltinModel}, {"messages", kMessages}});
  const std::string text = answer["choices"][0]["message"]["content"];
  EXPECT_TRUE(text.contains("not a language model")) << text;
  EXPECT_EQ(answer["model"], kBuiltinModel);
}

TEST_F(BuiltinTest, IsDeterministic) {
  const json request = {{"model", kBuiltinModel}, {"messages", kMessages}};
  EXPECT_EQ(chat(request), chat(request));
}

TEST_F(BuiltinTest, StreamsTheSameTextWithUsageWhereAsked) {
  json request = {{"model", kBuiltinModel}, {"messages", kMessages}};
  const std::string whole = chat(request)["choices"][0]["message"]["content"];
  request["stream"] = true;
  request["stream_options"] = {{"include_usage", true}};
  std::string body = ask("POST", "/v1/chat/completions", request.dump()).body;
  std::string text;
  json usage;
  for (std::size_t end = 0; (end = body.find("\n\n")) != std::string::npos; body.erase(0, end + 2)) {
    const std::string data = body.substr(6, end - 6);
    if (data == "[DONE]") break;
    const json chunk = json::parse(data);
    if (chunk["choices"].empty()) usage = chunk["usage"];
    if (!chunk["choices"].empty()) text += chunk["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(text, whole);
  EXPECT_GT(usage["completion_tokens"], 0);
}

TEST_F(BuiltinTest, CallsAToolWhereOneIsWanted) {
  const json tool = {
      {"type", "function"},
      {"function",
       {{"name", "weather"},
        {"parameters",
         {{"type", "object"},
          {"properties", {{"city", {{"type", "string"}}}, {"days", {{"type", json::array({"integer", "null"})}}}}},
          {"required", json::array({"city", "days"})}}}}}};
  json request = {{"model", kBuiltinModel}, {"messages", kMessages}, {"tools", json::array({tool})}};
  json choice = chat(request)["choices"][0];
  EXPECT_EQ(choice["finish_reason"], "tool_calls");
  EXPECT_EQ(choice["message"]["tool_calls"][0]["function"]["name"], "weather");
  EXPECT_TRUE(
      json::parse(choice["message"]["tool_calls"][0]["function"]["arguments"].get<std::string>()).contains("city"));
  request["tool_choice"] = "none";
  EXPECT_EQ(chat(request)["choices"][0]["finish_reason"], "stop");
}

TEST_F(BuiltinTest, RefusesWhatItDoesNotServe) {
  EXPECT_EQ(ask("POST", "/v1/embeddings", "{}").status, 404);
  EXPECT_EQ(ask("GET", "/v1/models/gpt").status, 404);
  EXPECT_EQ(ask("POST", "/v1/chat/completions", "not json").status, 400);
  EXPECT_EQ(ask("POST", "/v1/chat/completions", R"({"messages":[]})").status, 400);
  EXPECT_EQ(ask("POST", "/v1/chat/completions", R"({"model":"gpt","messages":[{"role":"user"}]})").status, 404);
  EXPECT_EQ(ask("POST", "/v1/completions", R"({"model":"waxwing-builtin","prompt":"a b"})").status, 200);
}

TEST_F(BuiltinTest, ListsItsModel) {
  EXPECT_EQ(json::parse(ask("GET", "/v1/models").body)["data"][0]["id"], kBuiltinModel);
  EXPECT_EQ(ask("GET", "/v1/models/waxwing-builtin").status, 200);
}

/// Connects to one place, whatever it is asked for.
class FixedDialer final : public net::Dialer {
 public:
  FixedDialer(net::Loop& loop, net::Origin origin) : direct_(loop), origin_(std::move(origin)) {}
  Task<net::StreamPtr> dial(net::DialTarget /*target*/, Deadline deadline) override {
    return direct_.dial({origin_, std::nullopt}, deadline);
  }

 private:
  net::DirectDialer direct_;
  net::Origin origin_;
};

class GuardedDialerTest : public net::NetTest {};

TEST_F(GuardedDialerTest, RefusesAConnectionFartherThanStated) {
  net::Acceptor acceptor = net::listen_on_loopback(loop);
  FixedDialer anywhere(loop, net::origin_of(acceptor, net::Scheme::http));
  GuardedDialer unix_only(anywhere, EngineReach::unix_socket);
  GuardedDialer loopback(anywhere, EngineReach::loopback);
  const auto dial = [](net::Dialer& dialer) -> Task<> {
    WAXWING_CO_TRY(co_await dialer.dial({}, Deadline::none()));
    co_return Result<void>();
  };
  const auto refused = run(dial(unix_only));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::forbidden);
  EXPECT_TRUE(run(dial(loopback)));
}

TEST(Sources, AreAddressesOrPrefixes) {
  EXPECT_EQ(source_of({"10.1.2.3", 5}), source_of({"10.1.2.3", 6}));
  EXPECT_NE(source_of({"10.1.2.3", 5}), source_of({"10.1.2.4", 5}));
  EXPECT_EQ(source_of({"2001:db8::1", 5}), source_of({"2001:db8::2", 5}));
  EXPECT_NE(source_of({"2001:db8:0:1::1", 5}), source_of({"2001:db8:0:2::1", 5}));
  EXPECT_NE(source_of({"::ffff:10.1.2.3", 5}), source_of({"::ffff:10.1.2.4", 5}));
  EXPECT_EQ(source_of({"", 0}), "unix");
}

TEST(MinuteCounters, ForgetAfterAMinuteAndNeverGrowBeyondTheirBound) {
  MinuteCounter counter(2, 10);
  const BootTime now{1h};
  counter.count("a", now);
  EXPECT_FALSE(counter.exceeded("a", now));
  counter.count("a", now);
  EXPECT_TRUE(counter.exceeded("a", now));
  EXPECT_FALSE(counter.exceeded("b", now));
  EXPECT_FALSE(counter.exceeded("a", now + 61s));
  for (int i = 0; i < 1000; ++i) counter.count("flood" + std::to_string(i), now);
  EXPECT_LE(counter.size(), 10U);
  EXPECT_TRUE(counter.exceeded("one more", now));  // those beyond the bound share a counter
  EXPECT_TRUE(counter.exceeded("a", now));
}

TEST(RunningCounters, CountForAsLongAsTheyAreHeld) {
  RunningCounter counter(1);
  {
    const auto first = counter.enter("a");
    EXPECT_TRUE(first);
    EXPECT_FALSE(counter.enter("a"));
    EXPECT_TRUE(counter.enter("b"));
  }
  EXPECT_TRUE(counter.enter("a"));
}

}  // namespace
}  // namespace waxwing::gateway
