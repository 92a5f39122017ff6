// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/pool.hpp"

#include <deque>

#include "net_test.hpp"

namespace waxwing::net {
namespace {

/// Hands out one end of a socket pair and keeps the other.
class PairDialer final : public Dialer {
 public:
  explicit PairDialer(Loop& loop) : loop_(loop) {}
  Task<StreamPtr> dial(DialTarget /*target*/, Deadline /*deadline*/) override {
    if (refuse) co_return fail(Code::worker_unreachable, "as planned");
    auto [near, far] = make_stream_pair(loop_).value();
    peers.push_back(std::move(far));
    co_return std::move(near);
  }
  std::deque<StreamPtr> peers;
  bool refuse = false;

 private:
  Loop& loop_;
};

class PoolTest : public NetTest {
 protected:
  PairDialer dialer{loop};
  ConnectionPool pool{loop, dialer, {Origin{Scheme::http, "engine", 80, {}}, std::nullopt}, {.idle = 2}};
};

const RequestHead kHead{.method = "POST", .target = "/", .fields = {{"host", "engine"}}};

/// Answers `n` requests of one connection, then closes it.
Task<> answer(PairDialer& dialer, std::size_t which, int n, Loop& loop) {
  while (dialer.peers.size() <= which) WAXWING_CO_TRY(co_await turn(loop));
  Stream& peer = *dialer.peers[which];
  for (int i = 0; i < n; ++i) {
    WAXWING_CO_TRY(co_await read_until(peer, "body"));
    WAXWING_CO_TRY(co_await write_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  }
  co_return Result<void>{};
}

Task<> ask(ConnectionPool& pool, Repeatable repeatable = Repeatable::no) {
  WAXWING_CO_ASSIGN(auto lease, co_await pool.exchange(kHead, as_bytes("body"), repeatable, Deadline::none()));
  ASSERT_CO(lease->response().status == 200);
  WAXWING_CO_ASSIGN(const Bytes body, co_await lease->read_whole_body(10, Deadline::none()));
  ASSERT_CO(as_text(body) == "ok");
  co_return Result<void>{};
}

Task<> ask_times(Loop& loop, ConnectionPool& pool, PairDialer& dialer, int n) {
  TaskGroup group(loop);
  group.spawn(answer(dialer, 0, n, loop));
  for (int i = 0; i < n; ++i) WAXWING_CO_TRY(co_await ask(pool));
  co_return co_await group.join(Deadline::none());
}

TEST_F(PoolTest, ReusesAFinishedConnection) {
  expect_ok(ask_times(loop, pool, dialer, 3));
  EXPECT_EQ(pool.stats().dialed, 1U);
  EXPECT_EQ(pool.stats().reused, 2U);
  EXPECT_EQ(pool.stats().idle, 1U);
  EXPECT_EQ(pool.stats().leased, 0U);
}

Task<> hold_three(ConnectionPool& pool) {
  WAXWING_CO_ASSIGN(auto a, co_await pool.acquire(Reuse::allowed));
  WAXWING_CO_ASSIGN(auto b, co_await pool.acquire(Reuse::allowed));
  WAXWING_CO_ASSIGN(auto c, co_await pool.acquire(Reuse::allowed));
  ASSERT_CO(pool.stats().leased == 3);
  ASSERT_CO(!a.reused() && !b.reused() && !c.reused());
  co_return Result<void>{};
}

TEST_F(PoolTest, UnfinishedConnectionsAreNotKept) {
  expect_ok(hold_three(pool));
  EXPECT_EQ(pool.stats().leased, 0U);
  EXPECT_EQ(pool.stats().idle, 0U) << "no exchange was completed on them";
}

TEST_F(PoolTest, ConnectionThePeerClosedIsDropped) {
  expect_ok(ask_times(loop, pool, dialer, 1));
  dialer.peers[0]->close();
  dialer.peers.clear();
  expect_ok(ask_times(loop, pool, dialer, 1));
  EXPECT_EQ(pool.stats().dialed, 2U);
  EXPECT_EQ(pool.stats().stale, 1U);
}

TEST_F(PoolTest, ConnectionThatSaidSomethingMeanwhileIsDropped) {
  expect_ok(ask_times(loop, pool, dialer, 1));
  const ByteView extra = as_bytes("HTTP/1.1 408 Request Timeout\r\n\r\n");
  ASSERT_TRUE(dialer.peers[0]->try_write({&extra, 1}));
  const auto old = std::move(dialer.peers[0]);
  dialer.peers.clear();
  expect_ok(ask_times(loop, pool, dialer, 1));
  EXPECT_EQ(pool.stats().stale, 1U);
}

TEST_F(PoolTest, IdleConnectionIsDroppedAfterItsTime) {
  expect_ok(ask_times(loop, pool, dialer, 1));
  clock.advance(61s);
  const auto old = std::move(dialer.peers[0]);
  dialer.peers.clear();
  expect_ok(ask_times(loop, pool, dialer, 1));
  EXPECT_EQ(pool.stats().dialed, 2U);
}

/// Takes a request on a reused connection and closes without a byte; the second connection answers.
Task<> die_then_answer(PairDialer& dialer, Loop& loop) {
  WAXWING_CO_TRY(co_await answer(dialer, 0, 1, loop));
  WAXWING_CO_TRY(co_await read_until(*dialer.peers[0], "body"));
  dialer.peers[0]->close();
  co_return co_await answer(dialer, 1, 1, loop);
}

Task<> ask_twice_over_death(Loop& loop, ConnectionPool& pool, PairDialer& dialer, Repeatable repeatable,
                            std::optional<Code>& code) {
  TaskGroup group(loop);
  group.spawn(die_then_answer(dialer, loop));
  WAXWING_CO_TRY(co_await ask(pool));
  const auto second = co_await ask(pool, repeatable);
  if (!second) code = second.error().code();
  group.cancel_all();
  static_cast<void>(co_await group.join(Deadline::none()));
  co_return Result<void>{};
}

TEST_F(PoolTest, RepeatableRequestSurvivesAConnectionThatDiesUnderIt) {
  std::optional<Code> code;
  expect_ok(ask_twice_over_death(loop, pool, dialer, Repeatable::yes, code));
  EXPECT_EQ(code, std::nullopt);
  EXPECT_EQ(pool.stats().dialed, 2U);
}

TEST_F(PoolTest, OtherRequestIsNotRepeated) {
  std::optional<Code> code;
  expect_ok(ask_twice_over_death(loop, pool, dialer, Repeatable::no, code));
  EXPECT_EQ(code, Code::truncated);
  EXPECT_EQ(pool.stats().dialed, 1U);
}

TEST_F(PoolTest, DialerErrorsComeThrough) {
  dialer.refuse = true;
  const auto result = run(ask(pool));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::worker_unreachable);
  EXPECT_EQ(pool.stats().failed, 1U);
  EXPECT_EQ(pool.stats().leased, 0U);
}

Task<> outlive(std::unique_ptr<ConnectionPool>& pool) {
  WAXWING_CO_ASSIGN(auto lease, co_await pool->acquire(Reuse::allowed));
  pool.reset();
  ASSERT_CO(lease->start(kHead, BodyLength::known(1)).has_value());
  co_return Result<void>{};
}

TEST_F(PoolTest, LeaseMayOutliveThePool) {
  auto mine = std::make_unique<ConnectionPool>(loop, dialer, pool.target(), PoolOptions{});
  expect_ok(outlive(mine));
}

}  // namespace
}  // namespace waxwing::net
