// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/appraisal/appraise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "judging.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::appraisal {
namespace {

using evidence::CheckName;
using sev_snp::Report;
using sev_snp::Tcb;

constexpr std::string_view kReportTable = "AMD 56860, Table ATTESTATION_REPORT";
constexpr std::string_view kGuestPolicyTable = "AMD 56860, Table GUEST_POLICY";
constexpr std::string_view kTcbTable = "AMD 56860, Table TCB_VERSION";
constexpr std::string_view kPlatformTable = "AMD 56860, Table PLATFORM_INFO";

constexpr std::uint64_t kPlatformPermissions = 0x83;  // SMT, TSME, TIO
constexpr std::uint64_t kPlatformProtections = 0x3C;  // ECC, RAPL_DIS, CIPHERTEXT_HIDING, ALIAS_CHECK_COMPLETE

/// The checks of one policy on one verified report, in the order of kChecks.
class Appraisal {
 public:
  Appraisal(const sev_snp::VerifiedReport& verified, const Policy& policy, Now now, evidence::Checklist& checks)
      : verified_(verified),
        report_(verified.report()),
        policy_(policy),
        snp_(policy.snp),
        now_(now),
        checks_(checks) {}

  void run() {
    check_policy_itself();
    check_platform_choice();
    check_guest_policy();
    check_identity();
    check_levels();
    check_keys();
    check_platform();
    check_origin(policy_, checks_);
  }

 private:
  void check_policy_itself() {
    check_expiry(policy_, now_, checks_);
    checks_.require("policy.root", root_accepted(), "a root of the policy",
                    fmt::format("{}{}", to_hex(verified_.anchor_sha256()),
                                verified_.anchor_label().empty() ? "" : fmt::format(" ({})", verified_.anchor_label())),
                    kPolicyDocument);
  }

  bool root_accepted() const {
    const auto& anchor = verified_.anchor_sha256();
    const bool pinned = std::ranges::any_of(policy_.roots.pinned, [&](const sev_snp::PinnedRoot& root) {
      return root.certificate_sha256 == anchor && root.label == verified_.anchor_label();
    });
    return pinned || std::ranges::any_of(policy_.roots.certificates, [&](const sev_snp::Root& root) {
             return root.ark.fingerprint() == anchor && root.label == verified_.anchor_label();
           });
  }

  void check_platform_choice() {
    if (snp_.products.empty())
      checks_.skip("snp.policy.product", std::string(kNotAsked), kPolicyDocument);
    else
      checks_.require("snp.policy.product", std::ranges::count(snp_.products, verified_.product()) != 0,
                      "a product of the policy", std::string(to_string(verified_.product())), kPolicyDocument);
    const bool committed =
        report_.committed_tcb == report_.current_tcb && report_.committed_version == report_.current_version;
    if (snp_.allow_provisional)
      checks_.skip("snp.policy.provisional", std::string(kNotAsked), kReportTable);
    else
      checks_.require("snp.policy.provisional", committed, "committed firmware equals current",
                      committed ? "equal" : "committed is older", kReportTable);
  }

  /// A permission the guest gives may be set only where our policy allows it.
  void forbid(CheckName name, bool set, bool allowed, std::string_view what) {
    if (allowed)
      checks_.skip(name, fmt::format("the policy allows {}", what), kGuestPolicyTable);
    else
      checks_.require(name, !set, fmt::format("no {}", what), fmt::format("{}{}", set ? "" : "no ", what),
                      kGuestPolicyTable);
  }

  /// A restriction the guest demands of its host must be set where our policy requires it.
  void demand(CheckName name, bool set, bool required, std::string_view what) {
    if (!required)
      checks_.skip(name, std::string(kNotAsked), kGuestPolicyTable);
    else
      checks_.require(name, set, std::string(what), set ? std::string(what) : fmt::format("no {}", what),
                      kGuestPolicyTable);
  }

  void check_guest_policy() {
    const sev_snp::GuestPolicy& guest = report_.policy;
    forbid("snp.policy.debug", guest.debug(), snp_.allow_debug, "debugging");
    forbid("snp.policy.migration", guest.migration_agent(), snp_.allow_migration, "migration agent");
    forbid("snp.policy.smt", guest.smt(), snp_.allow_smt, "sibling threads");
    forbid("snp.policy.cxl", guest.cxl(), snp_.allow_cxl, "CXL memory");
    demand("snp.policy.single-socket", guest.single_socket(), snp_.require_single_socket, "single socket");
    demand("snp.policy.aes256-xts", guest.aes256_xts(), snp_.require_aes256_xts, "AES-256-XTS");
    demand("snp.policy.rapl", guest.rapl_disabled(), snp_.require_rapl_disabled, "RAPL disabled");
    demand("snp.policy.ciphertext-hiding", guest.ciphertext_hiding(), snp_.require_ciphertext_hiding,
           "ciphertext hiding");
    demand("snp.policy.page-swap", guest.page_swap_disabled(), snp_.require_page_swap_disabled, "page swap disabled");
  }

  template <std::size_t N>
  void one_of(CheckName name, const std::vector<ByteArray<N>>& accepted, const ByteArray<N>& value) {
    if (accepted.empty())
      checks_.skip(name, std::string(kNotAsked), kReportTable);
    else
      checks_.require(name, contains(accepted, value), describe(accepted), to_hex(value), kReportTable);
  }

  void check_identity() {
    if (snp_.min_guest_svn)
      checks_.require("snp.policy.guest-svn", report_.guest_svn >= *snp_.min_guest_svn,
                      fmt::format("at least {}", *snp_.min_guest_svn), fmt::format("{}", report_.guest_svn),
                      kReportTable);
    else
      checks_.skip("snp.policy.guest-svn", std::string(kNotAsked), kReportTable);
    if (snp_.report_data) one_of("snp.policy.report-data", std::vector{*snp_.report_data}, report_.report_data);
    if (const auto* accepted = std::get_if<Measurements>(&snp_.measurements))
      checks_.require("snp.policy.measurement", contains(*accepted, report_.measurement), describe(*accepted),
                      to_hex(report_.measurement), kReportTable);
    else
      checks_.skip("snp.policy.measurement", "no measurement is demanded", kReportTable);
    one_of("snp.policy.host-data", snp_.host_data, report_.host_data);
    one_of("snp.policy.chip-id", snp_.chip_ids, report_.chip_id);
    if (verified_.chip_id_masked())
      checks_.require("snp.policy.masked-chip-id", snp_.allow_masked_chip_id, "a report tied to its chip",
                      "the chip is masked", kReportTable);
  }

  void minimum(CheckName name, const std::vector<MinimumTcb>& minima, const sev_snp::TcbBytes& bytes) {
    if (minima.empty()) return checks_.skip(name, std::string(kNotAsked), kTcbTable);
    const auto entry = std::ranges::find(minima, verified_.product(), &MinimumTcb::product);
    const Tcb found = Tcb::decode(bytes, verified_.product());
    const bool named = entry != minima.end();
    checks_.require(name, named && found.at_least(entry->tcb),
                    named ? fmt::format("at least {}", to_string(entry->tcb))
                          : fmt::format("the policy has no level for {}", to_string(verified_.product())),
                    to_string(found), kTcbTable);
  }

  void check_levels() {
    minimum("snp.policy.tcb", snp_.min_tcb, report_.reported_tcb);
    minimum("snp.policy.launch-tcb", snp_.min_launch_tcb, report_.launch_tcb);
    if (snp_.min_firmware) {
      const MinimumFirmware& least = *snp_.min_firmware;
      const sev_snp::FirmwareVersion& current = report_.current_version;
      const bool reached = std::pair(current.major, current.minor) >= std::pair(least.major, least.minor) &&
                           current.build >= least.build;
      checks_.require("snp.policy.firmware-version", reached,
                      fmt::format("at least {}.{}, build {}", least.major, least.minor, least.build),
                      to_string(current), kReportTable);
    } else {
      checks_.skip("snp.policy.firmware-version", std::string(kNotAsked), kReportTable);
    }
    if (snp_.vmpl)
      checks_.require("snp.policy.vmpl", report_.vmpl == *snp_.vmpl, fmt::format("{}", *snp_.vmpl),
                      fmt::format("{}", report_.vmpl), kReportTable);
    else
      checks_.skip("snp.policy.vmpl", std::string(kNotAsked), kReportTable);
  }

  void check_keys() {
    // A digest counts only while the bit that gives it meaning is set.
    const bool author_trusted = report_.author_key_enabled() && contains(snp_.author_keys, report_.author_key_digest);
    const bool id_demanded = snp_.require_id_key || !snp_.id_keys.empty();
    const bool author_demanded = snp_.require_author_key || (!snp_.author_keys.empty() && !id_demanded);
    if (author_demanded)
      checks_.require("snp.policy.author-key", author_trusted, describe(snp_.author_keys),
                      report_.author_key_enabled() ? to_hex(report_.author_key_digest) : "no author key", kReportTable);
    else
      checks_.skip("snp.policy.author-key", std::string(kNotAsked), kReportTable);
    if (id_demanded)
      checks_.require("snp.policy.id-key", contains(snp_.id_keys, report_.id_key_digest) || author_trusted,
                      describe(snp_.id_keys), to_hex(report_.id_key_digest), kReportTable);
    else
      checks_.skip("snp.policy.id-key", std::string(kNotAsked), kReportTable);
  }

  void check_platform() {
    const std::uint64_t launch = snp_.launch_mitigations;
    const std::uint64_t current = snp_.current_mitigations;
    if ((launch | current) == 0)
      checks_.skip("snp.policy.mitigation", std::string(kNotAsked), kReportTable);
    else
      checks_.require(
          "snp.policy.mitigation",
          (report_.launch_mitigations & launch) == launch && (report_.current_mitigations & current) == current,
          fmt::format("launch {:#x}, current {:#x}", launch, current),
          fmt::format("launch {:#x}, current {:#x}", report_.launch_mitigations, report_.current_mitigations),
          kReportTable);
    if (!snp_.platform) return checks_.skip("snp.policy.platform-info", std::string(kNotAsked), kPlatformTable);
    const std::uint64_t wanted = snp_.platform->features;
    const std::uint64_t missing = wanted & kPlatformProtections & ~report_.platform_info;
    const std::uint64_t extra = report_.platform_info & kPlatformPermissions & ~wanted;
    checks_.require("snp.policy.platform-info", missing == 0 && extra == 0, fmt::format("{:#x}", wanted),
                    fmt::format("{:#x}", report_.platform_info), kPlatformTable);
  }

  const sev_snp::VerifiedReport& verified_;
  const Report& report_;
  const Policy& policy_;
  const SnpPolicy& snp_;
  Now now_;
  evidence::Checklist& checks_;
};

}  // namespace

Result<TrustedWorker> appraise(const sev_snp::VerifiedReport& verified, const Policy& policy, Now now,
                               evidence::Checklist& checks) {
  Appraisal(verified, policy, now, checks).run();
  WAXWING_TRY(none_failed(checks));
  WAXWING_ASSIGN(const WallTime end, end_of_trust(verified.not_after(), policy, now));
  TrustedWorker worker;
  worker.kind_ = "sev-snp";
  worker.product_ = to_string(verified.product());
  worker.report_data_ = verified.report().report_data;
  worker.measurement_ = to_bytes(verified.report().measurement);
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
