// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "waxwing/base/error.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/exchange/statement.hpp"
#include "waxwing/net/dialer.hpp"
#include "waxwing/net/http_server.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/pool.hpp"
#include "waxwing/net/task_group.hpp"
#include "waxwing/net/url.hpp"

/// The OpenAI-compatible server that the plaintext goes to.
namespace waxwing::gateway {

using exchange::EngineReach;

enum class RemoteEngine : std::uint8_t { refuse, allow };

/// An engine's address and how far away it may be.
struct EngineTarget {
  EngineReach reach = EngineReach::builtin;
  net::Url url;  ///< of no meaning for builtin
};

/// "builtin", "unix:/path", "http://..." or "https://...". Only a loopback address or "localhost" is loopback; every
/// other host is remote, which must be allowed and be https. Code::config_invalid.
[[nodiscard]] Result<EngineTarget> parse_engine(std::string_view text, RemoteEngine remote);

/// How far away the other end of a connection is.
[[nodiscard]] EngineReach reach_of(const net::PeerAddress& peer);

/// Refuses a connection that ended up farther away than the statement says (Code::forbidden): names can move.
class GuardedDialer final : public net::Dialer {
 public:
  GuardedDialer(net::Dialer& dialer, EngineReach reach) : dialer_(dialer), reach_(reach) {}
  [[nodiscard]] net::Task<net::StreamPtr> dial(net::DialTarget target, net::Deadline deadline) override;

 private:
  net::Dialer& dialer_;
  EngineReach reach_;
};

struct EngineOptions {
  EngineTarget target;
  std::string ca_pem;   ///< CAs for https; empty: the machine's
  SecretBytes api_key;  ///< sent as a bearer token; empty: the client's own field passes
  std::chrono::nanoseconds connect{std::chrono::seconds(10)};
  std::chrono::nanoseconds first_byte = std::chrono::nanoseconds::max();  ///< max(): none
  std::chrono::nanoseconds idle{std::chrono::minutes(10)};                ///< max(): none
};

/// Connections to the engine, whichever kind it is. No redirect is followed and no proxy variable is read.
///
///     WAXWING_CO_ASSIGN(auto lease, co_await engine.connect());   // a net::ClientConnection
class Engine {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Engine>> make(net::Loop& loop, EngineOptions options);
  virtual ~Engine() = default;

  /// Code::worker_unreachable, Code::deadline, Code::forbidden (see GuardedDialer).
  [[nodiscard]] virtual net::Task<net::ConnectionPool::Lease> connect(net::Reuse reuse) = 0;
  /// Ends what the engine keeps running; before the loop ends.
  [[nodiscard]] virtual net::Task<> close() = 0;

  [[nodiscard]] EngineReach reach() const { return options_.target.reach; }
  [[nodiscard]] const EngineOptions& options() const { return options_; }
  [[nodiscard]] net::Deadline first_byte() const;
  [[nodiscard]] net::Deadline idle() const;

 protected:
  explicit Engine(EngineOptions options) : options_(std::move(options)) {}

 private:
  EngineOptions options_;
};

inline constexpr std::string_view kBuiltinModel = "waxwing-builtin";

/// A tiny deterministic engine inside the gateway, for demonstrations and tests: it repeats what it was asked and says
/// in every answer that it is no language model. Chat completions and completions (whole and streamed, with usage), a
/// tool call where one is wanted, the model list.
class BuiltinEngine final : public net::RequestHandler {
 public:
  [[nodiscard]] net::Task<> handle(net::ServerConnection& connection) override;
};

}  // namespace waxwing::gateway
