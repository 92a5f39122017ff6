// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/appraisal/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "waxwing/base/encoding.hpp"

namespace waxwing::appraisal {
namespace {

using evidence::Check;
using evidence::CheckOutcome;
using Json = nlohmann::ordered_json;

constexpr int kSchemaVersion = 1;
constexpr std::string_view kNotProven =
    "Not proven: which build of the engine runs, which model weights it loaded, and the GPU.";

bool passed(const std::vector<Check>& checks, std::string_view name) {
  const auto check = std::ranges::find(checks, name, &Check::name);
  return check != checks.end() && check->outcome == CheckOutcome::pass;
}

bool made(const std::vector<Check>& checks, std::string_view name) {
  return std::ranges::find(checks, name, &Check::name) != checks.end();
}

/// The checks that carry a verdict, by kind of evidence.
struct Pillars {
  std::string_view signature;
  std::string_view root;
  std::string_view measurement;
};
constexpr std::array kPillars = {
    Pillars{"snp.signature", "snp.root.pinned", "snp.policy.measurement"},
    Pillars{"tdx.quote.signature", "tdx.root.pinned", "tdx.policy.mrtd"},
};

Decision decide(const std::vector<Check>& checks, const std::optional<Error>& error) {
  const bool failed = std::ranges::find(checks, CheckOutcome::fail, &Check::outcome) != checks.end();
  const auto* const kind = std::ranges::find_if(kPillars, [&checks](const Pillars& pillars) {
    return passed(checks, pillars.signature) && passed(checks, pillars.root);
  });
  if (error || failed || kind == kPillars.end()) return Decision::refused;
  if (passed(checks, kind->measurement) && passed(checks, "report-data.binding")) return Decision::accepted;
  return made(checks, kind->measurement) ? Decision::refused : Decision::evidence_only;
}

struct Field {
  std::string_view key;    // of the JSON document
  std::string_view title;  // of the table
  std::string VerdictFacts::* value;
};

constexpr std::array kFields = {
    Field{"kind", "evidence", &VerdictFacts::kind},
    Field{"product", "processor", &VerdictFacts::product},
    Field{"measurement", "measurement", &VerdictFacts::measurement},
    Field{"anchor_label", "root label", &VerdictFacts::anchor_label},
    Field{"anchor_sha256", "root", &VerdictFacts::anchor_sha256},
    Field{"evidence_sha256", "evidence digest", &VerdictFacts::evidence_sha256},
    Field{"policy_name", "policy", &VerdictFacts::policy_name},
    Field{"policy_sha256", "policy digest", &VerdictFacts::policy_sha256},
    Field{"worker", "worker", &VerdictFacts::worker},
    Field{"statement_sha256", "statement digest", &VerdictFacts::statement_sha256},
    Field{"engine_reach", "engine reach", &VerdictFacts::engine_reach},
    Field{"channel", "channel", &VerdictFacts::channel},
};

std::string heading(const Verdict& verdict) {
  const std::string label = verdict.facts.anchor_label.empty() ? "" : fmt::format(" [{}]", verdict.facts.anchor_label);
  switch (verdict.decision) {
    case Decision::accepted:
      return fmt::format("ACCEPTED{}", label);
    case Decision::refused:
      return fmt::format("REFUSED{}: {}", label, verdict.reason);
    case Decision::evidence_only:
      return fmt::format("EVIDENCE VALID{}, WORKER NOT APPRAISED: no policy names its measurement", label);
  }
  std::unreachable();
}

std::string mark(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::pass:
      return " ok ";
    case CheckOutcome::fail:
      return "FAIL";
    case CheckOutcome::warn:
      return "warn";
    case CheckOutcome::skip:
      return "skip";
  }
  std::unreachable();
}

std::string row(const Check& check) {
  // What was demanded and found is of interest where it differs.
  if (check.outcome == CheckOutcome::pass)
    return fmt::format("  {} {:<30} {}\n", mark(check.outcome), check.name, check.found);
  return fmt::format("  {} {:<30} expected {}; found {} ({})\n", mark(check.outcome), check.name, check.expected,
                     check.found, check.clause);
}

Json to_object(const Check& check) {
  return {{"name", check.name},
          {"outcome", to_string(check.outcome)},
          {"expected", check.expected},
          {"found", check.found},
          {"clause", check.clause}};
}

}  // namespace

std::string_view to_string(Decision decision) {
  switch (decision) {
    case Decision::accepted:
      return "accepted";
    case Decision::refused:
      return "refused";
    case Decision::evidence_only:
      return "evidence-only";
  }
  std::unreachable();
}

std::string_view not_proven() {
  return kNotProven;
}

VerdictFacts facts_of(const sev_snp::VerifiedReport& verified) {
  VerdictFacts facts;
  facts.kind = "sev-snp";
  facts.product = to_string(verified.product());
  facts.measurement = to_hex(verified.report().measurement);
  facts.anchor_label = verified.anchor_label();
  facts.anchor_sha256 = to_hex(verified.anchor_sha256());
  facts.evidence_sha256 = to_hex(verified.evidence_sha256());
  facts.not_after = verified.not_after();
  return facts;
}

VerdictFacts facts_of(const tdx::VerifiedQuote& verified) {
  VerdictFacts facts;
  facts.kind = "tdx";
  facts.product = fmt::format("FMSPC {}", to_hex(verified.platform().fmspc));
  facts.measurement = to_hex(verified.quote().body.mr_td);
  facts.anchor_label = verified.anchor_label();
  facts.anchor_sha256 = to_hex(verified.anchor_sha256());
  facts.evidence_sha256 = to_hex(verified.evidence_sha256());
  facts.not_after = verified.not_after();
  return facts;
}

VerdictFacts facts_of(const TrustedWorker& worker) {
  VerdictFacts facts;
  facts.kind = worker.kind();
  facts.product = worker.product();
  facts.measurement = to_hex(worker.measurement());
  facts.anchor_label = worker.anchor_label();
  facts.anchor_sha256 = to_hex(worker.anchor_sha256());
  facts.evidence_sha256 = to_hex(worker.evidence_sha256());
  facts.policy_name = worker.policy_name();
  facts.policy_sha256 = to_hex(worker.policy_digest());
  facts.not_after = worker.not_after();
  return facts;
}

Verdict judge(const evidence::Checklist& checks, const std::optional<Error>& error, VerdictFacts facts, WallTime now,
              std::string worker_url) {
  Verdict verdict;
  verdict.decision = decide(checks.all(), error);
  verdict.worker_url = std::move(worker_url);
  verdict.at = now;
  verdict.facts = std::move(facts);
  verdict.checks = checks.all();
  if (verdict.decision != Decision::refused) return verdict;
  if (error) {
    verdict.reason = error->describe();
    verdict.code = error->code();
  } else if (const Check* failure = checks.first_failure()) {
    verdict.reason = fmt::format("{} does not hold", failure->name);
    verdict.code = Code::evidence_rejected;
  } else {
    verdict.reason = "the checks that would show it were not all made";
    verdict.code = Code::evidence_rejected;
  }
  return verdict;
}

std::string to_json(const Verdict& verdict) {
  Json out;
  out["schema"] = kSchemaVersion;
  out["decision"] = to_string(verdict.decision);
  out["label"] = verdict.facts.anchor_label;
  if (verdict.code) out["code"] = to_string(*verdict.code);
  if (!verdict.reason.empty()) out["reason"] = verdict.reason;
  if (!verdict.worker_url.empty()) out["url"] = verdict.worker_url;
  out["at"] = to_rfc3339(verdict.at);
  if (verdict.facts.not_after) out["not_after"] = to_rfc3339(*verdict.facts.not_after);
  Json& facts = out["facts"] = Json::object();
  for (const Field& field : kFields)
    if (const std::string& value = verdict.facts.*(field.value); !value.empty()) facts[std::string(field.key)] = value;
  Json& checks = out["checks"] = Json::array();
  for (const Check& check : verdict.checks) checks.push_back(to_object(check));
  out["not_proven"] = kNotProven;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_table(const Verdict& verdict) {
  std::string out = heading(verdict) + "\n";
  if (!verdict.worker_url.empty()) out += fmt::format("  {:<18} {}\n", "worker at", verdict.worker_url);
  for (const Field& field : kFields)
    if (const std::string& value = verdict.facts.*(field.value); !value.empty())
      out += fmt::format("  {:<18} {}\n", field.title, value);
  out += fmt::format("  {:<18} {}\n", "judged at", to_rfc3339(verdict.at));
  if (verdict.facts.not_after) out += fmt::format("  {:<18} {}\n", "good until", to_rfc3339(*verdict.facts.not_after));
  std::vector<std::string_view> skipped;
  for (const Check& check : verdict.checks) {
    if (check.outcome == CheckOutcome::skip)
      skipped.push_back(check.name);
    else
      out += row(check);
  }
  if (!skipped.empty()) out += fmt::format("  Not checked: {}\n", fmt::join(skipped, ", "));
  return out.append(kNotProven).append("\n");
}

}  // namespace waxwing::appraisal
