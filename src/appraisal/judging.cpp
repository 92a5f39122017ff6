// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "judging.hpp"

#include <algorithm>

namespace waxwing::appraisal {

void check_expiry(const Policy& policy, Now now, evidence::Checklist& checks) {
  if (!policy.expires) return checks.skip("policy.expiry", "the policy names no end", kPolicyDocument);
  checks.require("policy.expiry", now.wall <= *policy.expires, fmt::format("valid at {}", to_rfc3339(now.wall)),
                 fmt::format("until {}", to_rfc3339(*policy.expires)), kPolicyDocument);
}

void check_origin(const Policy& policy, evidence::Checklist& checks) {
  checks.advise("reference.origin", policy.origin == Origin::given, "given", std::string(to_string(policy.origin)),
                kPolicyDocument);
}

Result<void> none_failed(const evidence::Checklist& checks) {
  const evidence::Check* failure = checks.first_failure();
  if (failure == nullptr) return {};
  return fail(Code::policy_refused,
              fmt::format("{} does not hold: expected {}, found {}", failure->name, failure->expected, failure->found));
}

Result<WallTime> end_of_trust(WallTime evidence_end, const Policy& policy, Now now) {
  WallTime end = std::min(evidence_end, now.wall + policy.max_age);
  if (policy.expires) end = std::min(end, *policy.expires);
  // Evidence that was verified earlier may have ended since.
  if (end <= now.wall && to_unix(end) < to_unix(now.wall)) return fail(Code::expired, "the evidence has ended");
  return end;
}

}  // namespace waxwing::appraisal
