// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "waxwing/base/encoding.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing::evidence::tdx {
namespace {

// SHA-256 of the DER of Intel SGX Root CA (serial 22650cd65a9d3489f383b49552bf501b392706ac, valid to 2049-12-31), as
// published by Intel's provisioning certification service.
constexpr std::string_view kIntelSgxRootCa = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";

}  // namespace

Roots intel_roots() {
  return {{{to_array<32>(from_hex(kIntelSgxRootCa).value()), ""}}, {}};
}

}  // namespace waxwing::evidence::tdx
