// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "net_test.hpp"

namespace waxwing::net {
namespace {

class TlsTest : public NetTest {
 protected:
  ServerIdentity identity = ServerIdentity::make();
};

struct Ends {
  StreamPtr client;
  StreamPtr server;
  Error client_error{Code::internal, "none"};
  std::string server_read;
};

Task<> serve_handshake(Acceptor& acceptor, TlsServerContext context, Ends& ends) {
  WAXWING_CO_ASSIGN(ends.server, co_await acceptor.accept(Deadline::none()));
  static_cast<void>(co_await ends.server->handshake_server(std::move(context), Deadline::none()));
  co_return Result<void>{};
}

Task<> dial_tls(Loop& loop, Origin origin, TlsPeer peer, Ends& ends) {
  DirectDialer dialer(loop);
  auto stream = co_await dialer.dial({std::move(origin), std::move(peer)}, Deadline::none());
  if (stream) {
    ends.client = *std::move(stream);
  } else {
    ends.client_error = stream.error();
  }
  co_return Result<void>{};
}

Task<> connect(Loop& loop, Acceptor& acceptor, TlsServerContext context, TlsPeer peer, Ends& ends) {
  TaskGroup group(loop);
  group.spawn(serve_handshake(acceptor, std::move(context), ends));
  group.spawn(dial_tls(loop, origin_of(acceptor, Scheme::https), std::move(peer), ends));
  co_return co_await group.join(Deadline::none());
}

Task<> echo_mebibyte(Loop& loop, Stream& a, Stream& b) {
  struct Move {
    static Task<> out(Stream& stream, std::string text) {
      WAXWING_CO_TRY(co_await write_text(stream, text));
      stream.shutdown_write();
      co_return Result<void>{};
    }
    static Task<> in(Stream& stream, std::string text) {
      WAXWING_CO_ASSIGN(const std::string got, co_await read_all(stream));
      ASSERT_CO(got == text);
      co_return Result<void>{};
    }
  };
  const std::string text(1U << 20U, 'w');
  TaskGroup group(loop, TaskGroup::OnFailure::cancel_others);
  group.spawn(Move::out(a, text));
  group.spawn(Move::out(b, text));
  group.spawn(Move::in(a, text));
  group.spawn(Move::in(b, text));
  co_return co_await group.join(Deadline::none());
}

TEST_F(TlsTest, NegotiatesOnlyTheModernAndHybrid) {
  Acceptor acceptor = listen_on_loopback(loop);
  Ends ends;
  expect_ok(connect(loop, acceptor, identity.server(), {attested_client(), identity.spki}, ends));
  ASSERT_NE(ends.client, nullptr) << ends.client_error.describe();
  const TlsFacts facts = ends.client->tls_facts();
  EXPECT_EQ(facts.version, "TLSv1.3");
  EXPECT_EQ(facts.group, "X25519MLKEM768");
  EXPECT_EQ(facts.alpn, "http/1.1");
  EXPECT_EQ(ends.client->peer_spki(), identity.spki);
  EXPECT_EQ(identity.server().spki_sha256(), identity.spki);
  EXPECT_FALSE(ends.server->peer_spki());
  expect_ok(echo_mebibyte(loop, *ends.client, *ends.server));
}

/// Reads the raw bytes a client sends, playing no TLS at all.
Task<> record_raw(Acceptor& acceptor, std::string& raw) {
  WAXWING_CO_ASSIGN(const StreamPtr server, co_await acceptor.accept(Deadline::none()));
  Bytes buffer(4096);
  WAXWING_CO_ASSIGN(const std::size_t n, co_await server->read_some(buffer, Deadline::none()));
  raw = as_text(ByteView(buffer).first(n));
  co_return Result<void>{};
}

Task<> dial_and_record(Loop& loop, Acceptor& acceptor, Ends& ends, std::string& raw) {
  TaskGroup group(loop);
  group.spawn(record_raw(acceptor, raw));
  group.spawn(dial_tls(loop, origin_of(acceptor, Scheme::https), {attested_client(), std::nullopt}, ends));
  co_return co_await group.join(Deadline::none());
}

TEST_F(TlsTest, OffersNeitherOldVersionsNorEarlyDataNorTickets) {
  Acceptor acceptor = listen_on_loopback(loop);
  Ends ends;
  std::string hello;
  expect_ok(dial_and_record(loop, acceptor, ends, hello));
  EXPECT_EQ(ends.client_error.code(), Code::worker_unreachable);
  ASSERT_GT(hello.size(), 100U);
  // supported_versions (43) holds TLS 1.3 alone; supported_groups (10) the hybrid, then X25519.
  EXPECT_NE(hello.find(std::string("\x00\x2b\x00\x03\x02\x03\x04", 7)), std::string::npos);
  EXPECT_NE(hello.find(std::string("\x00\x0a\x00\x06\x00\x04\x11\xec\x00\x1d", 10)), std::string::npos);
  EXPECT_EQ(hello.find(std::string("\x00\x2a\x00\x00", 4)), std::string::npos) << "early_data";
}

TEST_F(TlsTest, PinMismatchWritesNoApplicationByte) {
  Acceptor acceptor = listen_on_loopback(loop);
  auto other = identity.spki;
  other[31] ^= std::byte{1};
  Ends ends;
  expect_ok(connect(loop, acceptor, identity.server(), {attested_client(), other}, ends));
  EXPECT_EQ(ends.client, nullptr) << "nobody gets a stream to write to";
  EXPECT_EQ(ends.client_error.code(), Code::evidence_rejected);
  struct Rest {
    static Task<> read(Stream& server, std::string& text) {
      auto got = co_await read_all(server);
      if (got) text = *got;
      co_return Result<void>{};
    }
  };
  if (ends.server->is_open()) expect_ok(Rest::read(*ends.server, ends.server_read));
  EXPECT_EQ(ends.server_read, "");
}

TEST_F(TlsTest, EveryConnectionIsComparedNotOnlyTheFirst) {
  Acceptor acceptor = listen_on_loopback(loop);
  const TlsClientContext context = attested_client();
  Ends first;
  expect_ok(connect(loop, acceptor, identity.server(), {context, identity.spki}, first));
  ASSERT_NE(first.client, nullptr);
  // Read once, so that a ticket, if there were one, would have arrived.
  Bytes buffer(16);
  static_cast<void>(first.client->try_read(buffer));
  // The same client settings, the same server key: fine. Another pin, or another server key: refused.
  Ends second;
  expect_ok(connect(loop, acceptor, identity.server(), {context, identity.spki}, second));
  ASSERT_NE(second.client, nullptr);
  EXPECT_EQ(second.client->peer_spki(), identity.spki);
  const ServerIdentity impostor = ServerIdentity::make();
  Ends third;
  expect_ok(connect(loop, acceptor, identity.server(), {context, impostor.spki}, third));
  EXPECT_EQ(third.client_error.code(), Code::evidence_rejected);
  Ends fourth;
  expect_ok(connect(loop, acceptor, impostor.server(), {context, identity.spki}, fourth));
  EXPECT_EQ(fourth.client_error.code(), Code::evidence_rejected);
}

TEST_F(TlsTest, AttestedWithoutAPinShowsTheKeyForTheCallerToJudge) {
  Acceptor acceptor = listen_on_loopback(loop);
  Ends ends;
  expect_ok(connect(loop, acceptor, identity.server(), {attested_client(), std::nullopt}, ends));
  ASSERT_NE(ends.client, nullptr);
  EXPECT_EQ(ends.client->peer_spki(), identity.spki);
}

TEST_F(TlsTest, WebPkiAcceptsAGivenCaAndRefusesAnother) {
  Acceptor acceptor = listen_on_loopback(loop);
  const auto trusting = TlsClientContext::make({.trust = TlsTrust::given_cas, .ca_pem = identity.chain});
  ASSERT_TRUE(trusting) << trusting.error().describe();
  Ends good;
  expect_ok(connect(loop, acceptor, identity.server(), {*trusting, std::nullopt}, good));
  ASSERT_NE(good.client, nullptr) << good.client_error.describe();
  const auto other =
      TlsClientContext::make({.trust = TlsTrust::given_cas, .ca_pem = ServerIdentity::make("other").chain});
  Ends bad;
  expect_ok(connect(loop, acceptor, identity.server(), {*other, std::nullopt}, bad));
  EXPECT_EQ(bad.client_error.code(), Code::evidence_rejected) << bad.client_error.describe();
  Ends pinned;
  expect_ok(connect(loop, acceptor, identity.server(), {*trusting, crypto::Sha256Digest{}}, pinned));
  EXPECT_EQ(pinned.client_error.code(), Code::evidence_rejected) << "a pin holds on top of web PKI";
}

Task<> pair_handshake(Loop& loop, Stream& client, Stream& server, TlsPeer peer, TlsServerContext context,
                      std::string name, Result<void>& client_result) {
  struct Side {
    static Task<> server(Stream& stream, TlsServerContext with) {
      static_cast<void>(co_await stream.handshake_server(std::move(with), Deadline::none()));
      co_return Result<void>{};
    }
    static Task<> client(Stream& stream, TlsPeer with, std::string as, Result<void>& out) {
      out = co_await stream.handshake_client(std::move(with), std::move(as), Deadline::none());
      co_return Result<void>{};
    }
  };
  TaskGroup group(loop);
  group.spawn(Side::server(server, std::move(context)));
  group.spawn(Side::client(client, std::move(peer), std::move(name), client_result));
  co_return co_await group.join(Deadline::none());
}

TEST_F(TlsTest, WebPkiChecksTheName) {
  const auto trusting = TlsClientContext::make({.trust = TlsTrust::given_cas, .ca_pem = identity.chain}).value();
  for (const auto& [name, good] : std::vector<std::pair<std::string, bool>>{
           {"gateway.test", true}, {"127.0.0.1", true}, {"other.test", false}, {"127.0.0.2", false}, {"", false}}) {
    auto [client, server] = make_stream_pair(loop).value();
    Result<void> result;
    TaskGroup group(loop);
    if (name.empty()) {
      EXPECT_FALSE(run(client->handshake_client({trusting, std::nullopt}, name, Deadline::none())));
      continue;
    }
    expect_ok(pair_handshake(loop, *client, *server, {trusting, std::nullopt}, identity.server(), name, result));
    EXPECT_EQ(result.has_value(), good) << name;
  }
}

TEST_F(TlsTest, EndWithoutCloseNotifyIsTruncation) {
  auto [client, server] = make_stream_pair(loop).value();
  Result<void> result;
  expect_ok(pair_handshake(loop, *client, *server, {attested_client(), std::nullopt}, identity.server(), "x", result));
  ASSERT_TRUE(result);
  server->abort();
  Bytes buffer(16);
  const auto got = client->try_read(buffer);
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().code() == Code::truncated || got.error().code() == Code::io) << got.error().describe();
}

TEST_F(TlsTest, PeekSeesDataAndCloseNotify) {
  auto [client, server] = make_stream_pair(loop).value();
  Result<void> result;
  expect_ok(pair_handshake(loop, *client, *server, {attested_client(), std::nullopt}, identity.server(), "x", result));
  EXPECT_EQ(server->peek().value(), ReadResult::State::blocked);
  const ByteView text = as_bytes("hi");
  ASSERT_TRUE(client->try_write({&text, 1}));
  EXPECT_EQ(server->peek().value(), ReadResult::State::data);
  Bytes buffer(16);
  EXPECT_EQ(server->try_read(buffer)->size, 2U);
  client->close();
  EXPECT_EQ(server->peek().value(), ReadResult::State::end);
}

TEST_F(TlsTest, SmallReadsGetEveryByteOfLargeRecords) {
  auto [client, server] = make_stream_pair(loop).value();
  Result<void> result;
  expect_ok(pair_handshake(loop, *client, *server, {attested_client(), std::nullopt}, identity.server(), "x", result));
  const std::string text(40000, 'r');
  const ByteView bytes = as_bytes(text);
  ASSERT_EQ(client->try_write({&bytes, 1}).value(), Sent::all);
  client->shutdown_write();
  std::string got;
  Bytes buffer(7);
  for (;;) {
    const auto read = server->try_read(buffer);
    ASSERT_TRUE(read);
    if (read->state == ReadResult::State::end) break;
    ASSERT_EQ(read->state, ReadResult::State::data);
    got += as_text(ByteView(buffer).first(read->size));
  }
  EXPECT_EQ(got, text);
}

TEST_F(TlsTest, GarbageInsteadOfTlsIsAnError) {
  auto [client, server] = make_stream_pair(loop).value();
  const ByteView garbage = as_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(client->try_write({&garbage, 1}));
  const auto result = run(server->handshake_server(identity.server(), Deadline::none()));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::malformed);
  EXPECT_FALSE(server->is_open());
}

TEST_F(TlsTest, ServerContextNamesWhatDoesNotFit) {
  const ServerIdentity other = ServerIdentity::make();
  EXPECT_EQ(TlsServerContext::from_pem(identity.chain, other.key).error().code(), Code::config_invalid);
  EXPECT_EQ(TlsServerContext::from_pem("", identity.key).error().code(), Code::config_invalid);
  EXPECT_EQ(TlsServerContext::from_pem(identity.chain, SecretBytes()).error().code(), Code::config_invalid);
  EXPECT_FALSE(TlsClientContext::make({.trust = TlsTrust::given_cas, .ca_pem = "nothing"}));
}

}  // namespace
}  // namespace waxwing::net
