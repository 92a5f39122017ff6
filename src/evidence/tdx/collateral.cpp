// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/tdx/collateral.hpp"

#include <fmt/format.h>

#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/base/json_strict.hpp"

namespace waxwing::evidence::tdx {
namespace {

using nlohmann::json;

std::unexpected<Error> bad(std::string_view name, std::string_view what) {
  return fail(Code::evidence_malformed, fmt::format("TDX collateral: {} {}", name, what));
}

/// A text that is not empty.
Result<std::string> read_text(const json& bundle, std::string_view name) {
  const auto found = bundle.find(name);
  if (found == bundle.end() || !found->is_string()) return bad(name, "is not there as a text");
  auto text = found->get<std::string>();
  if (text.empty()) return bad(name, "is empty");
  return text;
}

Result<std::vector<crypto::Certificate>> read_chain(const json& bundle, std::string_view name, const Limits& limits) {
  WAXWING_ASSIGN(const std::string pem, read_text(bundle, name));
  auto chain = crypto::Certificate::from_pem(pem, limits.certificates);
  if (!chain) return bad(name, "is not a chain of PEM certificates");
  return chain;
}

Result<crypto::Crl> read_crl(const json& bundle, std::string_view name, const Limits& limits) {
  WAXWING_ASSIGN(const std::string hex, read_text(bundle, name));
  const auto der = from_hex(hex);
  if (!der) return bad(name, "is not hexadecimal");
  if (der->size() > limits.certificate) return fail(Code::too_large, "a revocation list is too large");
  auto crl = crypto::Crl::from_der(*der);
  if (!crl) return bad(name, "is not a revocation list");
  return crl;
}

Result<ByteArray<64>> read_signature(const json& bundle, std::string_view name) {
  WAXWING_ASSIGN(const std::string hex, read_text(bundle, name));
  const auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 64) return bad(name, "is not 64 bytes in hexadecimal");
  return to_array<64>(*bytes);
}

Result<SignedDocument> read_document(const json& bundle, std::string_view name, const Limits& limits) {
  SignedDocument document;
  WAXWING_ASSIGN(document.text, read_text(bundle, name));
  WAXWING_ASSIGN(document.signature, read_signature(bundle, fmt::format("{}_signature", name)));
  WAXWING_ASSIGN(document.chain, read_chain(bundle, fmt::format("{}_issuer_chain", name), limits));
  return document;
}

}  // namespace

Result<Collateral> parse_collateral(std::string_view document, const Limits& limits) {
  auto bundle = parse_json_strict(document, limits);
  if (!bundle && bundle.error().code() == Code::too_large) return std::unexpected(std::move(bundle).error());
  if (!bundle || !bundle->is_object()) return fail(Code::evidence_malformed, "TDX collateral: not a JSON object");
  WAXWING_ASSIGN(auto issuer_chain, read_chain(*bundle, "pck_crl_issuer_chain", limits));
  WAXWING_ASSIGN(auto root_ca_crl, read_crl(*bundle, "root_ca_crl", limits));
  WAXWING_ASSIGN(auto pck_crl, read_crl(*bundle, "pck_crl", limits));
  WAXWING_ASSIGN(auto tcb_info, read_document(*bundle, "tcb_info", limits));
  WAXWING_ASSIGN(auto qe_identity, read_document(*bundle, "qe_identity", limits));
  return Collateral{std::move(issuer_chain), std::move(root_ca_crl), std::move(pck_crl), std::move(tcb_info),
                    std::move(qe_identity)};
}

}  // namespace waxwing::evidence::tdx
