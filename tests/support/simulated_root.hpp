// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

#include "waxwing/base/clock.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::test {

/// When the tests' root was issued; certificates of chips made at this time are valid from a day before.
inline const WallTime kEvidenceTime = from_unix(1767225600);  // 2026-01-01T00:00:00Z

namespace detail {

/// Two RSA-4096 keys take seconds, so one root serves all test binaries of a build tree; it lies beside bin/.
inline simulate::SnpRoot load_or_make_root() {
  const auto path =
      std::filesystem::canonical("/proc/self/exe").parent_path().parent_path() / "test-simulated-root.pem";
  if (std::ifstream in(path, std::ios::binary); in) {
    std::string text(std::istreambuf_iterator<char>(in), {});
    if (auto root = simulate::SnpRoot::restore(SecretBytes::take(text))) return *std::move(root);
  }
  auto root = simulate::SnpRoot::create(simulate::Product::genoa, kEvidenceTime);
  if (!root) throw std::runtime_error(root.error().describe());
  const auto mine = path.string() + "." + std::to_string(::getpid());
  std::ofstream(mine, std::ios::binary) << root->serialise().value().expose_text(SecretAccess());
  std::filesystem::rename(mine, path);  // other binaries may be doing the same: the last one wins, whole
  return *std::move(root);
}

}  // namespace detail

/// The simulated root of a product, shared by all tests.
inline const simulate::SnpRoot& simulated_root(simulate::Product product = simulate::Product::genoa) {
  static const simulate::SnpRoot genoa = detail::load_or_make_root();
  static std::map<simulate::Product, simulate::SnpRoot> siblings;
  if (product == simulate::Product::genoa) return genoa;
  auto found = siblings.find(product);
  if (found == siblings.end()) found = siblings.emplace(product, genoa.sibling(product, kEvidenceTime).value()).first;
  return found->second;
}

}  // namespace waxwing::test
