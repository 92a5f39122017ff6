// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// The client's end of a connection, against a scripted peer on a socket pair.
#include "net_test.hpp"
#include "waxwing/net/http_client.hpp"

namespace waxwing::net {
namespace {

class HttpExchangeTest : public NetTest {
 protected:
  void SetUp() override {
    auto [near, far] = make_stream_pair(loop).value();
    client = std::make_unique<ClientConnection>(std::move(near), ClientOptions{});
    peer = std::move(far);
  }
  /// Sends a GET and gives the peer's answer, whole.
  Result<std::string> answer(std::string_view wire, std::string method = "GET");

  std::unique_ptr<ClientConnection> client;
  StreamPtr peer;
};

RequestHead get(std::string method = "GET") {
  return {.method = std::move(method), .target = "/", .fields = {{"host", "a"}}};
}

Task<> read_answer(ClientConnection& client, Result<std::string>& out) {
  auto head = co_await client.read_head(Deadline::none());
  if (!head) {
    out = std::unexpected(head.error());
    co_return Result<void>{};
  }
  const auto body = co_await client.read_whole_body(10U << 20U, Deadline::none());
  if (body) {
    out = std::string(as_text(*body));
  } else {
    out = std::unexpected(body.error());
  }
  co_return Result<void>{};
}

Result<std::string> HttpExchangeTest::answer(std::string_view wire, std::string method) {
  EXPECT_EQ(client->start(get(std::move(method)), BodyLength::none()).value(), Sent::all);
  const ByteView bytes = as_bytes(wire);
  EXPECT_TRUE(peer->try_write({&bytes, 1}));
  peer->shutdown_write();
  Result<std::string> out = fail(Code::internal, "nothing");
  expect_ok(read_answer(*client, out));
  return out;
}

TEST_F(HttpExchangeTest, ReadsEachFraming) {
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").value(), "hi");
  EXPECT_TRUE(client->reusable());
  SetUp();
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n").value(),
            "hi!");
  EXPECT_TRUE(client->reusable());
  SetUp();
  EXPECT_EQ(answer("HTTP/1.0 200 OK\r\n\r\nall of it").value(), "all of it");
  EXPECT_FALSE(client->reusable());
  SetUp();
  EXPECT_EQ(answer("HTTP/1.1 204 No Content\r\n\r\n").value(), "");
  EXPECT_TRUE(client->reusable());
  SetUp();
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "HEAD").value(), "");
  EXPECT_TRUE(client->reusable());
}

TEST_F(HttpExchangeTest, SmallChunksAtHandComeAsOnePiece) {
  ASSERT_TRUE(client->start(get(), BodyLength::none()));
  std::string wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string expected;
  for (int i = 0; i < 50; ++i) {
    wire += "5;x\r\nevent\r\n";
    expected += "event";
  }
  const ByteView bytes = as_bytes(wire);
  ASSERT_TRUE(peer->try_write({&bytes, 1}));
  expect_ok(client->read_head(Deadline::none()));
  const auto piece = client->try_read_body();
  ASSERT_TRUE(piece);
  EXPECT_EQ(as_text(piece->bytes), expected);
  const ByteView bad = as_bytes("2\r\nok\r\nx");
  ASSERT_TRUE(peer->try_write({&bad, 1}));
  static_cast<void>(client->try_read_body());  // may say blocked once without looking
  const auto last = client->try_read_body();
  ASSERT_TRUE(last) << "what came before the fault is still given";
  EXPECT_EQ(as_text(last->bytes), "ok");
  EXPECT_EQ(client->try_read_body().error().code(), Code::malformed);
}

TEST_F(HttpExchangeTest, SkipsInformationalResponsesWithinBounds) {
  const std::string hint = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  EXPECT_EQ(answer("HTTP/1.1 100 Continue\r\n\r\n" + hint + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx").value(),
            "x");
  SetUp();
  std::string many;
  for (int i = 0; i < 9; ++i) many += hint;
  EXPECT_EQ(answer(many + "HTTP/1.1 200 OK\r\n\r\n").error().code(), Code::malformed);
  SetUp();
  EXPECT_EQ(answer("HTTP/1.1 101 Switching Protocols\r\n\r\n").error().code(), Code::malformed);
}

TEST_F(HttpExchangeTest, CutAnswersAreTruncatedAtEveryByte) {
  const std::string wire = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  for (std::size_t n = 0; n < wire.size(); ++n) {
    SetUp();
    const auto got = answer(wire.substr(0, n));
    ASSERT_FALSE(got) << n;
    EXPECT_EQ(got.error().code(), Code::truncated) << n;
    EXPECT_FALSE(client->reusable());
  }
  SetUp();
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi").error().code(), Code::truncated);
}

TEST_F(HttpExchangeTest, ConnectionWithUnexpectedBytesIsNotReused) {
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n").value(), "x");
  EXPECT_FALSE(client->reusable());
}

TEST_F(HttpExchangeTest, ConnectionThatSaysCloseIsNotReused) {
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx").value(), "x");
  EXPECT_FALSE(client->reusable());
}

TEST_F(HttpExchangeTest, OversizedHeadIsRefused) {
  EXPECT_EQ(answer("HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x') + "\r\n\r\n").error().code(), Code::too_large);
}

TEST_F(HttpExchangeTest, HeadAndChunkLeaveInOneWrite) {
  ASSERT_EQ(client->start(get("POST"), BodyLength::chunked()).value(), Sent::all);
  EXPECT_EQ(peer->peek().value(), ReadResult::State::blocked) << "the head waits for the body";
  ASSERT_EQ(client->send({as_bytes("ab"), as_bytes("cde")}).value(), Sent::all);
  Bytes buffer(4096);
  const auto n = peer->try_read(buffer);
  EXPECT_EQ(as_text(ByteView(buffer).first(n->size)),
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n");
  ASSERT_EQ(client->finish({as_bytes("f")}).value(), Sent::all);
  EXPECT_EQ(as_text(ByteView(buffer).first(peer->try_read(buffer)->size)), "1\r\nf\r\n0\r\n\r\n");
}

TEST_F(HttpExchangeTest, EmptySendIsNoLastChunk) {
  ASSERT_TRUE(client->start(get("POST"), BodyLength::chunked()));
  ASSERT_TRUE(client->send({ByteView{}}));
  Bytes buffer(4096);
  const auto n = peer->try_read(buffer);
  EXPECT_TRUE(as_text(ByteView(buffer).first(n->size)).ends_with("chunked\r\n\r\n"));
  EXPECT_EQ(peer->peek().value(), ReadResult::State::blocked);
}

TEST_F(HttpExchangeTest, KnownLengthIsKept) {
  ASSERT_TRUE(client->start(get("POST"), BodyLength::known(3)));
  ASSERT_TRUE(client->send({as_bytes("ab")}));
  EXPECT_EQ(client->send({as_bytes("cd")}).error().code(), Code::internal);
  EXPECT_EQ(client->finish().error().code(), Code::internal);
  EXPECT_TRUE(client->finish({as_bytes("c")}));
  EXPECT_EQ(client->send({as_bytes("d")}).error().code(), Code::internal);
}

TEST_F(HttpExchangeTest, AbortedUploadHasNoLastChunk) {
  ASSERT_TRUE(client->start(get("POST"), BodyLength::chunked()));
  ASSERT_TRUE(client->send({as_bytes("part")}));
  client->abort();
  client->abort();
  EXPECT_EQ(client->send({as_bytes("x")}).error().code(), Code::cancelled);
  Bytes buffer(4096);
  const auto n = peer->try_read(buffer);
  ASSERT_TRUE(n);
  EXPECT_TRUE(as_text(ByteView(buffer).first(n->size)).ends_with("4\r\npart\r\n"));
  const auto rest = peer->try_read(buffer);
  EXPECT_TRUE(!rest || rest->state == ReadResult::State::end);
}

Task<> upload_until_answered(ClientConnection& client, std::size_t& sent_bytes) {
  WAXWING_CO_TRY(client.start(get("POST"), BodyLength::known(64U << 20U)));
  const std::string piece(1U << 16U, 'u');
  while (!client.answered()) {
    WAXWING_CO_ASSIGN(const Sent sent, client.send({as_bytes(piece)}));
    sent_bytes += piece.size();
    if (sent == Sent::blocked) WAXWING_CO_TRY(co_await client.flush(Deadline::none()));
  }
  WAXWING_CO_TRY(co_await client.read_head(Deadline::none()));
  ASSERT_CO(client.response().status == 413);
  WAXWING_CO_ASSIGN(const Bytes body, co_await client.read_whole_body(100, Deadline::none()));
  ASSERT_CO(as_text(body) == "too much");
  ASSERT_CO(!client.reusable());
  co_return Result<void>{};
}

Task<> refuse_after_head(Stream& peer) {
  WAXWING_CO_TRY(co_await read_until(peer, "\r\n\r\n"));
  co_return co_await write_text(peer, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much");
}

Task<> early_answer(Loop& loop, ClientConnection& client, Stream& peer, std::size_t& sent_bytes) {
  TaskGroup group(loop, TaskGroup::OnFailure::cancel_others);
  group.spawn(upload_until_answered(client, sent_bytes));
  group.spawn(refuse_after_head(peer));
  co_return co_await group.join(Deadline::none());
}

TEST_F(HttpExchangeTest, AnswerDuringABlockedUploadEndsIt) {
  std::size_t sent_bytes = 0;
  expect_ok(early_answer(loop, *client, *peer, sent_bytes));
  EXPECT_LT(sent_bytes, 64U << 20U) << "the peer never read the body, so the upload was blocked when the answer came";
}

Task<> wait_for_head(ClientConnection& client, Deadline deadline, std::optional<Code>& code) {
  WAXWING_CO_TRY(client.start(get(), BodyLength::none()));
  const auto head = co_await client.read_head(deadline);
  if (!head) code = head.error().code();
  co_return Result<void>{};
}

TEST_F(HttpExchangeTest, FirstByteDeadlineCoversADrippingHead) {
  std::optional<Code> code;
  TaskGroup group(loop);
  group.spawn(wait_for_head(*client, Deadline::within(30s), code));
  loop.poll();
  for (const char c : std::string_view("HTTP/1.1 200")) {
    const ByteView byte(reinterpret_cast<const std::byte*>(&c), 1);
    ASSERT_TRUE(peer->try_write({&byte, 1}));
    loop.poll();
    pass(2500ms);
    loop.poll();
  }
  EXPECT_EQ(code, Code::deadline) << "30 s in all, however the bytes come";
  loop.run();
}

TEST_F(HttpExchangeTest, AbortEndsAWaitForTheHeadAsCancelled) {
  std::optional<Code> code;
  TaskGroup group(loop);
  group.spawn(wait_for_head(*client, Deadline::none(), code));
  loop.poll();
  client->abort();
  loop.run();
  EXPECT_EQ(code, Code::cancelled);
}

Task<> wait_for_answer(ClientConnection& client) {
  co_return co_await client.answer_begins(Deadline::none());
}

TEST_F(HttpExchangeTest, NoticesTheFirstByteOfAnAnswer) {
  ASSERT_TRUE(client->start(get("POST"), BodyLength::chunked()));
  ASSERT_TRUE(client->send({as_bytes("x")}));
  loop.poll();
  EXPECT_FALSE(client->answered());
  const ByteView byte = as_bytes("H");
  ASSERT_TRUE(peer->try_write({&byte, 1}));
  expect_ok(wait_for_answer(*client));
  EXPECT_TRUE(client->answered());
}

TEST_F(HttpExchangeTest, StaleConnectionIsSeen) {
  EXPECT_FALSE(client->is_stale());
  peer->close();
  EXPECT_TRUE(client->is_stale());
}

}  // namespace
}  // namespace waxwing::net
