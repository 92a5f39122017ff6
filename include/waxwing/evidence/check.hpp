// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/evidence/check_names.hpp"

namespace waxwing::evidence {

/// A skipped check is never a pass: it says that nobody looked, and why.
enum class CheckOutcome : std::uint8_t { pass, fail, warn, skip };
[[nodiscard]] std::string_view to_string(CheckOutcome outcome);  ///< "pass", "fail", "warn", "skip"

/// What was demanded, what was there, and where the demand is written. Texts are short and for people; they never hold
/// a secret or raw bytes of a peer (digests and numbers in hexadecimal only).
struct Check {
  std::string name;
  CheckOutcome outcome = CheckOutcome::fail;
  std::string expected;
  std::string found;
  std::string clause;  ///< "AMD 56860, Table ATTESTATION_REPORT", "docs/protocols/waxwing.md 1"
};

/// The name of a row of kChecks; any other text does not compile.
class CheckName {
 public:
  consteval CheckName(const char* name) : name_(name) {  // NOLINT(google-explicit-constructor): a checked literal
    if (find_check(name_) == nullptr) throw "this check is not in waxwing/evidence/check_names.hpp";
  }
  [[nodiscard]] constexpr std::string_view text() const { return name_; }

 private:
  std::string_view name_;
};

/// The checks made on one piece of evidence, in order. One list goes through parse, verify, appraise and establish.
///
///     checks.require("snp.policy.debug", !policy.debug(), "debugging off", "debugging on", "AMD 56860, Table
///     GUEST_POLICY"); if (checks.failed()) return fail(Code::policy_refused, ...);
class Checklist {
 public:
  /// Records pass or fail and returns what was recorded: callers go by the answer, not by `ok`.
  bool require(CheckName name, bool ok, std::string expected, std::string found, std::string_view clause);
  /// As require(), but what does not hold is a warning.
  bool advise(CheckName name, bool ok, std::string expected, std::string found, std::string_view clause);
  /// Records that the check was not made; `why` becomes `found`.
  void skip(CheckName name, std::string why, std::string_view clause);

  [[nodiscard]] const std::vector<Check>& all() const { return checks_; }
  /// Whether any check failed. An empty list has not failed, and has shown nothing either.
  [[nodiscard]] bool failed() const { return first_failure() != nullptr; }
  [[nodiscard]] const Check* first_failure() const;

 private:
  bool record(CheckName name, bool ok, CheckOutcome otherwise, std::string expected, std::string found,
              std::string_view clause);
  std::vector<Check> checks_;
};

}  // namespace waxwing::evidence
