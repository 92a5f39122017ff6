// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "waxwing/crypto/x509.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing::evidence::tdx {

/// Intel's extension of a PCK certificate, OID 1.2.840.113741.1.13.1. What is missing, repeated or malformed stands in
/// `problems`, and its value stays zero.
struct PckExtensions {
  Platform platform;
  std::vector<std::string> problems;
};

[[nodiscard]] PckExtensions read_pck_extensions(const crypto::Certificate& pck);

}  // namespace waxwing::evidence::tdx
