// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/exchange/document.hpp"
#include "waxwing/exchange/nonce_batch.hpp"
#include "waxwing/exchange/statement.hpp"
#include "waxwing/exchange/worker_keys.hpp"
#include "waxwing/gateway/evidence_source.hpp"
#include "waxwing/net/event.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/observe/log.hpp"

namespace waxwing::gateway {

struct AttestorOptions {
  unsigned reports_per_second = 2;       ///< hardware reports, at least 1
  std::uint64_t waiting_nonces = 16384;  ///< at most exchange::kMaxNonces
  std::uint64_t waiting_per_source = 64;
};

/// What a statement says beside keys and times.
struct StatementFacts {
  std::optional<crypto::Sha256Digest> tls_spki_sha256;
  exchange::EngineReach engine_reach = exchange::EngineReach::remote;
  crypto::Sha256Digest config_sha256{};
  std::string build;
};

/// Owns the worker's keys and answers attestation questions: nonces that come while a report is being made, or sooner
/// after one than the rate allows, share the next one. A question to an idle gateway is answered at once.
///
///     tasks.spawn(attestor.run());
///     WAXWING_CO_TRY(co_await attestor.begin());                        // evidence can be had
///     WAXWING_CO_ASSIGN(std::string json, co_await attestor.attest(nonce, source));
class Attestor {
 public:
  struct Stats {
    std::uint64_t reports = 0;   ///< asked of the hardware
    std::uint64_t failed = 0;    ///< of these
    std::uint64_t refused = 0;   ///< questions beyond a limit
    std::uint64_t replaced = 0;  ///< keys made anew because REPORT_ID changed
  };

  Attestor(net::Loop& loop, Reporter& reporter, exchange::WorkerKeys keys, StatementFacts facts,
           AttestorOptions options, Random& random, observe::Logger& log);
  ~Attestor();

  /// One report that nobody asked for: learns this instance's REPORT_ID and shows that evidence can be had.
  [[nodiscard]] net::Task<Evidence> begin();
  /// Makes reports and rotates keys until cancelled. One task runs it.
  [[nodiscard]] net::Task<> run();
  /// The attestation document for this nonce. Code::rate_limited when too many wait (in all, or of this source); the
  /// error of the report otherwise.
  [[nodiscard]] net::Task<std::string> attest(exchange::Nonce nonce, std::string source);

  /// The keys that requests are opened with now.
  [[nodiscard]] std::shared_ptr<const exchange::WorkerKeyRing> ring() const { return keys_.ring(); }
  [[nodiscard]] const Stats& stats() const { return stats_; }
  [[nodiscard]] std::uint64_t waiting() const { return waiting_; }

 private:
  struct Round;
  class Waiter;
  struct Quote {
    Bytes statement;
    Evidence evidence;
  };

  [[nodiscard]] Result<std::uint64_t> join(const exchange::Nonce& nonce, const std::string& source);
  [[nodiscard]] net::Task<> turn();
  [[nodiscard]] net::Task<> make_round();
  [[nodiscard]] net::Task<Quote> quote(crypto::MerkleHash nonce_root);
  [[nodiscard]] net::Task<> wait_for_rate();
  [[nodiscard]] Result<Bytes> statement(Now at) const;
  [[nodiscard]] Result<void> notice_report_id(const ByteArray<32>& report_id, bool& replaced);
  void finish(Round& round);
  [[nodiscard]] Now now() const { return loop_.clock().now(); }

  net::Loop& loop_;
  Reporter& reporter_;
  exchange::WorkerKeys keys_;
  StatementFacts facts_;
  AttestorOptions options_;
  Random& random_;
  observe::Logger& log_;

  net::Event wake_;
  std::shared_ptr<Round> open_;  // owners: this until closed, make_round() meanwhile, its waiters
  std::uint64_t waiting_ = 0;
  std::unordered_map<std::string, std::uint64_t> waiting_by_source_;
  BootTime next_report_{};
  std::optional<ByteArray<32>> report_id_;
  Stats stats_;
};

}  // namespace waxwing::gateway
