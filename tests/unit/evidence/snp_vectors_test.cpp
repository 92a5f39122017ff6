// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Every case of snp/manifest.json: real evidence signed by AMD's hardware, mutations of it, and synthetic evidence.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/vectors.hpp"
#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"

namespace waxwing {
namespace {

namespace sev_snp = evidence::sev_snp;
using nlohmann::json;

/// A file of the set; a manifest that names a missing file is broken.
std::string file(const json& name) {
  const auto text = test::read_file(test::vector_root() / "snp" / name.get<std::string>());
  if (!text) throw std::runtime_error("missing file " + name.get<std::string>());
  return *text;
}

template <std::size_t N>
ByteArray<N> fixed(const json& hex) {
  const Bytes bytes = test::hex(hex);
  if (bytes.size() != N) throw std::runtime_error("wrong length of " + hex.get<std::string>());
  return to_array<N>(bytes);
}

/// A TCB as the u64 that its 8 bytes are little-endian.
sev_snp::Tcb tcb_of(const json& value, sev_snp::Product product) {
  const auto number = value.get<std::uint64_t>();
  sev_snp::TcbBytes bytes;
  for (unsigned i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(number >> (8 * i));
  return sev_snp::Tcb::decode(bytes, product);
}

/// Roots of one case: AMD's, or the self-signed certificate of the case's own chain.
sev_snp::Roots roots_of(const json& test_case) {
  if (test_case.at("trust") == "amd") return sev_snp::amd_roots();
  const json& chain = test_case.contains("trust_chain") ? test_case.at("trust_chain") : test_case.at("chain");
  sev_snp::Roots roots;
  for (const auto& certificate : crypto::Certificate::from_pem(file(chain), 8).value())
    if (certificate.subject_cn() == certificate.issuer_cn()) roots.certificates.push_back({certificate, "SYNTHETIC"});
  return roots;
}

const std::set<std::string> kKnownKeys = {
    "ReportData", "Measurement",  "HostData",    "ChipID",        "IDKeyDigest", "AuthorKeyDigest",
    "MinTCB",     "MinLaunchTCB", "MinGuestSVN", "VMPL",          "AllowDebug",  "AllowMigration",
    "AllowSMT",   "SingleSocket", "RequireXTS",  "RequireAuthor", "RequireID",   "Provisional",
    "MinBuild",   "MinVersion",   "LMit",        "CMit",          "PlatformInfo"};

void read_exact_values(const json& keys, appraisal::SnpPolicy& snp) {
  if (keys.contains("Measurement")) snp.measurements = appraisal::Measurements{fixed<48>(keys["Measurement"])};
  if (keys.contains("ReportData")) snp.report_data = fixed<64>(keys["ReportData"]);
  if (keys.contains("HostData")) snp.host_data = {fixed<32>(keys["HostData"])};
  if (keys.contains("ChipID")) snp.chip_ids = {fixed<64>(keys["ChipID"])};
  if (keys.contains("IDKeyDigest")) snp.id_keys = {fixed<48>(keys["IDKeyDigest"])};
  if (keys.contains("AuthorKeyDigest")) snp.author_keys = {fixed<48>(keys["AuthorKeyDigest"])};
}

void read_levels(const json& keys, sev_snp::Product product, appraisal::SnpPolicy& snp) {
  if (keys.contains("MinTCB")) snp.min_tcb = {{product, tcb_of(keys["MinTCB"], product)}};
  if (keys.contains("MinLaunchTCB")) snp.min_launch_tcb = {{product, tcb_of(keys["MinLaunchTCB"], product)}};
  if (keys.contains("MinGuestSVN")) snp.min_guest_svn = keys["MinGuestSVN"].get<std::uint32_t>();
  if (keys.contains("VMPL")) snp.vmpl = keys["VMPL"].get<std::uint32_t>();
  if (keys.contains("MinVersion") || keys.contains("MinBuild")) {
    const auto version = keys.value("MinVersion", 0U);
    snp.min_firmware =
        appraisal::MinimumFirmware{static_cast<std::uint8_t>(version >> 8U), static_cast<std::uint8_t>(version & 0xFFU),
                                   static_cast<std::uint8_t>(keys.value("MinBuild", 0U))};
  }
  snp.launch_mitigations = keys.value("LMit", std::uint64_t{0});
  snp.current_mitigations = keys.value("CMit", std::uint64_t{0});
  if (keys.contains("PlatformInfo"))
    snp.platform = appraisal::PlatformFeatures{keys["PlatformInfo"].get<std::uint64_t>()};
}

appraisal::Policy policy_of(const json& test_case, sev_snp::Product product) {
  const json& keys = test_case.at("policy");
  for (const auto& [key, value] : keys.items())
    if (!kKnownKeys.contains(key)) throw std::runtime_error("unknown policy key " + key);
  appraisal::Policy policy;
  policy.roots = roots_of(test_case);
  appraisal::SnpPolicy& snp = policy.snp;
  snp.measurements = appraisal::AnyMeasurement{};
  read_exact_values(keys, snp);
  read_levels(keys, product, snp);
  snp.allow_debug = keys.value("AllowDebug", false);
  snp.allow_migration = keys.value("AllowMigration", false);
  snp.allow_smt = keys.value("AllowSMT", true);
  snp.allow_provisional = keys.value("Provisional", true);
  snp.require_single_socket = keys.value("SingleSocket", false);
  snp.require_aes256_xts = keys.value("RequireXTS", false);
  snp.require_author_key = keys.value("RequireAuthor", false);
  snp.require_id_key = keys.value("RequireID", false);
  snp.allow_masked_chip_id = true;  // the set's cases take it for granted
  return policy;
}

/// The set's reason for each check of a policy.
const std::map<std::string, std::string> kReasons = {
    {"snp.policy.provisional", "POLICY_PROVISIONAL"},
    {"snp.policy.debug", "POLICY_DEBUG"},
    {"snp.policy.migration", "POLICY_MIGRATION"},
    {"snp.policy.smt", "POLICY_SMT"},
    {"snp.policy.single-socket", "POLICY_SINGLE_SOCKET"},
    {"snp.policy.aes256-xts", "POLICY_AES256XTS"},
    {"snp.policy.guest-svn", "POLICY_GUEST_SVN"},
    {"snp.policy.report-data", "POLICY_ReportData"},
    {"snp.policy.measurement", "POLICY_Measurement"},
    {"snp.policy.host-data", "POLICY_HostData"},
    {"snp.policy.chip-id", "POLICY_ChipID"},
    {"snp.policy.tcb", "POLICY_TCB"},
    {"snp.policy.launch-tcb", "POLICY_LAUNCH_TCB"},
    {"snp.policy.firmware-version", "POLICY_FW_VERSION"},
    {"snp.policy.vmpl", "POLICY_VMPL"},
    {"snp.policy.author-key", "POLICY_AUTHOR_KEY"},
    {"snp.policy.id-key", "POLICY_ID_KEY"},
    {"snp.policy.mitigation", "POLICY_MITIGATION"},
    {"snp.policy.platform-info", "POLICY_PLATFORM_INFO"},
};

struct Outcome {
  std::string verdict;
  std::string reason;  // name of the first failed check, or what did not parse
};

/// PEM or DER certificates, endorsement key first.
std::vector<Bytes> chain_of(const json& test_case) {
  std::vector<Bytes> chain = {to_bytes(as_bytes(file(test_case.at("ek"))))};
  for (const auto& certificate : crypto::Certificate::from_pem(file(test_case.at("chain")), 8).value())
    chain.push_back(to_bytes(certificate.der()));
  return chain;
}

Outcome refused(const evidence::Checklist& checks, const Error& error) {
  const evidence::Check* failure = checks.first_failure();
  return {"reject", failure != nullptr ? failure->name : error.text()};
}

Outcome judge(const json& test_case, const sev_snp::Report& report, evidence::Checklist& checks) {
  std::optional<Bytes> crl;
  if (test_case.contains("crl")) crl = to_bytes(as_bytes(file(test_case.at("crl"))));
  const auto endorsements = sev_snp::Endorsements::from_der(
      chain_of(test_case), crl ? std::optional<ByteView>(*crl) : std::nullopt, Limits::evidence());
  if (!endorsements) return refused(checks, endorsements.error());
  const WallTime now = from_unix(test_case.at("now").get<std::int64_t>());
  const auto verified =
      sev_snp::verify(report, *endorsements, roots_of(test_case), now, sev_snp::CrlPolicy::if_present, checks);
  if (!verified) return refused(checks, verified.error());
  const auto worker =
      appraisal::appraise(*verified, policy_of(test_case, verified->product()), {now, BootTime{}}, checks);
  if (!worker) return refused(checks, worker.error());
  return {"accept", ""};
}

std::string u64_hex(const sev_snp::TcbBytes& tcb) {
  return to_hex(Bytes(tcb.rbegin(), tcb.rend()));
}

std::string cpuid_eax(const sev_snp::Report& report) {
  if (!report.cpuid) return "00000000";
  const unsigned family = report.cpuid->family;
  const unsigned model = report.cpuid->model;
  const unsigned base = std::min(family, 0xFU);
  const unsigned eax = ((family - base) << 20U) | ((model >> 4U) << 16U) | (base << 8U) | ((model & 0xFU) << 4U) |
                       report.cpuid->stepping;
  Bytes bytes;
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<std::byte>(eax >> static_cast<unsigned>(shift)));
  return to_hex(bytes);
}

std::string with_prefix(std::uint64_t value) {
  std::ostringstream out;
  out << "0x" << std::hex << value;
  return out.str();
}

json fields_of(const sev_snp::Report& r) {
  return {{"author_key_digest", to_hex(r.author_key_digest)},
          {"chip_id", to_hex(r.chip_id)},
          {"committed_tcb", u64_hex(r.committed_tcb)},
          {"committed_version", to_string(r.committed_version)},
          {"cpuid_1_eax", cpuid_eax(r)},
          {"current_mit_vector", r.current_mitigations},
          {"current_tcb", u64_hex(r.current_tcb)},
          {"current_version", to_string(r.current_version)},
          {"family_id", to_hex(r.family_id)},
          {"guest_svn", r.guest_svn},
          {"host_data", to_hex(r.host_data)},
          {"id_key_digest", to_hex(r.id_key_digest)},
          {"image_id", to_hex(r.image_id)},
          {"launch_mit_vector", r.launch_mitigations},
          {"launch_tcb", u64_hex(r.launch_tcb)},
          {"measurement", to_hex(r.measurement)},
          {"platform_info", with_prefix(r.platform_info)},
          {"policy", with_prefix(r.policy.bits)},
          {"report_data", to_hex(r.report_data)},
          {"report_id", to_hex(r.report_id)},
          {"reported_tcb", u64_hex(r.reported_tcb)},
          {"signer_info", r.key_info},
          {"version", r.version},
          {"vmpl", r.vmpl}};
}

void expect_fields(const json& expected, const sev_snp::Report& report) {
  const json found = fields_of(report);
  for (const auto& [key, value] : expected.items()) {
    if (!found.contains(key))
      ADD_FAILURE() << "unknown field " << key;
    else
      EXPECT_EQ(found.at(key), value) << key;
  }
}

void run(const json& test_case) {
  const json& expected = test_case.at("expected");
  const std::string bytes = file(test_case.at("report"));
  evidence::Checklist checks;
  const auto report = sev_snp::parse_unverified(as_bytes(bytes), checks);
  Outcome outcome;
  if (!report)
    outcome = refused(checks, report.error());
  else if (expected.at("verdict") == "parse-ok")
    outcome = {"parse-ok", ""};
  else
    outcome = judge(test_case, *report, checks);
  EXPECT_EQ(outcome.verdict, expected.at("verdict").get<std::string>()) << outcome.reason;
  const std::string reason = expected.value("reason", "");
  if (reason.starts_with("POLICY_")) {
    const auto name = kReasons.find(outcome.reason);
    EXPECT_EQ(name == kReasons.end() ? outcome.reason : name->second, reason);
  }
  if (report && expected.contains("fields")) expect_fields(expected.at("fields"), *report);
  if (std::getenv("WAXWING_VECTORS_VERBOSE") != nullptr)
    std::cout << test_case.at("name") << ": " << outcome.verdict << " " << outcome.reason << " (" << reason << ")\n";
}

TEST(SnpVectors, EveryCaseGetsItsVerdictFieldsAndPolicyReason) {
  WAXWING_VECTORS_OR_SKIP(manifest, "snp/manifest.json");
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
  std::cout << "snp: " << cases << " cases\n";
}

}  // namespace
}  // namespace waxwing
