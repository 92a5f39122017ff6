// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway/attestor.hpp"

#include <algorithm>
#include <utility>

namespace waxwing::gateway {

/// The questions that one report answers.
struct Attestor::Round {
  explicit Round(std::uint64_t limit) : batch(limit) {}

  exchange::NonceBatch batch;
  std::optional<exchange::NonceTree> tree;
  std::unordered_map<std::string, std::uint64_t> by_source;
  std::vector<Waiter*> waiters;
  Result<Quote> outcome = fail(Code::internal, "no report was made");
};

/// One question's place in its round; leaves it on every path, also a cancelled one.
class Attestor::Waiter {
 public:
  Waiter(net::Loop& loop, std::shared_ptr<Round> round)
      : done(loop), round_(std::move(round)), at_(round_->waiters.size()) {
    round_->waiters.push_back(this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { round_->waiters[at_] = nullptr; }

  [[nodiscard]] const Round& round() const { return *round_; }
  net::Event done;

 private:
  std::shared_ptr<Round> round_;  // owners: see Attestor::open_
  std::size_t at_;
};

Attestor::Attestor(net::Loop& loop, Reporter& reporter, exchange::WorkerKeys keys, StatementFacts facts,
                   AttestorOptions options, Random& random, observe::Logger& log)
    : loop_(loop),
      reporter_(reporter),
      keys_(std::move(keys)),
      facts_(std::move(facts)),
      options_(options),
      random_(random),
      log_(log),
      wake_(loop),
      open_(std::make_shared<Round>(options.waiting_nonces)) {}

Attestor::~Attestor() = default;

net::Task<Evidence> Attestor::begin() {
  exchange::NonceBatch batch(1);
  WAXWING_CO_TRY(batch.add(random_.array<sizeof(exchange::Nonce)>()));
  WAXWING_CO_ASSIGN(Quote quoted, co_await quote(batch.close().root()));
  co_return std::move(quoted.evidence);
}

net::Task<> Attestor::run() {
  for (;;) WAXWING_CO_TRY(co_await turn());
}

net::Task<> Attestor::turn() {
  const Now at = now();
  if (keys_.due(at)) {
    WAXWING_CO_TRY(keys_.update(random_, at));
    log_.info("worker keys changed", {{"version", ring()->version()}});
  }
  if (!open_->batch.empty()) co_return co_await make_round();
  const net::Wake wake = co_await wake_.wait(net::Deadline::at(keys_.next_change()));
  if (wake == net::Wake::cancelled) co_return fail(Code::cancelled, "the attestor ends");
  wake_.reset();
  co_return Result<void>();
}

net::Task<> Attestor::make_round() {
  // Questions keep joining until the report may be made.
  WAXWING_CO_TRY(co_await wait_for_rate());
  const std::shared_ptr<Round> round = std::exchange(open_, std::make_shared<Round>(options_.waiting_nonces));
  round->tree = round->batch.close();
  round->outcome = co_await quote(round->tree->root());
  finish(*round);
  if (!round->outcome && round->outcome.error().code() == Code::cancelled) {
    co_return fail(Code::cancelled, "the attestor ends");
  }
  co_return Result<void>();
}

net::Task<> Attestor::wait_for_rate() {
  while (now().boot < next_report_) {
    net::Event pause(loop_);
    if (co_await pause.wait(net::Deadline::at(next_report_)) == net::Wake::cancelled) {
      co_return fail(Code::cancelled, "the attestor ends");
    }
  }
  co_return Result<void>();
}

net::Task<Attestor::Quote> Attestor::quote(crypto::MerkleHash nonce_root) {
  // A report that shows a new REPORT_ID vouches for keys that a clone may hold as well: it is thrown away with them.
  // A machine cannot be restored twice in a row without its host meaning harm.
  constexpr int kAttempts = 3;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    WAXWING_CO_TRY(co_await wait_for_rate());
    const Now at = now();
    next_report_ = at.boot + std::chrono::nanoseconds(std::chrono::seconds(1)) / options_.reports_per_second;
    WAXWING_CO_ASSIGN(Bytes text, statement(at));
    ++stats_.reports;
    auto evidence = co_await reporter_.report(exchange::report_data(nonce_root, text));
    if (!evidence) {
      ++stats_.failed;
      if (evidence.error().code() != Code::cancelled) log_.error("no hardware report", {{"error", evidence.error()}});
      co_return std::unexpected(std::move(evidence).error());
    }
    bool replaced = false;
    WAXWING_CO_TRY(notice_report_id(evidence->report_id, replaced));
    if (!replaced) co_return Quote{std::move(text), *std::move(evidence)};
  }
  co_return fail(Code::io, "REPORT_ID changes with every report");
}

Result<void> Attestor::notice_report_id(const ByteArray<32>& report_id, bool& replaced) {
  replaced = report_id_ && *report_id_ != report_id;
  report_id_ = report_id;
  if (!replaced) return {};
  ++stats_.replaced;
  log_.warn("REPORT_ID changed: this machine was restored or cloned; all keys are made anew");
  return keys_.replace(random_, now());
}

Result<Bytes> Attestor::statement(Now at) const {
  const auto ring = keys_.ring();
  exchange::Statement statement;
  statement.worker = ring->worker();
  statement.keys = ring->encoded();
  statement.tls_spki_sha256 = facts_.tls_spki_sha256;
  statement.engine_reach = facts_.engine_reach;
  statement.config_sha256 = facts_.config_sha256;
  statement.build = facts_.build;
  statement.features = {std::string(exchange::kFeaturePad256)};
  statement.issued_at = from_unix(to_unix(at.wall));
  statement.expires_at = statement.issued_at + std::max(ring->life(at), std::chrono::seconds(1));
  return exchange::encode_statement(statement);
}

Result<std::uint64_t> Attestor::join(const exchange::Nonce& nonce, const std::string& source) {
  std::uint64_t& of_source = waiting_by_source_[source];
  if (waiting_ >= options_.waiting_nonces || of_source >= options_.waiting_per_source) {
    if (of_source == 0) waiting_by_source_.erase(source);
    ++stats_.refused;
    return fail(Code::rate_limited, "too many attestation questions wait");
  }
  WAXWING_ASSIGN(const std::uint64_t place, open_->batch.add(nonce));
  ++of_source;
  ++open_->by_source[source];
  ++waiting_;
  return place;
}

void Attestor::finish(Round& round) {
  for (const auto& [source, count] : round.by_source) {
    const auto found = waiting_by_source_.find(source);
    found->second -= count;
    if (found->second == 0) waiting_by_source_.erase(found);
    waiting_ -= count;
  }
  for (Waiter* waiter : round.waiters) {
    if (waiter != nullptr) waiter->done.signal();
  }
}

net::Task<std::string> Attestor::attest(exchange::Nonce nonce, std::string source) {
  WAXWING_CO_ASSIGN(const std::uint64_t place, join(nonce, source));
  Waiter waiter(loop_, open_);
  wake_.signal();
  // The round ends on its own: the reporter has a deadline.
  WAXWING_CO_TRY(net::to_result(co_await waiter.done.wait(net::Deadline::none()), "waiting for a hardware report"));
  const Round& round = waiter.round();
  if (!round.outcome) co_return std::unexpected(round.outcome.error());
  exchange::AttestationDocument document;
  document.statement = round.outcome->statement;
  document.evidence = {round.outcome->evidence.item};
  document.nonce_path = round.tree->path(place);
  co_return exchange::encode_document(document);
}

}  // namespace waxwing::gateway
