// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Every case of tdx/manifest.json: real quotes of Intel's hardware, mutations of them, and synthetic evidence.
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/vectors.hpp"
#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/evidence/tdx/collateral.hpp"
#include "waxwing/evidence/tdx/quote.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing {
namespace {

namespace tdx = evidence::tdx;
using nlohmann::json;

/// A file of the set; a manifest that names a missing file is broken.
std::string file(const json& name) {
  const auto text = test::read_file(test::vector_root() / "tdx" / name.get<std::string>());
  if (!text) throw std::runtime_error("missing file " + name.get<std::string>());
  return *text;
}

template <std::size_t N>
ByteArray<N> fixed(const json& hex) {
  const Bytes bytes = test::hex(hex);
  if (bytes.size() != N) throw std::runtime_error("wrong length of " + hex.get<std::string>());
  return to_array<N>(bytes);
}

/// Intel's root, or the test root that the case names.
tdx::Roots roots_of(const json& test_case) {
  if (test_case.at("trust") == "intel") return tdx::intel_roots();
  const std::string der = file(test_case.at("root"));
  return {{}, {{crypto::Certificate::from_der(as_bytes(der)).value(), "SYNTHETIC"}}};
}

const std::set<std::string> kKnownKeys = {
    "Accept",  "AllowDebug", "AllowServiceTd", "AllowTrailing", "RequireSeptVeDisable",
    "MinEval", "ReportData", "MrTd",           "Rtmr0",         "Rtmr1",
    "Rtmr2",   "Rtmr3",      "MrConfigId",     "MrOwner",       "MrOwnerConfig",
    "MrSeam",  "Xfam",       "TdAttributes"};

template <std::size_t N>
std::optional<ByteArray<N>> exact(const json& keys, const char* name) {
  return keys.contains(name) ? std::optional(fixed<N>(keys[name])) : std::nullopt;
}

std::vector<tdx::Register> list(const json& keys, const char* name) {
  return keys.contains(name) ? std::vector{fixed<48>(keys[name])} : std::vector<tdx::Register>();
}

std::vector<tdx::TcbStatus> statuses_of(const json& keys) {
  if (!keys.contains("Accept")) return {tdx::TcbStatus::up_to_date};
  std::vector<tdx::TcbStatus> statuses;
  for (const json& name : keys["Accept"])
    statuses.push_back(tdx::tcb_status_from_string(name.get<std::string>()).value());
  return statuses;
}

appraisal::Policy policy_of(const json& test_case) {
  const json& keys = test_case.at("policy");
  for (const auto& [key, value] : keys.items())
    if (!kKnownKeys.contains(key)) throw std::runtime_error("unknown policy key " + key);
  appraisal::Policy policy;
  policy.tdx_roots = roots_of(test_case);
  appraisal::TdxPolicy& td = policy.tdx;
  td.statuses = statuses_of(keys);
  td.measurements = {
      {exact<48>(keys, "MrTd"),
       {exact<48>(keys, "Rtmr0"), exact<48>(keys, "Rtmr1"), exact<48>(keys, "Rtmr2"), exact<48>(keys, "Rtmr3")}}};
  td.report_data = exact<64>(keys, "ReportData");
  td.config_ids = list(keys, "MrConfigId");
  td.owners = list(keys, "MrOwner");
  td.owner_configs = list(keys, "MrOwnerConfig");
  td.modules = list(keys, "MrSeam");
  td.xfam = exact<8>(keys, "Xfam");
  td.td_attributes = exact<8>(keys, "TdAttributes");
  td.min_evaluation_number = keys.value("MinEval", 0U);
  td.allow_debug = keys.value("AllowDebug", false);
  td.allow_service_td = keys.value("AllowServiceTd", false);
  td.require_sept_ve_disabled = keys.value("RequireSeptVeDisable", false);
  if (keys.value("AllowTrailing", false)) td.trailing = tdx::TrailingBytes::any;
  return policy;
}

/// The set's reason for each check of a policy.
const std::map<std::string, std::string> kReasons = {
    {"tdx.policy.evaluation-number", "POLICY_EVAL_NUMBER"},
    {"tdx.policy.debug", "POLICY_DEBUG"},
    {"tdx.policy.sept-ve", "POLICY_SEPT_VE"},
    {"tdx.policy.service-td", "POLICY_SERVICE_TD"},
    {"tdx.policy.tcb-status", "POLICY_TCB_STATUS"},
    {"tdx.policy.report-data", "POLICY_ReportData"},
    {"tdx.policy.mrtd", "POLICY_MrTd"},
    {"tdx.policy.rtmr0", "POLICY_Rtmr0"},
    {"tdx.policy.rtmr1", "POLICY_Rtmr1"},
    {"tdx.policy.rtmr2", "POLICY_Rtmr2"},
    {"tdx.policy.rtmr3", "POLICY_Rtmr3"},
    {"tdx.policy.mr-config-id", "POLICY_MrConfigId"},
    {"tdx.policy.mr-owner", "POLICY_MrOwner"},
    {"tdx.policy.mr-owner-config", "POLICY_MrOwnerConfig"},
    {"tdx.policy.mr-seam", "POLICY_MrSeam"},
    {"tdx.policy.td-attributes", "POLICY_TdAttributes"},
    {"tdx.policy.xfam", "POLICY_Xfam"},
};

struct Outcome {
  std::string verdict;
  std::string reason;  // name of the first failed check, or what did not parse
};

Outcome refused(const evidence::Checklist& checks, const Error& error) {
  const evidence::Check* failure = checks.first_failure();
  return {"reject", failure != nullptr ? failure->name : error.text()};
}

/// Each is there only where the set says it.
void expect_standing(const json& expected, const tdx::VerifiedQuote& verified) {
  const tdx::TcbResult& tcb = verified.tcb();
  json found = {{"tcb_status", to_string(tcb.status)},        {"tcb_level_status", to_string(tcb.platform_status)},
                {"qe_status", to_string(tcb.qe_status)},      {"advisory_ids", tcb.advisory_ids},
                {"fmspc", to_hex(verified.platform().fmspc)}, {"pceid", to_hex(verified.platform().pce_id)},
                {"pcesvn", verified.platform().pcesvn},       {"cpusvn", to_hex(verified.platform().cpu_svn)}};
  if (tcb.module_status) found["module_status"] = to_string(*tcb.module_status);
  for (const auto& [key, value] : found.items())
    if (expected.contains(key)) EXPECT_EQ(value, expected.at(key)) << key;
  if (expected.contains("tcb_eval") && expected.contains("qe_eval"))
    EXPECT_EQ(verified.evaluation_number(),
              std::min(expected["tcb_eval"].get<std::uint32_t>(), expected["qe_eval"].get<std::uint32_t>()));
}

Outcome judge(const json& test_case, const tdx::Quote& quote, const appraisal::Policy& policy,
              evidence::Checklist& checks) {
  const auto collateral = tdx::parse_collateral(file(test_case.at("collateral")), Limits::evidence());
  if (!collateral) return refused(checks, collateral.error());
  const WallTime now = from_unix(test_case.at("now").get<std::int64_t>());
  const auto verified = tdx::verify(quote, *collateral, policy.tdx_roots, now, checks);
  if (!verified) return refused(checks, verified.error());
  expect_standing(test_case.at("expected"), *verified);
  const auto worker = appraisal::appraise(*verified, policy, {now, BootTime{}}, checks);
  if (!worker) return refused(checks, worker.error());
  return {"accept", ""};
}

json fields_of(const tdx::Quote& quote) {
  const tdx::TdReport& td = quote.body;
  json fields = {{"version", quote.version},
                 {"body_type", static_cast<unsigned>(quote.body_type)},
                 {"tee_tcb_svn", to_hex(td.tee_tcb_svn)},
                 {"mr_seam", to_hex(td.mr_seam)},
                 {"mr_signer_seam", to_hex(td.mr_signer_seam)},
                 {"seam_attributes", to_hex(td.seam_attributes)},
                 {"td_attributes", to_hex(td.td_attributes.bytes)},
                 {"xfam", to_hex(td.xfam)},
                 {"mr_td", to_hex(td.mr_td)},
                 {"mr_config_id", to_hex(td.mr_config_id)},
                 {"mr_owner", to_hex(td.mr_owner)},
                 {"mr_owner_config", to_hex(td.mr_owner_config)},
                 {"rtmr0", to_hex(td.rtmr[0])},
                 {"rtmr1", to_hex(td.rtmr[1])},
                 {"rtmr2", to_hex(td.rtmr[2])},
                 {"rtmr3", to_hex(td.rtmr[3])},
                 {"report_data", to_hex(td.report_data)}};
  if (quote.body_type == tdx::BodyType::td15) {
    fields["tee_tcb_svn2"] = to_hex(td.tee_tcb_svn2);
    fields["mr_service_td"] = to_hex(td.mr_service_td);
  }
  return fields;
}

void expect_fields(const json& expected, const tdx::Quote& quote) {
  const json found = fields_of(quote);
  for (const auto& [key, value] : expected.items()) {
    if (!found.contains(key))
      ADD_FAILURE() << "unknown field " << key;
    else
      EXPECT_EQ(found.at(key), value) << key;
  }
}

void run(const json& test_case) {
  const json& expected = test_case.at("expected");
  const appraisal::Policy policy = policy_of(test_case);
  const std::string bytes = file(test_case.at("quote"));
  evidence::Checklist checks;
  const auto quote = tdx::parse_unverified(as_bytes(bytes), policy.tdx.trailing, checks);
  Outcome outcome;
  if (!quote)
    outcome = refused(checks, quote.error());
  else if (expected.at("verdict") == "parse-ok")
    outcome = {"parse-ok", ""};
  else
    outcome = judge(test_case, *quote, policy, checks);
  EXPECT_EQ(outcome.verdict, expected.at("verdict").get<std::string>()) << outcome.reason;
  const std::string reason = expected.value("reason", "");
  if (reason.starts_with("POLICY_")) {
    const auto name = kReasons.find(outcome.reason);
    EXPECT_EQ(name == kReasons.end() ? outcome.reason : name->second, reason);
  }
  if (quote && expected.contains("fields")) expect_fields(expected.at("fields"), *quote);
  if (std::getenv("WAXWING_VECTORS_VERBOSE") != nullptr)
    std::cout << test_case.at("name") << ": " << outcome.verdict << " " << outcome.reason << " (" << reason << ")\n";
}

TEST(TdxVectors, EveryCaseGetsItsVerdictFieldsStatusAndPolicyReason) {
  WAXWING_VECTORS_OR_SKIP(manifest, "tdx/manifest.json");
  std::size_t cases = 0;
  for (const json& test_case : manifest.at("cases")) {
    SCOPED_TRACE(test_case.at("name").get<std::string>());
    ++cases;
    try {
      run(test_case);
    } catch (const std::exception& broken) {
      ADD_FAILURE() << broken.what();
    }
  }
  EXPECT_GT(cases, 0U);
  std::cout << "tdx: " << cases << " cases\n";
}

}  // namespace
}  // namespace waxwing
