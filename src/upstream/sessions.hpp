// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "waxwing/net/event.hpp"
#include "waxwing/net/pool.hpp"
#include "waxwing/provider/waxwing/request.hpp"
#include "waxwing/sealed/ohttp.hpp"
#include "waxwing/upstream/provider.hpp"

namespace waxwing::upstream {

/// One attested worker for as long as its key lives.
struct Session {
  Session(std::shared_ptr<const exchange::SessionKey> session_key, std::size_t contexts_ready)
      : key(std::move(session_key)), contexts(key, contexts_ready) {}

  std::shared_ptr<const exchange::SessionKey> key;  // owners: this, its ContextPool, requests in progress
  sealed::ContextPool contexts;
  std::shared_ptr<net::ConnectionPool> connections;  // owners: Sessions (by pin) and requests in progress
  appraisal::Verdict verdict;
  BootTime asked_at{};  ///< when the nonce of its attestation was drawn
  BootTime renew_at{};
};
using SessionPtr = std::shared_ptr<Session>;  // owners: Sessions and requests in progress

/// What an attestation brought, and when it was asked for.
struct Attestation {
  provider::native::Attested attested;
  BootTime asked_at;
};
[[nodiscard]] net::Task<Attestation> fetch_and_judge(const Environment& environment, const ProviderOptions& options,
                                                     const net::TlsClientContext* tls, const appraisal::Policy& policy);
/// What the worker is judged by beside the policy: with tls = attested its statement must name the connection's key.
[[nodiscard]] provider::native::ClientPolicy client_policy(const ProviderOptions& options);
/// The client context that the options ask for; none for plain.
[[nodiscard]] Result<std::optional<net::TlsClientContext>> make_tls(const ProviderOptions& options);

/// The live sessions of one URL and the one task that makes them. Attestation is single-flight: requests ask and wait,
/// maintain() does it.
class Provider::Sessions {
 public:
  Sessions(const Environment& environment, ProviderOptions options, std::shared_ptr<const appraisal::Policy> policy);

  [[nodiscard]] net::Task<> maintain();
  /// A live session, made if need be; the last failure at once while its pause lasts.
  [[nodiscard]] net::Task<SessionPtr> acquire(net::Deadline deadline);
  /// After a hint that `used` no longer holds its key: the session to go on with, freshly attested.
  /// Code::worker_changed while hints are paused.
  [[nodiscard]] net::Task<SessionPtr> reattest(const SessionPtr& used, net::Deadline deadline);
  [[nodiscard]] Readiness readiness() const;
  [[nodiscard]] std::optional<appraisal::Verdict> last_verdict() const;
  [[nodiscard]] std::string label() const { return live_.empty() ? std::string() : live_.front()->key->label(); }

  [[nodiscard]] const Environment& environment() const { return environment_; }
  [[nodiscard]] const ProviderOptions& options() const { return options_; }
  [[nodiscard]] Now now() const { return environment_.loop.clock().now(); }

 private:
  [[nodiscard]] net::Task<> attest_once();
  [[nodiscard]] Result<void> adopt(Attestation attestation, BootTime began);
  [[nodiscard]] std::shared_ptr<net::ConnectionPool> connections_for(const exchange::SessionKey& key);
  [[nodiscard]] SessionPtr pick();
  void drop_dead();
  [[nodiscard]] bool due() const;
  [[nodiscard]] BootTime next_due() const;
  [[nodiscard]] net::Task<> changed(net::Deadline deadline);
  void notify();
  void failed(const Error& error);

  Environment environment_;
  ProviderOptions options_;
  std::shared_ptr<const appraisal::Policy> policy_;
  std::optional<net::TlsClientContext> tls_;
  std::optional<Error> broken_;  ///< the options cannot work

  std::vector<SessionPtr> live_;
  std::size_t next_ = 0;  ///< round robin over live_
  std::map<std::optional<crypto::Sha256Digest>, std::shared_ptr<net::ConnectionPool>> pools_;
  provider::native::ReattestGate gate_;

  net::Event wake_;
  std::vector<net::Event*> waiters_;
  bool wanted_ = false;
  bool attesting_ = false;
  std::uint64_t attempts_ = 0;  ///< finished attestations
  std::optional<Error> last_error_;
  BootTime retry_at_{};
  std::chrono::nanoseconds pause_{0};
};

}  // namespace waxwing::upstream
