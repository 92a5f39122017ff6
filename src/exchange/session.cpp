// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/key_config.hpp"

namespace waxwing::exchange {
namespace {

using appraisal::TrustedWorker;
using evidence::Checklist;

constexpr std::string_view kClauseBinding = "docs/protocols/waxwing.md 4";
constexpr std::string_view kClauseStatement = "docs/protocols/waxwing.md 3";
constexpr std::string_view kClauseAcceptance = "docs/protocols/waxwing.md 5";

// What we choose between, best first. AES-128-GCM is not among them.
constexpr std::array kAeads = {crypto::AeadId::aes_256_gcm, crypto::AeadId::chacha20_poly1305};

template <class Range, class Value>
bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

Result<Statement> check_statement(const AttestationDocument& document, Checklist& checks) {
  auto statement = parse_statement(document.statement);
  const bool readable = checks.require("statement.format", statement.has_value(), "a statement of waxwing/1",
                                       statement ? "one" : statement.error().text(), kClauseStatement);
  if (readable && statement) return statement;
  const bool foreign = !statement && statement.error().code() == Code::unsupported;
  return fail(foreign ? Code::evidence_unsupported : Code::evidence_malformed, "the statement cannot be read");
}

void check_engine(const TrustedWorker& worker, const Statement& statement, Checklist& checks) {
  const appraisal::EnginePolicy& engine = worker.engine();
  std::string accepted;
  for (const EngineReach reach : engine.reach) {
    accepted += accepted.empty() ? "" : ", ";
    accepted += appraisal::to_string(reach);
  }
  checks.require("engine.reach", contains(engine.reach, statement.engine_reach), std::move(accepted),
                 std::string(appraisal::to_string(statement.engine_reach)), kClauseAcceptance);

  if (engine.config_sha256.empty()) {
    checks.skip("engine.config", "the policy names no configuration", kClauseAcceptance);
  } else {
    checks.require("engine.config", contains(engine.config_sha256, statement.config_sha256),
                   "a configuration the policy names", to_hex(statement.config_sha256), kClauseAcceptance);
  }
}

void check_channel(const Statement& statement, const ExchangePolicy& policy, Checklist& checks) {
  const bool only_post_quantum = !contains(policy.kems, crypto::KemId::x25519);
  checks.advise("channel.post-quantum", only_post_quantum, "x-wing alone",
                only_post_quantum ? "x-wing" : "x25519 allowed", kClauseAcceptance);

  const bool pads = statement.has_feature(kFeaturePad256);
  const std::string found = pads ? "announced" : "not announced";
  switch (policy.padding) {
    case Demand::required:
      checks.require("channel.padding", pads, std::string(kFeaturePad256), found, kClauseAcceptance);
      break;
    case Demand::if_present:
      checks.advise("channel.padding", pads, std::string(kFeaturePad256), found, kClauseAcceptance);
      break;
  }
}

/// A TLS key that the statement names is the one at the other end, or someone stands between.
void check_tls(const Statement& statement, const Answer& answer, const ExchangePolicy& policy, Checklist& checks) {
  const auto& named = statement.tls_spki_sha256;
  if (!named && policy.tls_binding == Demand::if_present) {
    checks.skip("channel.tls-binding", "the statement names no TLS key", kClauseAcceptance);
  } else if (!named) {
    checks.require("channel.tls-binding", false, "a statement that names the TLS key", "none", kClauseAcceptance);
  } else if (!answer.peer) {
    checks.skip("channel.tls-binding", "the document did not come over a connection", kClauseAcceptance);
  } else {
    const auto& found = answer.peer->spki_sha256;
    checks.require("channel.tls-binding", found == named, to_hex(*named), found ? to_hex(*found) : "no TLS",
                   kClauseAcceptance);
  }
}

std::optional<crypto::AeadId> choose_aead(const crypto::KeyConfig& key) {
  const auto offered = std::ranges::find_if(kAeads, [&](crypto::AeadId id) { return contains(key.aeads, id); });
  return offered == kAeads.end() ? std::nullopt : std::optional(*offered);
}

/// The worker lists the key it wants first; the client takes the first it accepts.
std::vector<crypto::KeyConfig>::iterator choose_key(std::vector<crypto::KeyConfig>& keys,
                                                    const ExchangePolicy& policy) {
  return std::ranges::find_if(keys, [&](const crypto::KeyConfig& key) {
    return contains(policy.kems, key.public_key.id()) && choose_aead(key).has_value();
  });
}

KeyFingerprint fingerprint_of(const WorkerId& worker, const crypto::KeyConfig& key) {
  return {worker, key.key_id, crypto::sha256(key.encoding)};
}

struct Life {
  WallTime not_after;
  BootTime deadline;
};

/// The earliest end of all that the session rests on, on both clocks.
Life life_of(const TrustedWorker& worker, const Statement& statement, const ExchangePolicy& policy, Now drawn) {
  const std::chrono::seconds longest = std::min(statement.life(), policy.max_age);
  return {std::min(worker.not_after(), drawn.wall + longest), std::min(worker.deadline(), drawn.boot + longest)};
}

bool is_over(const Life& life, Now now) {
  return now.wall >= life.not_after || now.boot >= life.deadline;
}

}  // namespace

Result<void> check_binding(const ByteArray<64>& proven_report_data, const Answer& answer, Checklist& checks) {
  const auto root = nonce_root(answer.nonce, answer.document.nonce_path);
  const bool path_holds = checks.require("nonce.path", root.has_value(), "an audit path of our nonce",
                                         root ? "a path of that shape" : root.error().text(), kClauseBinding);
  if (!path_holds || !root) return fail(Code::evidence_rejected, "the nonce's path is not one");

  const auto expected = report_data(*root, answer.document.statement);
  const bool bound = checks.require("report-data.binding", constant_time_equal(expected, proven_report_data),
                                    to_hex(expected), to_hex(proven_report_data), kClauseBinding);
  if (!bound) return fail(Code::evidence_rejected, "the report was not made for this nonce and this statement");
  return {};
}

Result<SessionKey> establish(const TrustedWorker& worker, const Answer& answer, const ExchangePolicy& policy, Now now,
                             Checklist& checks) {
  // Nothing that the document says counts before this holds.
  WAXWING_TRY(check_binding(worker.report_data(), answer, checks));
  WAXWING_ASSIGN(Statement statement, check_statement(answer.document, checks));

  check_engine(worker, statement, checks);
  check_channel(statement, policy, checks);
  check_tls(statement, answer, policy, checks);
  const Life life = life_of(worker, statement, policy, answer.drawn);
  checks.require("session.life", !is_over(life, now), "an end ahead of us", to_rfc3339(life.not_after),
                 kClauseAcceptance);

  auto keys = crypto::parse_key_list(statement.keys);
  const bool listed = checks.require("channel.keys", keys.has_value(), "an application/ohttp-keys list",
                                     keys ? "one" : keys.error().text(), "RFC 9458 section 3.2");
  if (!listed || !keys) return fail(Code::evidence_malformed, "the worker's key list cannot be read");
  const auto key = choose_key(*keys, policy);
  const bool found = key != keys->end();
  checks.require("channel.suites", found, "a key of an accepted KEM with AES-256-GCM or ChaCha20-Poly1305",
                 found ? std::string(crypto::to_string(key->public_key.id())) : "none", kClauseAcceptance);
  if (checks.failed() || !found) return fail(Code::policy_refused, "the worker's channel is not one we accept");

  std::vector<KeyFingerprint> list;
  for (const crypto::KeyConfig& each : *keys) list.push_back(fingerprint_of(statement.worker, each));
  const KeyFingerprint fingerprint = fingerprint_of(statement.worker, *key);
  const crypto::AeadId aead = *choose_aead(*key);
  return SessionKey(std::move(statement), crypto::sha256(answer.document.statement), fingerprint, std::move(list),
                    std::move(key->public_key), aead, worker.anchor_label(), life.not_after, life.deadline);
}

SessionKey::SessionKey(Statement statement, crypto::Sha256Digest statement_sha256, KeyFingerprint fingerprint,
                       std::vector<KeyFingerprint> list, crypto::KemPublicKey public_key, crypto::AeadId aead,
                       std::string label, WallTime not_after, BootTime deadline)
    : statement_(std::move(statement)),
      statement_sha256_(statement_sha256),
      fingerprint_(fingerprint),
      list_(std::move(list)),
      public_key_(std::move(public_key)),
      aead_(aead),
      label_(std::move(label)),
      not_after_(not_after),
      deadline_(deadline) {}

Result<void> SessionKey::usable(Now now) const {
  if (is_over({not_after_, deadline_}, now)) return fail(Code::expired, "the session's proof is over");
  return {};
}

bool SessionKey::lists(const KeyFingerprint& key) const {
  return contains(list_, key);
}

}  // namespace waxwing::exchange
