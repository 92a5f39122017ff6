// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/exchange/replay_guard.hpp"
#include "waxwing/gateway/attestor.hpp"
#include "waxwing/gateway/engine.hpp"
#include "waxwing/gateway/sources.hpp"
#include "waxwing/net/http_server.hpp"
#include "waxwing/net/tls.hpp"
#include "waxwing/observe/log.hpp"

/// The worker's half of protocol waxwing/1 (docs/protocols/waxwing.md): attestation answers and sealed requests.
namespace waxwing::gateway {

/// One more path that reaches the engine: "POST /tokenize".
struct ExtraPath {
  std::string method;
  std::string path;
  friend bool operator==(const ExtraPath&, const ExtraPath&) = default;
};
/// Code::config_invalid unless it is a method, one space and a normalised path without a query.
[[nodiscard]] Result<ExtraPath> parse_extra_path(std::string_view text);

/// Who may use the worker, known by SHA-256 of a bearer key. Empty: everybody.
class ClientKeys {
 public:
  /// Lines of "name:key"; empty lines and lines that begin with "#" are skipped. Wipes nothing: the caller owns the
  /// text. Code::config_invalid names the line.
  [[nodiscard]] static Result<ClientKeys> parse(std::string_view text);
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  /// The name of the key that the value of an Authorization (or x-api-key) field carries, or null. Every entry is
  /// compared, in constant time.
  [[nodiscard]] const std::string* find(std::string_view authorization) const;

 private:
  struct Entry {
    std::string name;
    crypto::Sha256Digest sha256{};
  };
  std::vector<Entry> entries_;
};

struct GatewayOptions {
  std::uint64_t body = std::uint64_t{128} << 20U;  ///< bytes of a request's inner body
  exchange::ReplayOptions replay;
  std::vector<ExtraPath> extra_paths;
  ClientKeys clients;
  std::uint32_t requests_per_minute = 600;                        ///< per client key
  std::uint32_t failed_opens_per_minute = 64;                     ///< per source
  std::size_t requests = 512;                                     ///< sealed ones in progress; beyond: 503
  std::uint32_t requests_per_source = 512;                        ///< the same of one source; beyond: 429
  std::chrono::nanoseconds read_idle{std::chrono::seconds(60)};   ///< between bytes of a request
  std::chrono::nanoseconds write_idle{std::chrono::seconds(60)};  ///< a client that takes nothing
};

/// Serves one listener. Everything it is given outlives it.
class Gateway final : public net::RequestHandler {
 public:
  struct Stats {
    std::uint64_t opened = 0;      ///< requests that reached their inner head
    std::uint64_t not_opened = 0;  ///< did not decrypt
    std::uint64_t refused = 0;     ///< answered without asking the engine
    std::uint64_t answered = 0;    ///< engine's answers delivered whole
    std::uint64_t cut = 0;         ///< engine's answers that ended early, or whose client left
  };

  Gateway(GatewayOptions options, Attestor& attestor, Engine& engine, Random& random, const Clock& clock,
          observe::Logger& log);
  [[nodiscard]] net::Task<> handle(net::ServerConnection& connection) override;
  [[nodiscard]] const Stats& stats() const { return stats_; }

 private:
  friend class SealedRequest;
  [[nodiscard]] net::Task<> attestation(net::ServerConnection& connection);
  [[nodiscard]] net::Task<> request(net::ServerConnection& connection);

  GatewayOptions options_;
  Attestor& attestor_;
  Engine& engine_;
  Random& random_;
  const Clock& clock_;
  observe::Logger& log_;
  exchange::ReplayGuard replays_;
  exchange::RequestIdGuard ids_;
  MinuteCounter failed_opens_;
  MinuteCounter client_requests_;
  RunningCounter running_;
  Stats stats_;
};

/// A key and a self-signed certificate made now, for a listener whose key the statement names: nothing but this process
/// ever holds it.
[[nodiscard]] Result<net::TlsServerContext> make_attested_tls(WallTime now);

}  // namespace waxwing::gateway
