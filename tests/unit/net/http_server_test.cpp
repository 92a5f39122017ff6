// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <stdexcept>
#include <vector>

#include "net_test.hpp"
#include "waxwing/net/http_server.hpp"

namespace waxwing::net {
namespace {

/// Serves what the test asks for by path.
class Handler final : public RequestHandler {
 public:
  Task<> handle(ServerConnection& conn) override {
    ++started;
    const std::string path(conn.request().path());
    if (path == "/echo") return echo(conn);
    if (path == "/stream") return stream(conn);
    if (path == "/half") return half(conn);
    if (path == "/refuse") return refuse(conn);
    if (path == "/early") return conn.respond(413, {}, as_bytes("no"), Deadline::none());
    if (path == "/hang") return hang(conn, *this);
    if (path == "/throw") return throwing(conn);
    if (path == "/nothing") return nothing();
    return conn.respond(200, {{"content-type", "text/plain"}}, as_bytes("ok"), Deadline::none());
  }

  int started = 0;
  int gone = 0;
  Event release;
  explicit Handler(Loop& loop) : release(loop) {}

 private:
  static Task<> echo(ServerConnection& conn) {
    WAXWING_CO_ASSIGN(const Bytes body, co_await conn.read_whole_body(16U << 20U, Deadline::within(60s)));
    co_return co_await conn.respond(200, {}, body, Deadline::within(60s));
  }
  /// Passes pieces on as they come.
  static Task<> stream(ServerConnection& conn) {
    WAXWING_CO_TRY(conn.start({.status = 200, .fields = {}}, BodyLength::chunked()));
    for (;;) {
      WAXWING_CO_ASSIGN(const BodyPiece piece, co_await conn.read_body(Deadline::within(60s)));
      if (piece.state == BodyPiece::State::end) break;
      WAXWING_CO_ASSIGN(const Sent sent, conn.send({piece.bytes}));
      if (sent == Sent::blocked) WAXWING_CO_TRY(co_await conn.flush(Deadline::within(60s)));
    }
    WAXWING_CO_ASSIGN(const Sent sent, conn.finish());
    if (sent == Sent::blocked) WAXWING_CO_TRY(co_await conn.flush(Deadline::within(60s)));
    co_return Result<void>{};
  }
  static Task<> half(ServerConnection& conn) {
    WAXWING_CO_TRY(conn.start({.status = 200, .fields = {}}, BodyLength::chunked()));
    WAXWING_CO_TRY(conn.send({as_bytes("part")}));
    co_return fail(Code::answer_cut, "as planned");
  }
  static Task<> refuse(ServerConnection& /*conn*/) { co_return fail(Code::policy_refused, "as planned"); }
  static Task<> nothing() { co_return Result<void>{}; }
  static Task<> throwing(ServerConnection& conn) {
    if (conn.request().method == "GET") throw std::runtime_error("as planned");
    co_return Result<void>{};
  }
  static Task<> hang(ServerConnection& conn, Handler& self) {
    conn.on_peer_gone([&self] {
      ++self.gone;
      self.release.signal();
    });
    WAXWING_CO_TRY(to_result(co_await self.release.wait(Deadline::none()), "hanging"));
    if (conn.peer_is_gone()) co_return fail(Code::cancelled, "client left");
    co_return co_await conn.respond(200, {}, as_bytes("late"), Deadline::none());
  }
};

class HttpServerTest : public NetTest {
 protected:
  void TearDown() override {
    client.reset();
    loop.run();
    EXPECT_EQ(group.running(), 0U);
    EXPECT_EQ(server->stats().connections, 0U);
    EXPECT_EQ(server->stats().in_progress, 0U);
  }
  void serve(ServerOptions options = {}) {
    server = std::make_unique<HttpServer>(loop, handler, std::move(options));
    auto [near, far] = make_stream_pair(loop).value();
    client = std::move(near);
    group.spawn(server->serve_stream(std::move(far)));
    loop.poll();
  }
  /// Sends, lets the server work, and gives what has come back by then.
  std::string say(std::string_view text) {
    const ByteView bytes = as_bytes(text);
    if (client->is_open() && !bytes.empty()) EXPECT_TRUE(client->try_write({&bytes, 1}));
    loop.poll();
    return heard();
  }
  std::string heard() {
    std::string text;
    Bytes buffer(64U << 10U);
    for (;;) {
      const auto got = client->try_read(buffer);
      ended = !got || got->state == ReadResult::State::end;
      if (!got || got->state != ReadResult::State::data) return text;
      text += as_text(ByteView(buffer).first(got->size));
      loop.poll();
    }
  }

  Handler handler{loop};
  TaskGroup group{loop};
  std::unique_ptr<HttpServer> server;
  StreamPtr client;
  bool ended = false;
};

const std::string kDate = "date: Fri, 15 Jan 2027 08:00:00 GMT\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n" + kDate + "\r\nok";

std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  serve();
  EXPECT_EQ(say(get("/")), kOk);
  EXPECT_EQ(say(get("/")), kOk);
  EXPECT_FALSE(ended);
  EXPECT_EQ(server->stats().requests, 2U);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  serve();
  EXPECT_EQ(say(get("/") + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\r\n" + get("/")),
            kOk + "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n" + kDate + "\r\nabc" + kOk);
}

TEST_F(HttpServerTest, ReadsARequestOfSingleBytes) {
  serve();
  std::string heard_so_far;
  for (const char c : "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n") {
    if (c != '\0') heard_so_far += say(std::string_view(&c, 1));
  }
  EXPECT_TRUE(heard_so_far.ends_with("\r\n\r\nhi"));
}

TEST_F(HttpServerTest, ContinueIsSentWhenTheBodyIsAskedFor) {
  serve();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
  EXPECT_EQ(say(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(say("hi").ends_with("\r\n\r\nhi"));
}

TEST_F(HttpServerTest, NoContinueBeforeAnEarlyRefusal) {
  serve();
  const auto got = say("POST /early HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 413 ")) << got;
  EXPECT_TRUE(ended) << "whether the body will come is unknown, so the connection cannot go on";
}

TEST_F(HttpServerTest, OtherExpectationsAreRefused) {
  serve();
  EXPECT_TRUE(say("GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n").starts_with("HTTP/1.1 417 "));
}

TEST_F(HttpServerTest, Http10KnowsNoExpectations) {
  serve();
  const auto got = say("POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ")) << got;
  EXPECT_TRUE(got.ends_with("\r\n\r\nhi"));
}

TEST_F(HttpServerTest, LineEndAfterABodyIsNoBeginningOfAHead) {
  serve();
  EXPECT_EQ(say(get("/") + "\r\n"), kOk);
  pass(75s);
  EXPECT_EQ(say(""), "");
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, MalformedHeadsAreAnsweredAndEndTheConnection) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\nHost: a\n\n", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501"},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", "505"},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(70000, 'x'), "431"},
      {"\x16\x03\x01\x02\n", "400"},
  };
  for (const auto& [text, status] : cases) {
    serve();
    const auto got = say(text);
    EXPECT_TRUE(got.starts_with("HTTP/1.1 " + status + " ")) << text.substr(0, 80) << " -> " << got;
    EXPECT_NE(got.find("connection: close"), std::string::npos);
    EXPECT_TRUE(ended);
    client.reset();
    loop.run();
  }
  EXPECT_EQ(handler.started, 0);
}

TEST_F(HttpServerTest, ErrorBodyIsTheCallersToShape) {
  serve({.error_body = [](int status, const Error& error, const RequestHead* request) {
    return ErrorBody{"application/json",
                     std::to_string(status) + std::string(to_string(error.code())) + (request != nullptr ? "+" : "-"),
                     {{"x-should-retry", "false"}}};
  }});
  const auto got = say(get("/refuse"));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 403 ")) << got;
  EXPECT_NE(got.find("x-should-retry: false\r\ncontent-type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(got.ends_with("\r\n\r\n403policy_refused+"));
  EXPECT_FALSE(ended) << "a refusal is a response like any other";
  EXPECT_EQ(say(get("/")), kOk);
}

TEST_F(HttpServerTest, ExceptionsAndMissingResponsesAre500) {
  serve();
  EXPECT_TRUE(say(get("/throw")).starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(say(get("/nothing")).starts_with("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, FailureAfterTheHeadLeavesNoLastChunk) {
  serve();
  const auto got = say(get("/half"));
  EXPECT_TRUE(got.ends_with("\r\n\r\n4\r\npart\r\n")) << got;
  EXPECT_TRUE(ended);
  EXPECT_EQ(server->stats().aborted, 1U);
}

TEST_F(HttpServerTest, HeadRequestsGetNoBody) {
  serve();
  const auto got = say("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/"));
  EXPECT_EQ(got, kOk.substr(0, kOk.size() - 2) + kOk);
}

TEST_F(HttpServerTest, Http10GetsAnswersThatEndWithTheConnection) {
  serve();
  const auto got = say("POST /stream HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(got.find("chunked"), std::string::npos);
  EXPECT_TRUE(got.ends_with("\r\n\r\nabc")) << got;
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, ConnectionCloseIsHonoured) {
  serve();
  EXPECT_NE(say("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").find("connection: close"), std::string::npos);
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, BodyLimitHoldsForBothFramings) {
  serve({.body = 4});
  EXPECT_TRUE(say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n").starts_with("HTTP/1.1 413 "));
  client.reset();
  loop.run();
  EXPECT_EQ(handler.started, 0);
  serve({.body = 4});
  EXPECT_TRUE(say("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, BadChunksEndTheRequest) {
  serve();
  EXPECT_TRUE(
      say("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n").starts_with("HTTP/1.1 "));
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, UnreadBodyIsSkippedForTheNextRequest) {
  serve();
  EXPECT_EQ(say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'b') + get("/")),
            kOk + kOk);
}

TEST_F(HttpServerTest, EarlyAnswerToALargeUploadArrives) {
  serve();
  const std::string part(100'000, 'b');
  const auto got = say("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + part);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 413 ")) << got.substr(0, 100);
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, ClientThatLeavesIsNoticedAtOnce) {
  serve();
  EXPECT_EQ(say(get("/hang")), "");
  EXPECT_EQ(handler.gone, 0);
  client->close();
  loop.poll();
  EXPECT_EQ(handler.gone, 1);
  EXPECT_EQ(server->stats().aborted, 1U);
}

TEST_F(HttpServerTest, PipeliningClientIsNotTakenForGone) {
  serve();
  EXPECT_EQ(say(get("/hang") + get("/")), "");
  EXPECT_EQ(handler.gone, 0);
  handler.release.signal();
  const auto got = say("");
  EXPECT_NE(got.find("late"), std::string::npos);
  EXPECT_TRUE(got.ends_with(kOk));
}

TEST_F(HttpServerTest, SlowHeadMeetsItsDeadline) {
  serve();
  EXPECT_EQ(say("GET / HT"), "");
  pass(15s);
  EXPECT_EQ(say("TP/1.1\r\n"), "");
  pass(15s);
  EXPECT_TRUE(say("").starts_with("HTTP/1.1 408 "));
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, IdleConnectionIsClosedWithoutAWord) {
  serve();
  EXPECT_EQ(say(get("/")), kOk);
  pass(75s);
  EXPECT_EQ(say(""), "");
  EXPECT_TRUE(ended);
}

TEST_F(HttpServerTest, SlowBodyMeetsTheHandlersDeadline) {
  serve();
  EXPECT_EQ(say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na"), "");
  pass(60s);
  EXPECT_TRUE(say("").starts_with("HTTP/1.1 504 "));
}

TEST_F(HttpServerTest, OverloadIsTold) {
  serve({.requests = 0});
  const auto got = say(get("/"));
  EXPECT_TRUE(got.starts_with("HTTP/1.1 503 "));
  EXPECT_NE(got.find("retry-after: 1"), std::string::npos);
  EXPECT_EQ(handler.started, 0);
}

Task<> drain_and_note(HttpServer& server, Deadline deadline, bool& drained) {
  WAXWING_CO_TRY(co_await server.drain(deadline));
  drained = true;
  co_return Result<void>{};
}

TEST_F(HttpServerTest, DrainClosesIdleConnectionsAtOnce) {
  serve();
  EXPECT_EQ(say(get("/")), kOk);
  bool drained = false;
  group.spawn(drain_and_note(*server, loop.deadline_in(30s), drained));
  EXPECT_EQ(say(""), "");
  EXPECT_TRUE(ended);
  EXPECT_TRUE(drained);
}

TEST_F(HttpServerTest, DrainLetsRequestsFinishAndSaysClose) {
  serve();
  EXPECT_EQ(say(get("/hang")), "");
  bool drained = false;
  group.spawn(drain_and_note(*server, loop.deadline_in(30s), drained));
  loop.poll();
  EXPECT_FALSE(drained);
  handler.release.signal();
  const auto got = say("");
  EXPECT_NE(got.find("connection: close"), std::string::npos);
  EXPECT_TRUE(got.ends_with("late"));
  EXPECT_TRUE(drained);
}

TEST_F(HttpServerTest, DrainAbortsAtItsDeadline) {
  serve();
  EXPECT_EQ(say(get("/hang")), "");
  bool drained = false;
  group.spawn(drain_and_note(*server, loop.deadline_in(30s), drained));
  loop.poll();
  pass(30s);
  EXPECT_EQ(say(""), "");
  EXPECT_TRUE(ended);
  EXPECT_FALSE(drained) << "the handler has not ended yet";
  handler.release.signal();
  loop.run();
  EXPECT_TRUE(drained);
}

std::string pattern(std::size_t n) {
  std::string text(n, '\0');
  for (std::size_t i = 0; i < n; ++i) text[i] = static_cast<char>('a' + (i * 31 + i / 7919) % 26);
  return text;
}

Task<> upload(ClientConnection& client, const RequestHead& head, BodyLength length, const std::string& body) {
  WAXWING_CO_TRY(client.start(head, length));
  for (std::size_t at = 0; at < body.size(); at += 50'000) {
    WAXWING_CO_ASSIGN(const Sent sent, client.send({as_bytes(std::string_view(body).substr(at, 50'000))}));
    if (sent == Sent::blocked) WAXWING_CO_TRY(co_await client.stream().flush(Deadline::none()));
  }
  WAXWING_CO_ASSIGN(const Sent sent, client.finish());
  if (sent == Sent::blocked) WAXWING_CO_TRY(co_await client.stream().flush(Deadline::none()));
  co_return Result<void>{};
}

Task<> download(ClientConnection& client, const std::string& expected) {
  WAXWING_CO_TRY(co_await client.read_head(Deadline::none()));
  ASSERT_CO(client.response().status == 200);
  WAXWING_CO_ASSIGN(const Bytes body, co_await client.read_whole_body(16U << 20U, Deadline::none()));
  ASSERT_CO(as_text(body) == expected);
  co_return Result<void>{};
}

Task<> mebibyte_exchanges(Loop& loop, HttpServer& server, DialTarget target) {
  DirectDialer dialer(loop);
  WAXWING_CO_ASSIGN(StreamPtr stream, co_await dialer.dial(target, Deadline::none()));
  ClientConnection client(std::move(stream), {});
  const std::string body = pattern(1U << 20U);
  for (const auto* path : {"/echo", "/stream", "/stream"}) {
    for (const auto length : {BodyLength::known(body.size()), BodyLength::chunked()}) {
      const RequestHead head{.method = "POST", .target = path, .fields = {{"host", target.origin.host_field()}}};
      TaskGroup ends(loop, TaskGroup::OnFailure::cancel_others);
      ends.spawn(upload(client, head, length, body));
      ends.spawn(download(client, body));
      WAXWING_CO_TRY(co_await ends.join(Deadline::none()));
      ASSERT_CO(client.reusable());
    }
  }
  client.close();
  co_return co_await server.drain(Deadline::none());
}

class HttpServerOverTcpTest : public NetTest {
 protected:
  Handler handler{loop};
  HttpServer server{loop, handler, {}};
};

TEST_F(HttpServerOverTcpTest, CarriesMebibytesBothWaysPlain) {
  Acceptor acceptor = listen_on_loopback(loop);
  const DialTarget target{origin_of(acceptor, Scheme::http), std::nullopt};
  expect_ok(beside(loop, server.serve(std::move(acceptor), std::nullopt), mebibyte_exchanges(loop, server, target)));
  EXPECT_EQ(server.stats().requests, 6U);
  EXPECT_EQ(server.stats().accepted, 1U);
}

TEST_F(HttpServerOverTcpTest, CarriesMebibytesBothWaysOverTls) {
  const ServerIdentity identity = ServerIdentity::make();
  Acceptor acceptor = listen_on_loopback(loop);
  const DialTarget target{origin_of(acceptor, Scheme::https), TlsPeer{attested_client(), identity.spki}};
  expect_ok(
      beside(loop, server.serve(std::move(acceptor), identity.server()), mebibyte_exchanges(loop, server, target)));
  EXPECT_EQ(server.stats().requests, 6U);
}

Task<> one_too_many(Loop& loop, HttpServer& server, DialTarget target) {
  DirectDialer dialer(loop);
  WAXWING_CO_ASSIGN(const StreamPtr first, co_await dialer.dial(target, Deadline::none()));
  WAXWING_CO_TRY(co_await write_text(*first, get("/")));
  WAXWING_CO_TRY(co_await read_until(*first, "ok"));
  // Whether the dialer sees the reset already, or the first read does, is a race that both may win.
  if (const auto second = co_await dialer.dial(target, Deadline::none())) {
    Bytes buffer(1);
    ASSERT_CO(!(co_await (*second)->read_some(buffer, Deadline::none())));
  }
  ASSERT_CO(server.stats().refused == 1);
  co_return Result<void>{};
}

TEST_F(HttpServerOverTcpTest, ConnectionsBeyondTheLimitAreClosed) {
  HttpServer small(loop, handler, {.connections = 1});
  Acceptor acceptor = listen_on_loopback(loop);
  const DialTarget target{origin_of(acceptor, Scheme::http), std::nullopt};
  expect_ok(beside(loop, small.serve(std::move(acceptor), std::nullopt), one_too_many(loop, small, target)));
}

TEST_F(HttpServerOverTcpTest, ConnectionsPerSourceAreLimited) {
  HttpServer small(loop, handler, {.connections_per_source = 1});
  Acceptor acceptor = listen_on_loopback(loop);
  const DialTarget target{origin_of(acceptor, Scheme::http), std::nullopt};
  expect_ok(beside(loop, small.serve(std::move(acceptor), std::nullopt), one_too_many(loop, small, target)));
}

Task<> stop_in_the_middle(Loop& loop, HttpServer& server, DialTarget target) {
  DirectDialer dialer(loop);
  WAXWING_CO_ASSIGN(const StreamPtr client, co_await dialer.dial(target, Deadline::none()));
  WAXWING_CO_TRY(co_await write_text(*client, get("/hang")));
  while (server.stats().in_progress == 0) WAXWING_CO_TRY(co_await turn(loop));
  loop.stop();
  co_return Result<void>{};
}

TEST_F(HttpServerOverTcpTest, StoppingTheLoopUnwindsEverything) {
  Acceptor acceptor = listen_on_loopback(loop);
  const DialTarget target{origin_of(acceptor, Scheme::http), std::nullopt};
  static_cast<void>(
      run(beside(loop, server.serve(std::move(acceptor), std::nullopt), stop_in_the_middle(loop, server, target))));
  EXPECT_TRUE(loop.stopping());
  EXPECT_EQ(server.stats().connections, 0U);
}

/// A relay in the middle: what a gateway does, with no change to the bytes.
class Relay final : public RequestHandler {
 public:
  explicit Relay(StreamPtr upstream) : upstream_(std::move(upstream), {}) {}

  Task<> handle(ServerConnection& conn) override {
    conn.on_peer_gone([this] { upstream_.abort(); });
    RequestHead head{.method = conn.request().method, .target = conn.request().target, .fields = {{"host", "engine"}}};
    WAXWING_CO_TRY(upstream_.start(head, conn.request_length()));
    for (;;) {
      WAXWING_CO_ASSIGN(const BodyPiece piece, co_await read_body_or_answer(conn, upstream_, Deadline::within(60s)));
      if (upstream_.answered()) break;
      if (piece.state == BodyPiece::State::end) {
        WAXWING_CO_ASSIGN(const Sent sent, upstream_.finish());
        if (sent == Sent::blocked) WAXWING_CO_TRY(co_await upstream_.flush(Deadline::none()));
        break;
      }
      WAXWING_CO_ASSIGN(const Sent sent, upstream_.send({piece.bytes}));
      if (sent == Sent::blocked) WAXWING_CO_TRY(co_await upstream_.flush(Deadline::within(60s)));
    }
    WAXWING_CO_TRY(co_await upstream_.read_head(Deadline::none()));
    WAXWING_CO_TRY(conn.start({.status = upstream_.response().status, .fields = {}}, BodyLength::chunked()));
    for (;;) {
      WAXWING_CO_ASSIGN(const BodyPiece piece, co_await upstream_.read_body(Deadline::within(60s)));
      if (piece.state == BodyPiece::State::end) break;
      WAXWING_CO_ASSIGN(const Sent sent, conn.send({piece.bytes}));
      if (sent == Sent::blocked) WAXWING_CO_TRY(co_await conn.flush(Deadline::within(60s)));
    }
    WAXWING_CO_TRY(conn.finish());
    co_return Result<void>{};
  }

 private:
  ClientConnection upstream_;
};

class RelayTest : public NetTest {
 protected:
  void SetUp() override {
    auto [near_upstream, far_upstream] = make_stream_pair(loop).value();
    auto [near_client, far_client] = make_stream_pair(loop).value();
    relay = std::make_unique<Relay>(std::move(near_upstream));
    engine = std::move(far_upstream);
    client = std::move(near_client);
    server = std::make_unique<HttpServer>(loop, *relay, ServerOptions{});
    group.spawn(server->serve_stream(std::move(far_client)));
    loop.poll();
  }
  void TearDown() override {
    client.reset();
    engine.reset();
    loop.run();
    EXPECT_EQ(group.running(), 0U);
  }
  void send(Stream& stream, std::string_view text) {
    const ByteView bytes = as_bytes(text);
    EXPECT_TRUE(stream.try_write({&bytes, 1}));
    loop.poll();
  }
  std::string read(Stream& stream) {
    Bytes buffer(64U << 10U);
    const auto got = stream.try_read(buffer);
    ended = !got || got->state == ReadResult::State::end;
    return got ? std::string(as_text(ByteView(buffer).first(got->size))) : "";
  }

  std::unique_ptr<Relay> relay;
  std::unique_ptr<HttpServer> server;
  TaskGroup group{loop};
  StreamPtr engine;
  StreamPtr client;
  bool ended = false;
};

const std::string kUpload = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n";

TEST_F(RelayTest, PassesPiecesOnAsTheyCome) {
  send(*client, kUpload + "abc");
  EXPECT_EQ(read(*engine), "POST /x HTTP/1.1\r\nhost: engine\r\ncontent-length: 6\r\n\r\nabc");
  send(*client, "def");
  EXPECT_EQ(read(*engine), "def");
  send(*engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  EXPECT_TRUE(read(*client).ends_with("\r\n\r\n3\r\none\r\n"));
  send(*engine, "3\r\ntwo\r\n");
  EXPECT_EQ(read(*client), "3\r\ntwo\r\n");
  send(*engine, "0\r\n\r\n");
  EXPECT_EQ(read(*client), "0\r\n\r\n");
}

TEST_F(RelayTest, AnswerDuringTheUploadIsPassedOnAtOnce) {
  send(*client, kUpload + "abc");
  send(*engine, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\nslow");
  const auto got = read(*client);
  EXPECT_TRUE(got.starts_with("HTTP/1.1 429 ")) << got;
  EXPECT_TRUE(got.ends_with("slow\r\n0\r\n\r\n") || got.ends_with("slow\r\n")) << got;
}

TEST_F(RelayTest, ClientLossCancelsTheEngineWhileItThinks) {
  send(*client, kUpload + "abcdef");
  EXPECT_TRUE(read(*engine).ends_with("abcdef"));
  client->close();
  loop.poll();
  EXPECT_EQ(read(*engine), "");
  EXPECT_TRUE(ended);
}

TEST_F(RelayTest, ClientLossCancelsTheEngineWhileItStreams) {
  send(*client, kUpload + "abcdef");
  static_cast<void>(read(*engine));
  send(*engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  client->close();
  loop.poll();
  EXPECT_EQ(read(*engine), "");
  EXPECT_TRUE(ended);
}

TEST_F(RelayTest, ClientLossDuringTheUploadEndsTheExchange) {
  send(*client, kUpload + "abc");
  client->close();
  loop.run();
  EXPECT_EQ(group.running(), 0U);
}

TEST_F(RelayTest, EngineCutIsNoEndForTheClient) {
  send(*client, kUpload + "abcdef");
  send(*engine, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  engine->close();
  loop.poll();
  EXPECT_TRUE(read(*client).ends_with("3\r\none\r\n"));
  EXPECT_EQ(read(*client), "");
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace waxwing::net
