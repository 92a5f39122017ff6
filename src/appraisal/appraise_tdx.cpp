// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "judging.hpp"
#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::appraisal {
namespace {

using evidence::CheckName;

constexpr std::string_view kReportTable = "Intel TDX Module ABI, TDREPORT_STRUCT";
constexpr std::string_view kAttributesTable = "Intel TDX Module ABI, TDATTRIBUTES";
constexpr std::string_view kTcbInfoClause = "Intel PCS API v4, Get TDX TCB Info";

constexpr std::size_t kRegisters = 5;  // MRTD, RTMR0 to RTMR3
using Expected = std::array<std::optional<tdx::Register>, kRegisters>;

Expected registers_of(const TdMeasurements& measurements) {
  const auto& rtmr = measurements.rtmr;
  return {measurements.mrtd, rtmr[0], rtmr[1], rtmr[2], rtmr[3]};
}

/// How many of the registers, from MRTD on, hold what is expected before the first that does not.
std::size_t agreement(const Expected& expected, const std::array<tdx::Register, kRegisters>& found) {
  std::size_t equal = 0;
  while (equal < kRegisters && (!expected[equal] || constant_time_equal(*expected[equal], found[equal]))) ++equal;
  return equal;
}

/// The checks of one policy on one verified quote, in the order of the table.
class Appraisal {
 public:
  Appraisal(const tdx::VerifiedQuote& verified, const Policy& policy, Now now, evidence::Checklist& checks)
      : verified_(verified),
        td_(verified.quote().body),
        policy_(policy),
        tdx_(policy.tdx),
        now_(now),
        checks_(checks) {}

  void run() {
    check_policy_itself();
    check_attributes();
    check_standing();
    check_measurements();
    check_identity();
    check_origin(policy_, checks_);
  }

 private:
  void check_policy_itself() {
    check_expiry(policy_, now_, checks_);
    checks_.require("policy.root", root_accepted(), "a root of the policy",
                    fmt::format("{}{}", to_hex(verified_.anchor_sha256()),
                                verified_.anchor_label().empty() ? "" : fmt::format(" ({})", verified_.anchor_label())),
                    kPolicyDocument);
    checks_.require("tdx.policy.evaluation-number", verified_.evaluation_number() >= tdx_.min_evaluation_number,
                    fmt::format("at least {}", tdx_.min_evaluation_number),
                    fmt::format("{}", verified_.evaluation_number()), kTcbInfoClause);
  }

  bool root_accepted() const {
    const auto& anchor = verified_.anchor_sha256();
    const auto& label = verified_.anchor_label();
    const tdx::Roots& roots = policy_.tdx_roots;
    return std::ranges::any_of(
               roots.pinned,
               [&](const tdx::PinnedRoot& root) { return root.certificate_sha256 == anchor && root.label == label; }) ||
           std::ranges::any_of(roots.certificates, [&](const tdx::Root& root) {
             return root.certificate.fingerprint() == anchor && root.label == label;
           });
  }

  /// What must not be, unless the policy allows it.
  void forbid(CheckName name, bool set, bool allowed, std::string_view what, const std::string& found) {
    if (allowed)
      checks_.skip(name, fmt::format("the policy allows {}", what), kAttributesTable);
    else
      checks_.require(name, !set, fmt::format("no {}", what), found, kAttributesTable);
  }

  void check_attributes() {
    const tdx::TdAttributes& attributes = td_.td_attributes;
    const std::string found = fmt::format("TDATTRIBUTES {}", to_hex(attributes.bytes));
    forbid("tdx.policy.debug", attributes.untrusted(), tdx_.allow_debug, "debugging", found);
    forbid("tdx.policy.migration", attributes.migratable(), tdx_.allow_migration, "migration", found);
    if (tdx_.require_sept_ve_disabled)
      checks_.require("tdx.policy.sept-ve", attributes.sept_ve_disabled(), "SEPT_VE_DISABLE", found, kAttributesTable);
    else
      checks_.skip("tdx.policy.sept-ve", std::string(kNotAsked), kAttributesTable);
    forbid("tdx.policy.service-td", !all_zero(td_.mr_service_td), tdx_.allow_service_td, "service TD",
           fmt::format("MRSERVICETD {}", to_hex(td_.mr_service_td)));
  }

  std::string describe_standing() const {
    const tdx::TcbResult& tcb = verified_.tcb();
    std::string text = fmt::format("{} as of {}", to_string(tcb.status), to_rfc3339(tcb.tcb_date).substr(0, 10));
    for (const tdx::Shortfall& shortfall : tcb.shortfalls) text += fmt::format("; {}", to_string(shortfall));
    return text;
  }

  void check_standing() {
    const tdx::TcbResult& tcb = verified_.tcb();
    std::vector<std::string_view> accepted;
    for (const tdx::TcbStatus status : tdx_.statuses)
      if (status != tdx::TcbStatus::revoked) accepted.push_back(to_string(status));
    checks_.require("tdx.policy.tcb-status", std::ranges::count(accepted, to_string(tcb.status)) != 0,
                    accepted.empty() ? "no status is accepted" : fmt::format("{}", fmt::join(accepted, ", ")),
                    describe_standing(), kTcbInfoClause);
    if (!tdx_.advisories) return checks_.skip("tdx.policy.advisories", std::string(kNotAsked), kTcbInfoClause);
    std::vector<std::string> open;
    for (const std::string& id : tcb.advisory_ids)
      if (!excused(id)) open.push_back(id);
    checks_.require("tdx.policy.advisories", open.empty(), "none that the policy does not excuse",
                    open.empty() ? "none" : fmt::format("{}", fmt::join(open, ", ")), kTcbInfoClause);
  }

  bool excused(const std::string& id) const {
    return std::ranges::any_of(*tdx_.advisories, [&](const AdvisoryException& exception) {
      return exception.id == id && now_.wall <= exception.until;
    });
  }

  /// Register by register against the entry that holds, or else the one that agrees furthest.
  void check_measurements() {
    const std::array<tdx::Register, kRegisters> found = {td_.mr_td, td_.rtmr[0], td_.rtmr[1], td_.rtmr[2], td_.rtmr[3]};
    constexpr std::array<CheckName, kRegisters> kNames = {"tdx.policy.mrtd", "tdx.policy.rtmr0", "tdx.policy.rtmr1",
                                                          "tdx.policy.rtmr2", "tdx.policy.rtmr3"};
    if (tdx_.measurements.empty()) {
      checks_.require(kNames[0], false, "no value is accepted", to_hex(found[0]), kReportTable);
      return;
    }
    const TdMeasurements& nearest = *std::ranges::max_element(
        tdx_.measurements, {},
        [&](const TdMeasurements& measurements) { return agreement(registers_of(measurements), found); });
    const Expected expected = registers_of(nearest);
    for (std::size_t i = 0; i < kRegisters; ++i) {
      if (expected[i])
        checks_.require(kNames[i], constant_time_equal(*expected[i], found[i]), to_hex(*expected[i]), to_hex(found[i]),
                        kReportTable);
      else
        checks_.skip(kNames[i], "the policy accepts any", kReportTable);
    }
  }

  template <std::size_t N>
  void one_of(CheckName name, const std::vector<ByteArray<N>>& accepted, const ByteArray<N>& value) {
    if (accepted.empty())
      checks_.skip(name, std::string(kNotAsked), kReportTable);
    else
      checks_.require(name, contains(accepted, value), describe(accepted), to_hex(value), kReportTable);
  }

  template <std::size_t N>
  void exactly(CheckName name, const std::optional<ByteArray<N>>& wanted, const ByteArray<N>& value) {
    one_of(name, wanted ? std::vector{*wanted} : std::vector<ByteArray<N>>(), value);
  }

  void check_identity() {
    if (tdx_.report_data) exactly("tdx.policy.report-data", tdx_.report_data, td_.report_data);
    one_of("tdx.policy.mr-config-id", tdx_.config_ids, td_.mr_config_id);
    one_of("tdx.policy.mr-owner", tdx_.owners, td_.mr_owner);
    one_of("tdx.policy.mr-owner-config", tdx_.owner_configs, td_.mr_owner_config);
    one_of("tdx.policy.mr-seam", tdx_.modules, td_.mr_seam);
    exactly("tdx.policy.td-attributes", tdx_.td_attributes, td_.td_attributes.bytes);
    exactly("tdx.policy.xfam", tdx_.xfam, td_.xfam);
  }

  const tdx::VerifiedQuote& verified_;
  const tdx::TdReport& td_;
  const Policy& policy_;
  const TdxPolicy& tdx_;
  Now now_;
  evidence::Checklist& checks_;
};

}  // namespace

Result<TrustedWorker> appraise(const tdx::VerifiedQuote& verified, const Policy& policy, Now now,
                               evidence::Checklist& checks) {
  Appraisal(verified, policy, now, checks).run();
  WAXWING_TRY(none_failed(checks));
  WAXWING_ASSIGN(const WallTime end, end_of_trust(verified.not_after(), policy, now));
  TrustedWorker worker;
  worker.kind_ = "tdx";
  worker.product_ = fmt::format("FMSPC {}", to_hex(verified.platform().fmspc));
  worker.report_data_ = verified.quote().body.report_data;
  worker.measurement_ = to_bytes(verified.quote().body.mr_td);
  worker.anchor_label_ = verified.anchor_label();
  worker.anchor_sha256_ = verified.anchor_sha256();
  worker.evidence_sha256_ = verified.evidence_sha256();
  worker.policy_name_ = policy.name;
  worker.policy_digest_ = policy.digest;
  worker.engine_ = policy.engine;
  worker.not_after_ = end;
  worker.deadline_ = now.boot + std::chrono::duration_cast<BootClock::duration>(end - now.wall);
  return worker;
}

}  // namespace waxwing::appraisal
