// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/pool.hpp"

#include <algorithm>
#include <deque>
#include <utility>

namespace waxwing::net {

struct ConnectionPool::State {
  struct Idle {
    std::unique_ptr<ClientConnection> connection;
    BootTime since;
  };

  State(Loop& on, Dialer& by, DialTarget to, PoolOptions set)
      : loop(on), dialer(by), target(std::move(to)), options(set) {}

  void take_back(std::unique_ptr<ClientConnection> connection);
  [[nodiscard]] std::unique_ptr<ClientConnection> take_idle();

  Loop& loop;
  Dialer& dialer;
  DialTarget target;
  PoolOptions options;
  PoolStats stats;
  std::deque<Idle> idle;  // oldest first
};

void ConnectionPool::State::take_back(std::unique_ptr<ClientConnection> connection) {
  --stats.leased;
  if (!connection->reusable()) return connection->abort();
  idle.push_back({std::move(connection), loop.now()});
  const BootTime oldest = loop.now() - options.idle_time;
  while (!idle.empty() && (idle.size() > options.idle || idle.front().since < oldest)) {
    idle.front().connection->close();
    idle.pop_front();
  }
}

std::unique_ptr<ClientConnection> ConnectionPool::State::take_idle() {
  const BootTime oldest = loop.now() - options.idle_time;
  while (!idle.empty()) {
    Idle last = std::move(idle.back());
    idle.pop_back();
    if (last.since >= oldest && !last.connection->is_stale()) return std::move(last.connection);
    last.connection->close();
    ++stats.stale;
  }
  return nullptr;
}

ConnectionPool::Lease& ConnectionPool::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    pool_ = std::move(other.pool_);
    connection_ = std::move(other.connection_);
    reused_ = other.reused_;
  }
  return *this;
}

ConnectionPool::Lease::~Lease() {
  release();
}

void ConnectionPool::Lease::release() {
  if (connection_ == nullptr) return;
  if (const auto pool = pool_.lock()) {
    pool->take_back(std::move(connection_));
  } else {
    connection_->abort();
  }
  connection_.reset();
}

ConnectionPool::ConnectionPool(Loop& loop, Dialer& dialer, DialTarget target, PoolOptions options)
    : state_(std::make_shared<State>(loop, dialer, std::move(target), options)) {}

ConnectionPool::~ConnectionPool() {
  close_idle();
}

Task<ConnectionPool::Lease> ConnectionPool::acquire(Reuse reuse) {
  const auto state = state_;
  if (reuse == Reuse::allowed) {
    if (auto connection = state->take_idle()) {
      ++state->stats.reused;
      ++state->stats.leased;
      co_return Lease(state, std::move(connection), true);
    }
  }
  ++state->stats.dialed;
  auto stream = co_await state->dialer.dial(state->target, state->loop.deadline_in(state->options.connect_time));
  if (!stream) {
    ++state->stats.failed;
    co_return std::unexpected(std::move(stream).error());
  }
  ++state->stats.leased;
  co_return Lease(state, std::make_unique<ClientConnection>(*std::move(stream), state->options.client), false);
}

namespace {

Task<> send_and_read_head(ClientConnection& connection, const RequestHead& head, ByteView body, Deadline first_byte) {
  WAXWING_CO_TRY(connection.start(head, body.empty() ? BodyLength::none() : BodyLength::known(body.size())));
  if (!body.empty()) {
    WAXWING_CO_ASSIGN(const Sent sent, connection.finish({&body, 1}));
    if (sent == Sent::blocked) WAXWING_CO_TRY(co_await connection.flush(first_byte));
  }
  co_return co_await connection.read_head(first_byte);
}

}  // namespace

Task<ConnectionPool::Lease> ConnectionPool::exchange(RequestHead head, ByteView body, Repeatable repeatable,
                                                     Deadline first_byte) {
  WAXWING_CO_ASSIGN(Lease lease, co_await acquire(Reuse::allowed));
  auto done = co_await send_and_read_head(*lease, head, body, first_byte);
  if (done) co_return lease;

  const Code code = done.error().code();
  const bool died = code == Code::io || code == Code::truncated;
  if (!died || !lease.reused() || lease->response_bytes() != 0 || repeatable == Repeatable::no) {
    co_return std::unexpected(std::move(done).error());
  }
  lease.release();
  WAXWING_CO_ASSIGN(lease, co_await acquire(Reuse::never));
  WAXWING_CO_TRY(co_await send_and_read_head(*lease, head, body, first_byte));
  co_return lease;
}

void ConnectionPool::close_idle() {
  for (auto& idle : state_->idle) idle.connection->close();
  state_->idle.clear();
}

PoolStats ConnectionPool::stats() const {
  PoolStats stats = state_->stats;
  stats.idle = state_->idle.size();
  return stats;
}

const DialTarget& ConnectionPool::target() const {
  return state_->target;
}

}  // namespace waxwing::net
