// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "waxwing/net/dialer.hpp"
#include "waxwing/net/http_client.hpp"
#include "waxwing/net/loop.hpp"

namespace waxwing::net {

struct PoolOptions {
  std::size_t idle = 32;                                            ///< connections kept without work
  std::chrono::nanoseconds idle_time{std::chrono::seconds(60)};     ///< below the peer's keep-alive, or it races
  std::chrono::nanoseconds connect_time{std::chrono::seconds(10)};  ///< name, connect and handshake
  ClientOptions client{};
};

struct PoolStats {
  std::uint64_t dialed = 0, reused = 0, stale = 0, failed = 0;
  std::size_t idle = 0, leased = 0;  ///< now
};

enum class Reuse : std::uint8_t { allowed, never };
enum class Repeatable : std::uint8_t { no, yes };

/// Connections to one target (origin and TLS peer; a new pin is a new pool). Most recently used first; an idle one is
/// looked at before it is lent, and one that the peer closed is dropped.
///
///     ConnectionPool pool(loop, dialer, {url.origin, TlsPeer{context, pin}}, {});
///     WAXWING_CO_ASSIGN(auto lease, co_await pool.acquire(Reuse::allowed));
///     lease->start(...);                       // a ClientConnection
///     // at the end of its scope it goes back if reusable(), else it is aborted
///
/// A reused connection can die between the look and the request. With lease.reused() and connection->response_bytes()
/// == 0 a caller that can repeat its request acquires again with Reuse::never. exchange() does so for requests held
/// whole in memory.
class ConnectionPool {
 public:
  class Lease;
  ConnectionPool(Loop& loop, Dialer& dialer, DialTarget target, PoolOptions options);
  /// Leases may outlive the pool; their connections then end with them.
  ~ConnectionPool();

  /// Within connect_time; the dialer's errors.
  [[nodiscard]] Task<Lease> acquire(Reuse reuse);
  /// Sends a whole request and reads the response head (lease->response()). With Repeatable::yes one retry on a fresh
  /// connection if a reused one gave not a single byte. `first_byte` is counted for each attempt; `body` is borrowed.
  [[nodiscard]] Task<Lease> exchange(RequestHead head, ByteView body, Repeatable repeatable, Deadline first_byte);

  /// Drops idle connections; leased ones are not taken back.
  void close_idle();
  [[nodiscard]] PoolStats stats() const;
  [[nodiscard]] const DialTarget& target() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // owners: the pool and, weakly, its leases
};

class ConnectionPool::Lease {
 public:
  Lease() = default;
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease();
  [[nodiscard]] ClientConnection& operator*() const { return *connection_; }
  [[nodiscard]] ClientConnection* operator->() const { return connection_.get(); }
  [[nodiscard]] bool reused() const { return reused_; }
  /// Gives the connection back (or ends it) now.
  void release();

 private:
  friend class ConnectionPool;
  Lease(std::weak_ptr<State> pool, std::unique_ptr<ClientConnection> connection, bool reused)
      : pool_(std::move(pool)), connection_(std::move(connection)), reused_(reused) {}
  std::weak_ptr<State> pool_;
  std::unique_ptr<ClientConnection> connection_;
  bool reused_ = false;
};

}  // namespace waxwing::net
