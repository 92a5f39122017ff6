// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway/engine.hpp"

#include <arpa/inet.h>

#include <optional>
#include <utility>

namespace waxwing::gateway {
namespace {

using net::Dialer;

bool is_loopback_address(const std::string& host) {
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
  in6_addr v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

net::Deadline within(std::chrono::nanoseconds period) {
  return period == std::chrono::nanoseconds::max() ? net::Deadline::none() : net::Deadline::within(period);
}

net::PoolOptions pool_options(const EngineOptions& options) {
  net::PoolOptions pool;
  pool.idle = 64;
  // Servers in front of engines close idle connections after five seconds and more.
  pool.idle_time = std::chrono::seconds(4);
  pool.connect_time = options.connect;
  return pool;
}

/// An engine that is reached over a socket.
class SocketEngine final : public Engine {
 public:
  SocketEngine(net::Loop& loop, EngineOptions options, std::optional<net::TlsPeer> tls)
      : Engine(std::move(options)),
        direct_(loop),
        guarded_(direct_, reach()),
        pool_(loop, guarded_, net::DialTarget{this->options().target.url.origin, std::move(tls)},
              pool_options(this->options())) {}

  net::Task<net::ConnectionPool::Lease> connect(net::Reuse reuse) override { return pool_.acquire(reuse); }
  net::Task<> close() override {
    pool_.close_idle();
    co_return Result<void>();
  }

 private:
  net::DirectDialer direct_;
  GuardedDialer guarded_;
  net::ConnectionPool pool_;
};

/// Connects to a server of this process over a pair of sockets.
class PairDialer final : public Dialer {
 public:
  PairDialer(net::Loop& loop, net::HttpServer& server, net::TaskGroup& connections)
      : loop_(loop), server_(server), connections_(connections) {}
  net::Task<net::StreamPtr> dial(net::DialTarget /*target*/, net::Deadline /*deadline*/) override {
    WAXWING_CO_ASSIGN(auto pair, net::make_stream_pair(loop_));
    connections_.spawn(server_.serve_stream(std::move(pair.second)));
    co_return std::move(pair.first);
  }

 private:
  net::Loop& loop_;
  net::HttpServer& server_;
  net::TaskGroup& connections_;
};

class InProcessEngine final : public Engine {
 public:
  InProcessEngine(net::Loop& loop, EngineOptions options)
      : Engine(std::move(options)),
        server_(loop, engine_, server_options()),
        connections_(loop),
        dialer_(loop, server_, connections_),
        pool_(loop, dialer_, net::DialTarget{net::Origin{net::Scheme::unix_socket, "", 0, "builtin"}, {}},
              pool_options(this->options())) {}

  net::Task<net::ConnectionPool::Lease> connect(net::Reuse reuse) override { return pool_.acquire(reuse); }
  net::Task<> close() override {
    pool_.close_idle();
    connections_.cancel_all();
    co_return co_await connections_.join(net::Deadline::none());
  }

 private:
  static net::ServerOptions server_options() {
    net::ServerOptions options;
    options.connections = options.connections_per_source = options.requests = SIZE_MAX;  // the gateway's limits hold
    return options;
  }

  BuiltinEngine engine_;
  net::HttpServer server_;
  net::TaskGroup connections_;
  PairDialer dialer_;
  net::ConnectionPool pool_;
};

}  // namespace

EngineReach reach_of(const net::PeerAddress& peer) {
  if (peer.is_unix()) return EngineReach::unix_socket;
  return is_loopback_address(peer.host) ? EngineReach::loopback : EngineReach::remote;
}

Result<EngineTarget> parse_engine(std::string_view text, RemoteEngine remote) {
  if (text == "builtin") return EngineTarget{};
  WAXWING_ASSIGN(net::Url url, net::parse_url(text));
  EngineReach reach = EngineReach::remote;
  if (url.origin.scheme == net::Scheme::unix_socket) {
    reach = EngineReach::unix_socket;
  } else if (url.origin.is_loopback()) {
    reach = EngineReach::loopback;
  }
  if (reach == EngineReach::remote) {
    if (remote == RemoteEngine::refuse) {
      return fail(Code::config_invalid,
                  "the engine is not on this machine: plaintext would leave it; allow_remote = true says that this is "
                  "meant, and the statement will say \"remote\"");
    }
    if (url.origin.scheme != net::Scheme::https) {
      return fail(Code::config_invalid, "an engine that is not on this machine must be https");
    }
  }
  return EngineTarget{reach, std::move(url)};
}

net::Task<net::StreamPtr> GuardedDialer::dial(net::DialTarget target, net::Deadline deadline) {
  WAXWING_CO_ASSIGN(net::StreamPtr stream, co_await dialer_.dial(std::move(target), deadline));
  if (reach_of(stream->peer()) > reach_) {
    stream->abort();
    co_return fail(Code::forbidden, "the engine's address is farther away than the statement says");
  }
  co_return std::move(stream);
}

net::Deadline Engine::first_byte() const {
  return within(options_.first_byte);
}
net::Deadline Engine::idle() const {
  return within(options_.idle);
}

Result<std::unique_ptr<Engine>> Engine::make(net::Loop& loop, EngineOptions options) {
  if (options.target.reach == EngineReach::builtin) {
    return std::make_unique<InProcessEngine>(loop, std::move(options));
  }
  std::optional<net::TlsPeer> tls;
  if (options.target.url.origin.scheme == net::Scheme::https) {
    const net::TlsTrust trust = options.ca_pem.empty() ? net::TlsTrust::system_cas : net::TlsTrust::given_cas;
    WAXWING_ASSIGN(auto context, net::TlsClientContext::make({.trust = trust, .ca_pem = options.ca_pem}));
    tls = net::TlsPeer{std::move(context), {}};
  }
  return std::make_unique<SocketEngine>(loop, std::move(options), std::move(tls));
}

}  // namespace waxwing::gateway
