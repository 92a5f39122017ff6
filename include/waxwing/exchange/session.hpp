// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/aead.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/evidence/check.hpp"
#include "waxwing/exchange/document.hpp"
#include "waxwing/exchange/statement.hpp"

namespace waxwing::exchange {

enum class Demand : std::uint8_t { if_present, required };

/// What this client accepts of a worker's channel. What it accepts of the worker's inside (engine reach, configuration)
/// came with the policy that trusted it.
struct ExchangePolicy {
  /// KEMs that may seal for this worker. X25519 counts only when listed by name, and every verdict warns then.
  std::vector<crypto::KemId> kems{crypto::KemId::x_wing};
  Demand padding = Demand::required;        ///< the feature pad-256
  Demand tls_binding = Demand::if_present;  ///< tls_spki_sha256 in the statement
  /// Longest life of a session since the nonce was drawn, however often it is judged again meanwhile.
  std::chrono::seconds max_age = std::chrono::hours(1);
};

/// The other end of the connection that a document came over: SHA-256 of its TLS key's SubjectPublicKeyInfo, or nothing
/// on a connection without TLS.
struct PeerKey {
  std::optional<crypto::Sha256Digest> spki_sha256;
};

/// A document with the circumstances it came in.
struct Answer {
  const AttestationDocument& document;
  const Nonce& nonce;
  Now drawn;                    ///< when the nonce was drawn, from which the statement's life counts
  std::optional<PeerKey> peer;  ///< nothing: not known, for a document from a file
};

/// One key of an attested list, enough to recognise it: its id and the SHA-256 of its configuration's bytes.
struct KeyFingerprint {
  WorkerId worker{};
  std::uint8_t id = 0;
  crypto::Sha256Digest sha256{};
  friend bool operator==(const KeyFingerprint&, const KeyFingerprint&) = default;
};

class SessionKey;

/// Binds the document to what the evidence proved and takes the first key that `policy` accepts. Every step is a named
/// check in `checks`; the first failure decides the error: Code::evidence_rejected when the binding does not hold,
/// Code::evidence_malformed for a statement or key list that cannot be read, Code::policy_refused for the rest.
[[nodiscard]] Result<SessionKey> establish(const appraisal::TrustedWorker& worker, const Answer& answer,
                                           const ExchangePolicy& policy, Now now, evidence::Checklist& checks);

/// The first step of establish() alone, for tools that judge evidence without a policy: whether the REPORTDATA that the
/// hardware vouches for was made for this nonce and these statement bytes. Code::evidence_rejected.
[[nodiscard]] Result<void> check_binding(const ByteArray<64>& proven_report_data, const Answer& answer,
                                         evidence::Checklist& checks);

/// Proof that a key is held by a worker our policy trusts: the only thing requests can be sealed to. Immutable, may be
/// shared between threads. Made by establish() alone.
///
///     WAXWING_TRY(key.usable(now));
///     sealed::ClientExchange exchange(key, random);
class SessionKey {
 public:
  /// Code::expired past the wall-clock or the monotonic end, whichever comes first.
  [[nodiscard]] Result<void> usable(Now now) const;

  [[nodiscard]] const WorkerId& worker() const { return statement_.worker; }
  [[nodiscard]] std::uint8_t key_id() const { return fingerprint_.id; }
  [[nodiscard]] const crypto::KemPublicKey& public_key() const { return public_key_; }
  /// AES-256-GCM before ChaCha20-Poly1305; never AES-128-GCM.
  [[nodiscard]] crypto::AeadId aead() const { return aead_; }
  [[nodiscard]] const KeyFingerprint& fingerprint() const { return fingerprint_; }
  /// Whether the attested list holds that key (of this worker).
  [[nodiscard]] bool lists(const KeyFingerprint& key) const;

  /// What was attested, whole.
  [[nodiscard]] const Statement& statement() const { return statement_; }
  [[nodiscard]] const crypto::Sha256Digest& statement_sha256() const { return statement_sha256_; }
  /// The anchor's label ("" or "SIMULATED").
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] WallTime not_after() const { return not_after_; }
  [[nodiscard]] BootTime deadline() const { return deadline_; }

 private:
  friend Result<SessionKey> establish(const appraisal::TrustedWorker&, const Answer&, const ExchangePolicy&, Now,
                                      evidence::Checklist&);
  SessionKey(Statement statement, crypto::Sha256Digest statement_sha256, KeyFingerprint fingerprint,
             std::vector<KeyFingerprint> list, crypto::KemPublicKey public_key, crypto::AeadId aead, std::string label,
             WallTime not_after, BootTime deadline);

  Statement statement_;
  crypto::Sha256Digest statement_sha256_;
  KeyFingerprint fingerprint_;
  std::vector<KeyFingerprint> list_;
  crypto::KemPublicKey public_key_;
  crypto::AeadId aead_;
  std::string label_;
  WallTime not_after_;
  BootTime deadline_;
};

}  // namespace waxwing::exchange
