// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "waxwing/appraisal/policy.hpp"
#include "waxwing/appraisal/verdict.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"
#include "waxwing/evidence/tdx/verify.hpp"
#include "waxwing/exchange/session.hpp"

/// The client's half of protocol waxwing/1 (docs/protocols/waxwing.md). No I/O: whoever drives it fetches and sends.
namespace waxwing::provider::native {

/// The kinds of evidence this machine reads; a document holds one of them, once.
inline constexpr std::string_view kSnpKind = "sev-snp";
inline constexpr std::string_view kTdxKind = "tdx";

/// What a provider's configuration says beside the appraisal policy.
struct ClientPolicy {
  std::vector<crypto::KemId> kems{crypto::KemId::x_wing};  ///< x25519 only when listed by name
  exchange::Demand padding = exchange::Demand::required;
  exchange::Demand tls_binding = exchange::Demand::if_present;
};

/// Everything a verdict is judged by; borrowed for the call. `roots` are for SEV-SNP, the policy's own for TDX.
struct Trust {
  const appraisal::Policy& policy;
  const evidence::sev_snp::Roots& roots;
  const ClientPolicy& client;
};

/// A worker's answer to one nonce. It is kept beside the session: judging it again under a new policy needs no network.
struct AttestationAnswer {
  std::string document;  ///< as received
  exchange::Nonce nonce{};
  Now drawn{};                            ///< when the nonce was drawn
  std::optional<exchange::PeerKey> peer;  ///< of the connection the document came over; nothing for a file
};

using exchange::PeerKey;

/// The verdict is there in either case; the key only when the verdict accepts.
struct Attested {
  appraisal::Verdict verdict;
  Result<std::shared_ptr<const exchange::SessionKey>> key;  ///< owners: the session table and requests in progress
};

/// parse -> verify -> appraise -> establish, every check in one verdict. Codes: evidence_malformed,
/// evidence_unsupported (no evidence of a kind we know), evidence_rejected, policy_refused. Also used to judge a live
/// session again.
[[nodiscard]] Attested judge(const AttestationAnswer& answer, const Trust& trust, Now now);

/// The roots that evidence alone is verified under.
struct EvidenceRoots {
  evidence::sev_snp::Roots sev_snp;
  evidence::tdx::Roots tdx;
};

/// The evidence alone, where no policy names its worker: parse -> verify, and no key comes of it. The verdict's
/// decision is evidence_only or refused; the error of a refusal is in the verdict.
[[nodiscard]] appraisal::Verdict judge_evidence(const AttestationAnswer& answer, const EvidenceRoots& roots,
                                                evidence::sev_snp::CrlPolicy crl, Now now);

/// One question to a worker. The nonce is used once: answer() consumes the question.
///
///     auto question = AttestationQuestion::draw(random, now);
///     fetch("GET", question.target(), exchange::kMaxDocumentSize);      // over the same way as requests will go
///     const AttestationAnswer answer = std::move(question).answer(body, PeerKey{stream.peer_spki()});
///     const Attested result = judge(answer, trust, now);
class AttestationQuestion {
 public:
  [[nodiscard]] static AttestationQuestion draw(Random& random, Now now);
  AttestationQuestion(AttestationQuestion&&) = default;
  AttestationQuestion& operator=(AttestationQuestion&&) = default;
  AttestationQuestion(const AttestationQuestion&) = delete;
  AttestationQuestion& operator=(const AttestationQuestion&) = delete;

  /// Path and query of the GET.
  [[nodiscard]] const std::string& target() const { return target_; }
  /// The answer to keep, for judge().
  [[nodiscard]] AttestationAnswer answer(std::string document, std::optional<PeerKey> peer) &&;

 private:
  AttestationQuestion(const exchange::Nonce& nonce, Now drawn);
  exchange::Nonce nonce_;
  Now drawn_;
  std::string target_;
};

}  // namespace waxwing::provider::native
