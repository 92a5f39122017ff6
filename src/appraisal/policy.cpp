// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/appraisal/policy.hpp"

#include <utility>

namespace waxwing::appraisal {

std::string_view to_string(EngineReach reach) {
  switch (reach) {
    case EngineReach::builtin:
      return "builtin";
    case EngineReach::unix_socket:
      return "unix";
    case EngineReach::loopback:
      return "loopback";
    case EngineReach::remote:
      return "remote";
  }
  std::unreachable();
}

std::optional<EngineReach> engine_reach_from_string(std::string_view text) {
  for (const EngineReach reach :
       {EngineReach::builtin, EngineReach::unix_socket, EngineReach::loopback, EngineReach::remote})
    if (text == to_string(reach)) return reach;
  return std::nullopt;
}

std::string_view to_string(Origin origin) {
  switch (origin) {
    case Origin::given:
      return "given";
    case Origin::observed:
      return "observed";
  }
  std::unreachable();
}

namespace {

Result<crypto::Certificate> read_certificate(ByteView bytes) {
  if (!as_text(bytes).contains("-----BEGIN")) return crypto::Certificate::from_der(bytes);
  WAXWING_ASSIGN(const auto certificates, crypto::Certificate::from_pem(as_text(bytes), 1));
  if (certificates.empty()) return fail(Code::malformed, "no certificate");
  return certificates.front();
}

bool names_a_product(const std::string& cn) {
  return cn.starts_with("ARK-") && sev_snp::product_from_string(std::string_view(cn).substr(4)).has_value();
}

}  // namespace

Result<void> Policy::add_root(ByteView certificate) {
  if (root_files.empty()) return fail(Code::config_invalid, "the policy waits for no root certificate");
  auto root = read_certificate(certificate);
  if (!root)
    return fail(Code::config_invalid, root_files.front().path + ": not one certificate: " + root.error().text());
  const std::string cn = root->subject_cn();
  if (names_a_product(cn))
    roots.certificates.push_back({*std::move(root), std::move(root_files.front().label)});
  else if (cn == "Intel SGX Root CA")
    tdx_roots.certificates.push_back({*std::move(root), std::move(root_files.front().label)});
  else
    return fail(Code::config_invalid, root_files.front().path +
                                          ": not a root for SEV-SNP (ARK-Milan, ARK-Genoa, ARK-Turin) or TDX (Intel "
                                          "SGX Root CA)");
  root_files.erase(root_files.begin());
  return {};
}

}  // namespace waxwing::appraisal
