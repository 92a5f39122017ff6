// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gateway_scene.hpp"

namespace waxwing::gateway {
namespace {

using nlohmann::json;

constexpr std::string_view kChat = R"({"model":"waxwing-builtin","messages":[{"role":"user","content":"say hello"}]})";
constexpr std::string_view kStreamedChat =
    R"({"model":"waxwing-builtin","stream":true,"messages":[{"role":"user","content":"say hello"}]})";

Task<> respond_text(net::ServerConnection& connection, std::string text) {
  co_return co_await connection.respond(200, {{"content-type", "text/plain"}}, as_bytes(text), Deadline::none());
}

class Gateways : public GatewayTest {
 public:
  Task<> whole() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    WAXWING_CO_ASSIGN(const Reply reply, co_await ask(key, chat_head(), std::string(kChat)));
    EXPECT_EQ(reply.outer, 200);
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(reply.broken);
    EXPECT_EQ(reply.field("content-type"), "application/json");
    EXPECT_TRUE(json::parse(reply.body)["choices"][0]["message"]["content"].get<std::string>().ends_with("say hello"));
    co_return Result<void>();
  }

  Task<> padded_stream() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    WAXWING_CO_ASSIGN(const Reply reply, co_await ask(key, chat_head(), std::string(kStreamedChat), Pad::yes));
    EXPECT_EQ(reply.status, 200);
    EXPECT_FALSE(reply.broken);
    EXPECT_TRUE(reply.body.ends_with("data: [DONE]\n\n")) << reply.body;
    EXPECT_EQ(reply.body.find("waxwing-pad"), std::string::npos);
    co_return Result<void>();
  }

  Task<> replay() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    auto [sealed, again] = seal_twice(*key, chat_head(), kChat);
    WAXWING_CO_ASSIGN(const Reply first, co_await send(key->worker(), std::move(sealed)));
    EXPECT_EQ(first.status, 200);
    WAXWING_CO_ASSIGN(const Reply second, co_await send(key->worker(), std::move(again)));
    EXPECT_EQ(second.outer, 200);
    EXPECT_EQ(second.status, 409);
    co_return Result<void>();
  }

  Task<> same_id() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    const sealed::RequestHead head = chat_head();
    WAXWING_CO_ASSIGN(const Reply first, co_await ask(key, head, std::string(kChat)));
    WAXWING_CO_ASSIGN(const Reply second, co_await ask(key, head, std::string(kChat)));
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(second.status, 409);
    co_return Result<void>();
  }

  Task<> old_date() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    sealed::RequestHead head = chat_head();
    head.fields[0].value = to_http_date(clock.now().wall - 5min);
    WAXWING_CO_ASSIGN(const Reply reply, co_await ask(key, head, std::string(kChat)));
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(json::parse(reply.body)["type"], provider::native::kProblemTypeDate);
    EXPECT_EQ(reply.field("date"), to_http_date(clock.now().wall));
    co_return Result<void>();
  }

  Task<> no_id() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    sealed::RequestHead head = chat_head();
    head.fields.erase(head.fields.begin() + 1);
    WAXWING_CO_ASSIGN(const Reply reply, co_await ask(key, head, std::string(kChat)));
    EXPECT_EQ(reply.status, 400);
    co_return Result<void>();
  }

  Task<> unopened() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    exchange::WorkerId other = key->worker();
    other[0] ^= std::byte{1};
    WAXWING_CO_ASSIGN(const Reply misdirected, co_await send(other, seal(*key, chat_head(), kChat)));
    EXPECT_EQ(misdirected.outer, 421);

    Sealed unknown = seal(*key, chat_head(), kChat);
    unknown.wire[0] ^= std::byte{1};
    WAXWING_CO_ASSIGN(const Reply no_key, co_await send(key->worker(), std::move(unknown)));
    EXPECT_EQ(no_key.outer, 422);
    EXPECT_EQ(json::parse(no_key.outer_body)["type"], "https://iana.org/assignments/http-problem-types#ohttp-key");

    Sealed damaged = seal(*key, chat_head(), kChat);
    damaged.wire.back() ^= std::byte{1};
    WAXWING_CO_ASSIGN(const Reply not_opened, co_await send(key->worker(), std::move(damaged)));
    EXPECT_EQ(not_opened.outer, 400);
    Sealed cut = seal(*key, chat_head(), kChat);
    cut.wire.pop_back();
    WAXWING_CO_ASSIGN(const Reply shortened, co_await send(key->worker(), std::move(cut)));
    EXPECT_EQ(shortened.outer, 400);
    EXPECT_EQ(shortened.outer_body, not_opened.outer_body);
    co_return Result<void>();
  }

  Task<> outer_errors() {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    const std::string path = exchange::request_path(key->worker());
    WAXWING_CO_ASSIGN(const Reply get, co_await plain("GET", path));
    EXPECT_EQ(get.outer, 405);
    WAXWING_CO_ASSIGN(const Reply type, co_await plain("POST", path, {{"content-type", "message/ohttp-req"}}));
    EXPECT_EQ(type.outer, 415);
    WAXWING_CO_ASSIGN(const Reply worker, co_await plain("POST", path + "AA"));
    EXPECT_EQ(worker.outer, 404);
    WAXWING_CO_ASSIGN(const Reply nonce, co_await plain("GET", "/.well-known/waxwing/attestation?nonce=AAAA"));
    EXPECT_EQ(nonce.outer, 400);
    WAXWING_CO_ASSIGN(const Reply none, co_await plain("GET", "/.well-known/waxwing/attestation"));
    EXPECT_EQ(none.outer, 400);
    WAXWING_CO_ASSIGN(const Reply other, co_await plain("GET", "/v1/models"));
    EXPECT_EQ(other.outer, 404);
    co_return Result<void>();
  }

  Task<> paths(std::vector<std::string> refused) {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    for (const std::string& path : refused) {
      sealed::RequestHead head = chat_head();
      head.path = path;
      WAXWING_CO_ASSIGN(const Reply reply, co_await ask(key, head, std::string(kChat)));
      EXPECT_TRUE(reply.status == 404 || reply.status == 400) << path << " " << reply.status;
    }
    co_return Result<void>();
  }

  /// One question to whichever engine runs; its reply.
  Task<> one(Reply& reply, std::string body, Pad pad = Pad::no) {
    WAXWING_CO_ASSIGN(const auto key, co_await attest());
    WAXWING_CO_ASSIGN(reply, co_await ask(key, chat_head(), std::move(body), pad));
    co_return Result<void>();
  }
  Reply reply_of(std::string body = std::string(kChat), Pad pad = Pad::no) {
    Reply reply;
    play(one(reply, std::move(body), pad));
    return reply;
  }
};

TEST_F(Gateways, AnswersWholeChat) {
  start();
  play(whole());
  EXPECT_EQ(gateway->stats().answered, 1U);
}

TEST_F(Gateways, StreamsPaddedEvents) {
  start();
  play(padded_stream());
}

TEST_F(Gateways, RefusesReplayInsideTheSeal) {
  start();
  play(replay());
  EXPECT_EQ(gateway->stats().answered, 1U);
}

TEST_F(Gateways, RunsARequestIdOnce) {
  start();
  play(same_id());
  EXPECT_EQ(gateway->stats().answered, 1U);
}

TEST_F(Gateways, RefusesOldDateAndTellsItsOwn) {
  start();
  play(old_date());
}

TEST_F(Gateways, RefusesRequestWithoutId) {
  start();
  play(no_id());
}

TEST_F(Gateways, TellsNothingOfWhatDoesNotOpen) {
  start();
  play(unopened());
  EXPECT_EQ(gateway->stats().not_opened, 2U);
}

TEST_F(Gateways, RefusesOtherMethodsTypesAndPathsInTheClear) {
  start();
  play(outer_errors());
}

TEST_F(Gateways, PassesOnlyTheEndpointTable) {
  start();
  play(paths({"/metrics", "/v1/chat/completions/../../metrics", "/v1//chat/completions", "/v1/chat%2fcompletions",
              "//v1/chat/completions", "/", "/v1/chat/completions/"}));
  EXPECT_EQ(gateway->stats().answered, 0U);
}

TEST_F(Gateways, PassesExtraPathsByMethodAndPath) {
  std::string seen;
  const std::string url = serve_engine([&seen](net::ServerConnection& connection) {
    seen = connection.request().method + " " + connection.request().target;
    return respond_text(connection, "ok");
  });
  GatewayOptions options;
  options.extra_paths = {parse_extra_path("POST /tokenize").value()};
  start(url, std::move(options));
  const auto client = [](Gateways& self) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    sealed::RequestHead head = self.chat_head();
    head.path = "/tokenize?x=1";
    WAXWING_CO_ASSIGN(const Reply reply, co_await self.ask(key, head, "{}"));
    EXPECT_EQ(reply.status, 200);
    head = self.chat_head();
    head.method = "GET";
    head.path = "/tokenize";
    WAXWING_CO_ASSIGN(const Reply other, co_await self.ask(key, head, ""));
    EXPECT_EQ(other.status, 404);
    co_return Result<void>();
  };
  play(client(*this));
  EXPECT_EQ(seen, "POST /tokenize?x=1");
}

TEST_F(Gateways, PassesFewFieldsEitherWay) {
  std::vector<std::string> seen;
  const std::string url = serve_engine([&seen](net::ServerConnection& connection) -> Task<> {
    for (const auto& [name, value] : connection.request().fields) seen.emplace_back(name);
    return connection.respond(200,
                              {{"content-type", "application/json"},
                               {"server", "engine"},
                               {"set-cookie", "a=b"},
                               {"access-control-allow-origin", "*"},
                               {"x-request-id", "r1"}},
                              as_bytes("{}"), Deadline::none());
  });
  start(url);
  const auto client = [](Gateways& self) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    sealed::RequestHead head = self.chat_head();
    head.fields.push_back({"cookie", "secret"});
    head.fields.push_back({"user-agent", "app/1"});
    head.fields.push_back({"waxwing-cache-scope", "scope"});
    head.fields.push_back({"authorization", "Bearer key"});
    WAXWING_CO_ASSIGN(const Reply reply, co_await self.ask(key, head, "{}"));
    EXPECT_EQ(reply.fields, (sealed::Fields{{"content-type", "application/json"}, {"x-request-id", "r1"}}));
    co_return Result<void>();
  };
  play(client(*this));
  std::ranges::sort(seen);
  EXPECT_EQ(seen,
            (std::vector<std::string>{"accept-encoding", "authorization", "content-length", "content-type", "host"}));
}

TEST_F(Gateways, UnreachableEngineIsAnAnswerInsideTheSeal) {
  std::string url;
  {
    const net::Acceptor closed = net::listen_on_loopback(loop);
    url = net::origin_of(closed, net::Scheme::http).to_string();
  }
  start(url);
  const Reply reply = reply_of();
  EXPECT_EQ(reply.outer, 200);
  EXPECT_EQ(reply.status, 503);
  EXPECT_FALSE(reply.field("retry-after").empty());
  EXPECT_FALSE(reply.broken);
}

TEST_F(Gateways, EngineThatClosesBeforeItsAnswerIsA502) {
  start(serve_engine([](net::ServerConnection& connection) -> Task<> {
    connection.abort();
    co_return Result<void>();
  }));
  EXPECT_EQ(reply_of().status, 502);
}

/// Begins an event stream and breaks off when told to.
Task<> die_in_the_middle(net::ServerConnection& connection, net::Event& now) {
  WAXWING_CO_TRY(
      connection.start({.status = 200, .minor_version = 1, .fields = {{"content-type", "text/event-stream"}}},
                       net::BodyLength::chunked()));
  WAXWING_CO_TRY(connection.send({as_bytes("data: one\n\n")}));
  WAXWING_CO_TRY(co_await connection.flush(Deadline::none()));
  static_cast<void>(co_await now.wait(Deadline::none()));
  connection.abort();
  co_return Result<void>();
}

TEST_F(Gateways, EngineThatDiesMidStreamLeavesAnAnswerWithoutEnd) {
  net::Event head_seen(loop);
  start(serve_engine([&](net::ServerConnection& connection) { return die_in_the_middle(connection, head_seen); }));
  const auto client = [](Gateways& self, net::Event& seen) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    const Sealed sealed = self.seal(*key, self.chat_head(), kStreamedChat);
    WAXWING_CO_ASSIGN(auto connection, co_await self.connect());
    WAXWING_CO_TRY(co_await self.upload(*connection, key->worker(), sealed.wire));
    WAXWING_CO_TRY(co_await connection->read_head(Deadline::none()));
    EXPECT_EQ(connection->response().status, 200);
    seen.signal();
    EXPECT_FALSE(co_await connection->read_whole_body(SIZE_MAX, Deadline::none()));
    co_return Result<void>();
  };
  play(client(*this, head_seen));
  EXPECT_EQ(gateway->stats().cut, 1U);
  EXPECT_EQ(gateway->stats().answered, 0U);
}

/// Never answers; notes when its client, the gateway, leaves.
Task<> wait_for_the_end(net::ServerConnection& connection, net::Event& begun, net::Event& left) {
  WAXWING_CO_TRY(co_await connection.read_whole_body(SIZE_MAX, Deadline::none()));
  net::Event gone(connection.loop());
  connection.on_peer_gone([&gone] { gone.signal(); });
  begun.signal();
  static_cast<void>(co_await gone.wait(Deadline::none()));
  left.signal();
  co_return Result<void>();
}

TEST_F(Gateways, ClientThatLeavesEndsTheEnginesWork) {
  net::Event begun(loop);
  net::Event left(loop);
  start(serve_engine([&](net::ServerConnection& connection) { return wait_for_the_end(connection, begun, left); }));
  const auto client = [](Gateways& self, net::Event& engine_begun, net::Event& engine_left) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    const Sealed sealed = self.seal(*key, self.chat_head(), kChat);
    WAXWING_CO_ASSIGN(auto connection, co_await self.connect());
    WAXWING_CO_TRY(co_await self.upload(*connection, key->worker(), sealed.wire));
    static_cast<void>(co_await engine_begun.wait(Deadline::none()));
    connection->abort();
    co_return net::to_result(co_await engine_left.wait(Deadline::none()), "waiting for the engine");
  };
  play(client(*this, begun, left));
}

/// Reads its request; `ended` tells whether it came to its end.
Task<> note_the_end(net::ServerConnection& connection, net::Event& begun, net::Event& over, bool& ended) {
  WAXWING_CO_TRY(co_await connection.read_body(Deadline::none()));
  begun.signal();
  const auto rest = co_await connection.read_whole_body(SIZE_MAX, Deadline::none());
  ended = rest.has_value();
  over.signal();
  co_return Result<void>();
}

TEST_F(Gateways, CutRequestNeverComesToItsEndAtTheEngine) {
  net::Event begun(loop);
  net::Event over(loop);
  bool ended = true;
  start(serve_engine([&](net::ServerConnection& connection) { return note_the_end(connection, begun, over, ended); }));
  const auto client = [](Gateways& self, net::Event& engine_begun, net::Event& engine_over) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    Sealed sealed = self.seal(*key, self.chat_head(), std::string(1U << 20U, 'x'));
    sealed.wire.resize(sealed.wire.size() - 100);  // of the last chunk
    // The outer request ends in good order: only the seal tells that something is missing.
    WAXWING_CO_ASSIGN(const Reply reply, co_await self.send(key->worker(), std::move(sealed)));
    EXPECT_EQ(reply.outer, 400);
    static_cast<void>(co_await engine_begun.wait(Deadline::none()));
    co_return net::to_result(co_await engine_over.wait(Deadline::none()), "waiting for the engine");
  };
  play(client(*this, begun, over));
  EXPECT_FALSE(ended);
}

TEST_F(Gateways, SilentEngineIsA504InsideTheSeal) {
  net::Event begun(loop);
  net::Event left(loop);
  engine_options.first_byte = 30s;
  start(serve_engine([&](net::ServerConnection& connection) { return wait_for_the_end(connection, begun, left); }));
  const auto client = [](Gateways& self, net::Event& engine_begun, net::Event& engine_left) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    Sealed sealed = self.seal(*key, self.chat_head(), kChat);
    WAXWING_CO_ASSIGN(auto connection, co_await self.connect());
    WAXWING_CO_TRY(co_await self.upload(*connection, key->worker(), sealed.wire));
    static_cast<void>(co_await engine_begun.wait(Deadline::none()));
    self.pass(31s);
    WAXWING_CO_ASSIGN(Reply reply, co_await read_outer(*connection));
    open_answer(reply, *std::move(sealed.opener), Pad::no);
    EXPECT_EQ(reply.status, 504);
    co_return net::to_result(co_await engine_left.wait(Deadline::none()), "waiting for the engine");
  };
  play(client(*this, begun, left));
}

TEST_F(Gateways, ConnectionThatTheEngineClosedWhileIdleIsReplaced) {
  int requests = 0;
  start(serve_engine([&requests](net::ServerConnection& connection) -> Task<> {
    // The second request on a connection is met with its end, as when a keep-alive runs out at that moment.
    if (++requests == 2) {
      connection.abort();
      co_return Result<void>();
    }
    co_return co_await connection.respond(200, {}, as_bytes("{}"), Deadline::none());
  }));
  const auto client = [](Gateways& self) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    for (int i = 0; i < 2; ++i) {
      WAXWING_CO_ASSIGN(const Reply reply, co_await self.ask(key, self.chat_head(), std::string(kChat)));
      EXPECT_EQ(reply.status, 200);
    }
    co_return Result<void>();
  };
  play(client(*this));
  EXPECT_EQ(requests, 3);
}

TEST_F(Gateways, EngineThatCompressesIsRefused) {
  start(serve_engine([](net::ServerConnection& connection) {
    return connection.respond(200, {{"content-encoding", "gzip"}}, as_bytes("x"), Deadline::none());
  }));
  EXPECT_EQ(reply_of().status, 502);
}

TEST_F(Gateways, EnginesOwnErrorsPassThrough) {
  start(serve_engine([](net::ServerConnection& connection) {
    return connection.respond(429, {{"retry-after", "7"}}, as_bytes("{}"), Deadline::none());
  }));
  const Reply reply = reply_of();
  EXPECT_EQ(reply.status, 429);
  EXPECT_EQ(reply.field("retry-after"), "7");
}

TEST_F(Gateways, LargeBodiesArriveWholeAtTheEngine) {
  std::size_t size = 0;
  start(serve_engine([&size](net::ServerConnection& connection) {
    const auto serve = [](net::ServerConnection& from, std::size_t& total) -> Task<> {
      WAXWING_CO_ASSIGN(const Bytes body, co_await from.read_whole_body(SIZE_MAX, Deadline::none()));
      total = body.size();
      co_return co_await from.respond(200, {}, {}, Deadline::none());
    };
    return serve(connection, size);
  }));
  EXPECT_EQ(reply_of(std::string(3U << 20U, 'x')).status, 200);
  EXPECT_EQ(size, 3U << 20U);
}

TEST_F(Gateways, BodiesBeyondTheLimitAreRefusedInsideTheSeal) {
  GatewayOptions options;
  options.body = 1U << 20U;
  start(serve_engine([](net::ServerConnection& connection) {
          const auto serve = [](net::ServerConnection& from) -> Task<> {
            WAXWING_CO_TRY(co_await from.read_whole_body(SIZE_MAX, Deadline::none()));
            co_return co_await from.respond(200, {}, {}, Deadline::none());
          };
          return serve(connection);
        }),
        std::move(options));
  EXPECT_EQ(reply_of(std::string(2U << 20U, 'x')).status, 413);
}

TEST_F(Gateways, EarlyAnswerOfTheEngineComesThrough) {
  start(serve_engine([](net::ServerConnection& connection) {
    return connection.respond(413, {{"content-type", "application/json"}}, as_bytes("{}"), Deadline::none());
  }));
  EXPECT_EQ(reply_of(std::string(1U << 20U, 'x')).status, 413);
}

TEST_F(Gateways, UnknownClientKeysAreRefusedInsideTheSeal) {
  GatewayOptions options;
  options.clients = ClientKeys::parse("alice:0123456789abcdef\n").value();
  start("builtin", std::move(options));
  const auto client = [](Gateways& self) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    WAXWING_CO_ASSIGN(const Reply none, co_await self.ask(key, self.chat_head(), std::string(kChat)));
    EXPECT_EQ(none.status, 401);
    sealed::RequestHead head = self.chat_head();
    head.fields.push_back({"authorization", "Bearer 0123456789abcdeF"});
    WAXWING_CO_ASSIGN(const Reply wrong, co_await self.ask(key, head, std::string(kChat)));
    EXPECT_EQ(wrong.status, 401);
    head = self.chat_head();
    head.fields.push_back({"authorization", "Bearer 0123456789abcdef"});
    WAXWING_CO_ASSIGN(const Reply known, co_await self.ask(key, head, std::string(kChat)));
    EXPECT_EQ(known.status, 200);
    co_return Result<void>();
  };
  play(client(*this));
}

TEST_F(Gateways, ClientKeyHasSoManyRequestsAMinute) {
  GatewayOptions options;
  options.clients = ClientKeys::parse("alice:0123456789abcdef\nbob:fedcba9876543210\n").value();
  options.requests_per_minute = 1;
  start("builtin", std::move(options));
  const auto client = [](Gateways& self) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    std::vector<int> statuses;
    for (const char* bearer : {"Bearer 0123456789abcdef", "Bearer 0123456789abcdef", "Bearer fedcba9876543210"}) {
      sealed::RequestHead head = self.chat_head();
      head.fields.push_back({"authorization", bearer});
      WAXWING_CO_ASSIGN(const Reply reply, co_await self.ask(key, head, std::string(kChat)));
      statuses.push_back(reply.status);
    }
    EXPECT_EQ(statuses, (std::vector{200, 429, 200}));
    co_return Result<void>();
  };
  play(client(*this));
}

TEST(ClientKeyFiles, HoldNameAndKey) {
  EXPECT_EQ(ClientKeys::parse("# clients\n\nalice:0123456789abcdef\r\n")->size(), 1U);
  EXPECT_FALSE(ClientKeys::parse(""));
  EXPECT_FALSE(ClientKeys::parse("alice"));
  EXPECT_FALSE(ClientKeys::parse(":0123456789abcdef"));
  EXPECT_FALSE(ClientKeys::parse("alice:short"));
}

TEST_F(Gateways, SourceWithManyFailedOpensIsRefusedUnread) {
  GatewayOptions options;
  options.failed_opens_per_minute = 2;
  start("builtin", std::move(options));
  const auto client = [](Gateways& self) -> Task<> {
    WAXWING_CO_ASSIGN(const auto key, co_await self.attest());
    std::vector<int> outer;
    for (int i = 0; i < 3; ++i) {
      Sealed damaged = self.seal(*key, self.chat_head(), kChat);
      damaged.wire.back() ^= std::byte{1};
      WAXWING_CO_ASSIGN(const Reply reply, co_await self.send(key->worker(), std::move(damaged)));
      outer.push_back(reply.outer);
    }
    EXPECT_EQ(outer, (std::vector{400, 400, 429}));
    self.clock.advance(61s);
    WAXWING_CO_ASSIGN(const Reply later, co_await self.ask(key, self.chat_head(), std::string(kChat)));
    EXPECT_EQ(later.status, 200);
    co_return Result<void>();
  };
  play(client(*this));
}

}  // namespace
}  // namespace waxwing::gateway
