// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "sessions.hpp"

#include <algorithm>
#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/observe/log.hpp"

namespace waxwing::upstream {

namespace native = provider::native;
using observe::Text;

namespace {

constexpr std::chrono::seconds kFirstPause{1};
constexpr std::chrono::seconds kLongestPause{60};
/// Renewed after this share of a session's life, so that a slow or absent worker leaves time to try again.
constexpr int kRenewAtPercent = 80;

}  // namespace

Provider::Sessions::Sessions(const Environment& environment, ProviderOptions options,
                             std::shared_ptr<const appraisal::Policy> policy)
    : environment_(environment), options_(std::move(options)), policy_(std::move(policy)), wake_(environment.loop) {
  if (auto checked = check(options_); !checked) {
    broken_ = std::move(checked).error();
    return;
  }
  auto tls = make_tls(options_);
  if (!tls)
    broken_ = std::move(tls).error();
  else
    tls_ = *std::move(tls);
}

net::Task<> Provider::Sessions::maintain() {
  while (true) {
    drop_dead();
    if (!broken_ && due()) {
      auto made = co_await attest_once();
      if (!made && made.error().code() == Code::cancelled) co_return std::unexpected(std::move(made).error());
      continue;
    }
    // Idle time pays for encapsulations that requests will need; one or two a turn never hold up the loop.
    bool filling = false;
    for (const SessionPtr& session : live_) filling |= session->contexts.refill(1, now(), environment_.random) > 0;
    if (filling) {
      wake_.signal();
    }
    const net::Wake wake = co_await wake_.wait(net::Deadline::at(next_due()));
    if (wake == net::Wake::cancelled) co_return fail(Code::cancelled, "sessions are not maintained any more");
  }
}

bool Provider::Sessions::due() const {
  const BootTime at = now().boot;
  if (at < retry_at_) return false;
  if (wanted_ || live_.empty()) return true;
  return std::ranges::any_of(live_, [&](const SessionPtr& s) { return at >= s->renew_at; });
}

BootTime Provider::Sessions::next_due() const {
  if (broken_) return BootTime::max();
  BootTime next = live_.empty() || wanted_ ? retry_at_ : BootTime::max();
  for (const SessionPtr& session : live_) next = std::min({next, session->renew_at, session->key->deadline()});
  return std::max(next, retry_at_);
}

void Provider::Sessions::drop_dead() {
  std::erase_if(live_, [&](const SessionPtr& session) { return !session->key->usable(now()); });
}

net::Task<> Provider::Sessions::attest_once() {
  wanted_ = false;
  attesting_ = true;
  const BootTime began = now().boot;
  auto attestation = co_await fetch_and_judge(environment_, options_, tls_ ? &*tls_ : nullptr, *policy_);
  attesting_ = false;
  Result<void> adopted;
  if (!attestation)
    adopted = std::unexpected(std::move(attestation).error());
  else
    adopted = adopt(*std::move(attestation), began);
  if (!adopted && adopted.error().code() == Code::cancelled) co_return adopted;
  if (!adopted) {
    failed(adopted.error());
  } else {
    last_error_.reset();
    pause_ = {};
    retry_at_ = {};
  }
  ++attempts_;
  notify();
  co_return adopted;
}

Result<void> Provider::Sessions::adopt(Attestation attestation, BootTime began) {
  if (!attestation.attested.key) return std::unexpected(std::move(attestation.attested.key).error());
  auto session = std::make_shared<Session>(*attestation.attested.key, options_.contexts);
  session->connections = connections_for(*session->key);
  session->verdict = std::move(attestation.attested.verdict);
  session->asked_at = attestation.asked_at;
  session->renew_at = began + (session->key->deadline() - began) / 100 * kRenewAtPercent;
  environment_.log.info("worker attested", {{"provider", Text(options_.name)},
                                            {"worker", Text(to_base64url(session->key->worker()))},
                                            {"label", Text(session->key->label())},
                                            {"key", session->key->key_id()},
                                            {"for", session->key->deadline() - now().boot}});

  const auto same = std::ranges::find_if(
      live_, [&](const SessionPtr& other) { return other->key->worker() == session->key->worker(); });
  if (same != live_.end()) {
    *same = std::move(session);
    return {};
  }
  if (live_.size() >= options_.workers) {
    const auto oldest = std::ranges::min_element(live_, {}, [](const SessionPtr& s) { return s->renew_at; });
    live_.erase(oldest);
  }
  // A session that is due for renewal and was answered by another worker keeps its own end; it is not asked for again.
  for (const SessionPtr& other : live_)
    if (now().boot >= other->renew_at) other->renew_at = other->key->deadline();
  live_.push_back(std::move(session));
  return {};
}

std::shared_ptr<net::ConnectionPool> Provider::Sessions::connections_for(const exchange::SessionKey& key) {
  const auto& pin = key.statement().tls_spki_sha256;
  if (const auto found = pools_.find(pin); found != pools_.end()) return found->second;
  std::erase_if(pools_, [](const auto& entry) { return entry.second.use_count() == 1; });
  net::DialTarget target{.origin = options_.url.origin, .tls = std::nullopt};
  if (tls_) target.tls = net::TlsPeer{*tls_, pin};
  net::PoolOptions pool_options;
  pool_options.connect_time = options_.connect;
  auto made = std::make_shared<net::ConnectionPool>(environment_.loop, environment_.dialer, std::move(target),
                                                    std::move(pool_options));
  pools_.emplace(pin, made);
  return made;
}

void Provider::Sessions::failed(const Error& error) {
  pause_ = pause_.count() == 0 ? kFirstPause : std::min<std::chrono::nanoseconds>(pause_ * 2, kLongestPause);
  retry_at_ = now().boot + pause_;
  last_error_ = error;
  environment_.log.warn("attestation failed",
                        {{"provider", Text(options_.name)}, {"error", error}, {"again_in", pause_}});
}

SessionPtr Provider::Sessions::pick() {
  drop_dead();
  if (live_.empty()) return nullptr;
  next_ = (next_ + 1) % live_.size();
  return live_[next_];
}

net::Task<SessionPtr> Provider::Sessions::acquire(net::Deadline deadline) {
  while (true) {
    if (broken_) co_return std::unexpected(*broken_);
    if (SessionPtr session = pick()) {
      if (session->contexts.ready() == 0) wake_.signal();
      co_return session;
    }
    if (last_error_ && now().boot < retry_at_) co_return std::unexpected(*last_error_);
    if (!attesting_) wanted_ = true;
    wake_.signal();
    const std::uint64_t before = attempts_;
    while (attempts_ == before) WAXWING_CO_TRY(co_await changed(deadline));
    if (live_.empty() && last_error_) co_return std::unexpected(*last_error_);
  }
}

net::Task<SessionPtr> Provider::Sessions::reattest(const SessionPtr& used, net::Deadline deadline) {
  // Somebody else's hint may have brought a newer list already.
  for (const SessionPtr& session : live_)
    if (session != used && !session->key->lists(used->key->fingerprint()) &&
        session->key->worker() == used->key->worker())
      co_return session;

  const auto decision = gate_.hint(now());
  if (const auto* pause = std::get_if<native::ReattestGate::Pause>(&decision))
    co_return std::unexpected(Error(Code::worker_changed, "the worker's edge says again and again that its key is gone")
                                  .with_retry_after(pause->retry_after));
  const bool mine = std::holds_alternative<native::ReattestGate::Begin>(decision);
  // One that is under way may have been asked before the key changed: it proves nothing about the hint.
  const std::uint64_t needed = attempts_ + (attesting_ ? 2 : 1);
  wanted_ = true;
  retry_at_ = {};  // the gate paces hints; the pause after failures is for tries that nobody asked for
  wake_.signal();
  Result<void> waited;
  while (waited && attempts_ < needed) waited = co_await changed(deadline);

  SessionPtr fresh;
  if (waited && !last_error_)
    for (const SessionPtr& session : live_)
      if (session != used && (!fresh || session->asked_at > fresh->asked_at)) fresh = session;
  const bool proved = fresh && !fresh->key->lists(used->key->fingerprint());
  if (mine)
    gate_.finished(proved ? native::ReattestGate::Proved::key_change : native::ReattestGate::Proved::nothing, now());
  // A worker whose key is proven gone from behind this address serves nobody any more.
  if (proved) std::erase(live_, used);
  if (!waited) co_return std::unexpected(std::move(waited).error());
  if (last_error_) co_return std::unexpected(*last_error_);
  if (!fresh) co_return fail(Code::worker_changed, "the worker could not be attested again");
  co_return fresh;
}

net::Task<> Provider::Sessions::changed(net::Deadline deadline) {
  net::Event event(environment_.loop);
  waiters_.push_back(&event);
  const net::Wake wake = co_await event.wait(deadline);
  std::erase(waiters_, &event);
  co_return net::to_result(wake, "waiting for an attested worker");
}

void Provider::Sessions::notify() {
  for (net::Event* waiter : waiters_) waiter->signal();
}

std::optional<appraisal::Verdict> Provider::Sessions::last_verdict() const {
  const auto newest = std::ranges::max_element(live_, {}, [](const SessionPtr& s) { return s->asked_at; });
  return newest == live_.end() ? std::nullopt : std::optional((*newest)->verdict);
}

Readiness Provider::Sessions::readiness() const {
  Readiness readiness;
  for (const SessionPtr& session : live_) {
    if (!session->key->usable(now())) continue;
    readiness.sessions.push_back({.worker = to_base64url(session->key->worker()),
                                  .label = session->key->label(),
                                  .statement_sha256 = to_hex(session->key->statement_sha256()),
                                  .key_id = session->key->key_id(),
                                  .not_after = session->key->not_after()});
  }
  readiness.last_error = broken_ ? broken_ : last_error_;
  return readiness;
}

}  // namespace waxwing::upstream
