// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "waxwing/base/encoding.hpp"
#include "waxwing/simulate/tdx.hpp"

namespace waxwing::simulate {
namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string member(std::string_view name, std::string_view text) {
  return fmt::format("\"{}\":{}", name, quoted(text));
}

template <class T, class Write>
std::string list(const T& elements, Write write) {
  std::vector<std::string> texts;
  texts.reserve(elements.size());
  for (const auto& element : elements) texts.push_back(write(element));
  return fmt::format("[{}]", fmt::join(texts, ","));
}

std::string standing(const tdx::TcbStanding& standing) {
  return fmt::format("{},{},\"advisoryIDs\":{}", member("tcbDate", to_rfc3339(standing.date)),
                     member("tcbStatus", standing.status ? to_string(*standing.status) : "SomethingNew"),
                     list(standing.advisory_ids, quoted));
}

std::string svn_levels(const std::vector<tdx::SvnLevel>& levels) {
  return list(levels, [](const tdx::SvnLevel& level) {
    return fmt::format("{{\"tcb\":{{\"isvsvn\":{}}},{}}}", level.svn, standing(level.standing));
  });
}

std::string components(const tdx::TcbComponents& components) {
  return list(components, [](const tdx::TcbComponent& component) {
    return fmt::format("{{\"svn\":{},{},{}}}", component.svn, member("category", component.category),
                       member("type", component.type));
  });
}

std::string platform_level(const tdx::PlatformLevel& level) {
  return fmt::format("{{\"tcb\":{{\"sgxtcbcomponents\":{},\"pcesvn\":{},\"tdxtcbcomponents\":{}}},{}}}",
                     components(level.sgx), level.pcesvn, components(level.tdx), standing(level.standing));
}

std::string module(const tdx::ModuleIdentity& module) {
  return fmt::format("{},{},{}", member("mrsigner", to_hex(module.mr_signer)),
                     member("attributes", to_hex(module.attributes)),
                     member("attributesMask", to_hex(module.attributes_mask)));
}

std::string module_identity(const tdx::ModuleIdentity& identity) {
  return fmt::format("{{{},{},\"tcbLevels\":{}}}", member("id", identity.id), module(identity),
                     svn_levels(identity.levels));
}

template <class T>
std::string dates(const T& document) {
  return fmt::format("{},{},\"tcbEvaluationDataNumber\":{}", member("issueDate", to_rfc3339(document.issue_date)),
                     member("nextUpdate", to_rfc3339(document.next_update)), document.evaluation_number);
}

std::string document(std::string_view name, const SignedText& document) {
  return fmt::format("{},{},{}", member(name, document.text),
                     member(fmt::format("{}_signature", name), to_hex(document.signature)),
                     member(fmt::format("{}_issuer_chain", name), to_pem_chain(document.chain)));
}

}  // namespace

std::string encode_tcb_info(const tdx::TcbInfo& info) {
  return fmt::format(
      R"({{"id":"TDX","version":3,{},{},{},"tcbType":0,"tdxModule":{{{}}},"tdxModuleIdentities":{},"tcbLevels":{}}})",
      dates(info), member("fmspc", to_hex(info.fmspc)), member("pceId", to_hex(info.pce_id)), module(info.module),
      list(info.module_identities, module_identity), list(info.levels, platform_level));
}

std::string encode_qe_identity(const tdx::QeIdentity& identity) {
  return fmt::format(
      R"({{"id":"TD_QE","version":2,{},{},{},{},{},{},"isvprodid":{},"tcbLevels":{}}})", dates(identity),
      member("miscselect", to_hex(identity.misc_select)), member("miscselectMask", to_hex(identity.misc_select_mask)),
      member("attributes", to_hex(identity.attributes)), member("attributesMask", to_hex(identity.attributes_mask)),
      member("mrsigner", to_hex(identity.mr_signer)), identity.isv_prod_id, svn_levels(identity.levels));
}

Result<Bytes> sign_text(std::string_view text, const crypto::SigningKey& signer) {
  WAXWING_ASSIGN(auto signature, signer.sign_ecdsa(as_bytes(text)));
  Bytes r_s = std::move(signature.r);
  append(r_s, signature.s);
  return r_s;
}

std::string encode_collateral(const CollateralParts& parts) {
  return fmt::format("{{{},{},{},{},{}}}", member("pck_crl_issuer_chain", to_pem_chain(parts.pck_crl_chain)),
                     member("root_ca_crl", to_hex(parts.root_ca_crl)), member("pck_crl", to_hex(parts.pck_crl)),
                     document("tcb_info", parts.tcb_info), document("qe_identity", parts.qe_identity));
}

}  // namespace waxwing::simulate
