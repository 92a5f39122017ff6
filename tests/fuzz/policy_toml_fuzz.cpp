// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include "waxwing/appraisal/policy.hpp"

/// A policy that is read names a measurement and a root, and allows no debugging.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = waxwing::appraisal::parse_policy(text, "policy.toml");
  if (!policy) return 0;
  const auto* measurements = std::get_if<waxwing::appraisal::Measurements>(&policy->snp.measurements);
  if (measurements == nullptr || measurements->empty() || policy->snp.allow_debug) std::abort();
  if (policy->roots.pinned.empty() && policy->roots.certificates.empty() && policy->root_files.empty()) std::abort();
  return 0;
}
