// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "waxwing/appraisal/policy.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/evidence/check.hpp"

namespace waxwing::appraisal {

// What the appraisals of all kinds of evidence have in common.

inline constexpr std::string_view kPolicyDocument = "docs/policy.md";
inline constexpr std::string_view kNotAsked = "the policy does not ask";

/// Whether `value` is among `accepted`; every entry is compared, each in constant time.
template <std::size_t N>
bool contains(const std::vector<ByteArray<N>>& accepted, const ByteArray<N>& value) {
  bool found = false;
  for (const ByteArray<N>& candidate : accepted) found |= constant_time_equal(candidate, value);
  return found;
}

template <std::size_t N>
std::string describe(const std::vector<ByteArray<N>>& accepted) {
  if (accepted.empty()) return "no value is accepted";
  if (accepted.size() == 1) return to_hex(accepted.front());
  return fmt::format("one of {} values", accepted.size());
}

void check_expiry(const Policy& policy, Now now, evidence::Checklist& checks);
void check_origin(const Policy& policy, evidence::Checklist& checks);

/// Code::policy_refused with the first check that failed.
[[nodiscard]] Result<void> none_failed(const evidence::Checklist& checks);

/// Earliest of the evidence's end, the policy's max_age and its expiry. Code::expired when that is past.
[[nodiscard]] Result<WallTime> end_of_trust(WallTime evidence_end, const Policy& policy, Now now);

}  // namespace waxwing::appraisal
