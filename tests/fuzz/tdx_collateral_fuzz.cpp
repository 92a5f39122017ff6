// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>

#include "waxwing/base/limits.hpp"
#include "waxwing/evidence/tdx/collateral.hpp"
#include "waxwing/evidence/tdx/tcb_info.hpp"

namespace tdx = waxwing::evidence::tdx;

namespace {

bool highest_first(const std::vector<tdx::SvnLevel>& levels) {
  return std::ranges::is_sorted(levels, std::greater{}, &tdx::SvnLevel::svn);
}

void read_documents(std::string_view text) {
  if (const auto info = tdx::parse_tcb_info(text)) {
    for (const auto& module : info->module_identities)
      if (!highest_first(module.levels)) std::abort();
    for (unsigned major = 0; major < 256; ++major) {
      const auto* module = info->module_of(static_cast<std::uint8_t>(major));
      if (module != nullptr && module->id.size() != 6) std::abort();
    }
  }
  if (const auto identity = tdx::parse_qe_identity(text); identity && !highest_first(identity->levels)) std::abort();
}

}  // namespace

/// The input as a bundle, as TCB info and as an enclave's identity; the documents of a bundle that parses are read too.
/// Levels come out highest first.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = waxwing::as_text(std::as_bytes(std::span(data, size)));
  read_documents(text);
  const auto collateral = tdx::parse_collateral(text, waxwing::Limits::evidence());
  if (!collateral) return 0;
  if (collateral->tcb_info.chain.empty() || collateral->qe_identity.chain.empty()) std::abort();
  read_documents(collateral->tcb_info.text);
  read_documents(collateral->qe_identity.text);
  return 0;
}
