// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/evidence/check.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing::appraisal {

/// `evidence_only`: the evidence verifies, and no policy said whether its worker is one to trust.
enum class Decision : std::uint8_t { accepted, refused, evidence_only };
[[nodiscard]] std::string_view to_string(Decision decision);  ///< "accepted", "refused", "evidence-only"

/// What is known of the worker, as text; empty where it is not known. Digests in hexadecimal.
struct VerdictFacts {
  std::string kind;
  std::string product;
  std::string measurement;
  std::string anchor_label;  ///< printed everywhere when not empty
  std::string anchor_sha256;
  std::string evidence_sha256;
  std::string policy_name;
  std::string policy_sha256;
  std::string worker;  ///< base64url, from the statement
  std::string statement_sha256;
  std::string engine_reach;  ///< from the statement
  std::string channel;       ///< "x-wing, aes-256-gcm"
  std::optional<WallTime> not_after;
};
[[nodiscard]] VerdictFacts facts_of(const sev_snp::VerifiedReport& verified);
[[nodiscard]] VerdictFacts facts_of(const tdx::VerifiedQuote& verified);
[[nodiscard]] VerdictFacts facts_of(const TrustedWorker& worker);

/// The outcome of looking at one worker once, for people, files and logs. It is a record, not a proof: nothing is
/// sealed on the strength of a Verdict.
struct Verdict {
  Decision decision = Decision::refused;
  std::string worker_url;  ///< empty for evidence from a file
  WallTime at;
  VerdictFacts facts;
  std::vector<evidence::Check> checks;
  std::string reason;        ///< of a refusal
  std::optional<Code> code;  ///< of a refusal
};

/// Accepted only if there is no error, no failed check, and the checks include the appraisal and the channel binding;
/// evidence-only if they include neither and the report's signature is among those that passed; refused otherwise.
[[nodiscard]] Verdict judge(const evidence::Checklist& checks, const std::optional<Error>& error, VerdictFacts facts,
                            WallTime now, std::string worker_url);

/// What no verdict proves: engine build, model weights, GPU. The last line of every rendering.
[[nodiscard]] std::string_view not_proven();

/// The schema of docs/verdict.md, one line.
[[nodiscard]] std::string to_json(const Verdict& verdict);
/// For a terminal: heading, facts, one line per check, those not asked for in one line, what is not proven.
[[nodiscard]] std::string to_table(const Verdict& verdict);

}  // namespace waxwing::appraisal
