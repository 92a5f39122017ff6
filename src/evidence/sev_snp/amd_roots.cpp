// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "waxwing/base/encoding.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"

namespace waxwing::evidence::sev_snp {
namespace {

struct Pin {
  Product product;
  std::string_view certificate_sha256;
};

// SHA-256 of the DER of AMD's root certificates, as published by AMD's key distribution service (AMD 57230,
// cert_chain).
constexpr Pin kAmdRoots[] = {
    {Product::milan, "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"},
    {Product::genoa, "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"},
    {Product::turin, "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"},
};

}  // namespace

Roots amd_roots() {
  Roots roots;
  for (const Pin& pin : kAmdRoots)
    roots.pinned.push_back({to_array<32>(from_hex(pin.certificate_sha256).value()), pin.product, ""});
  return roots;
}

}  // namespace waxwing::evidence::sev_snp
