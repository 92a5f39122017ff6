// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"

namespace waxwing::evidence::tdx {

/// How a platform stands against what Intel lists for it. The two TDRelaunch values are never in a document: they are
/// found by comparing (TD report 1.5).
enum class TcbStatus : std::uint8_t {
  up_to_date,
  sw_hardening_needed,
  configuration_needed,
  configuration_and_sw_hardening_needed,
  out_of_date,
  out_of_date_configuration_needed,
  td_relaunch_advised,
  td_relaunch_advised_configuration_needed,
  revoked,
};
[[nodiscard]] std::string_view to_string(TcbStatus status);  ///< Intel's spelling: "UpToDate", "SWHardeningNeeded"
[[nodiscard]] std::optional<TcbStatus> tcb_status_from_string(std::string_view name);  ///< exact

inline constexpr std::size_t kComponents = 16;

/// One security version of a level; the texts say what it counts, and may be empty.
struct TcbComponent {
  std::uint8_t svn = 0;
  std::string category;  ///< "BIOS", "OS/VMM"
  std::string type;      ///< "TDX Module"
};
using TcbComponents = std::array<TcbComponent, kComponents>;

/// What is said of those that reach a level.
struct TcbStanding {
  std::optional<TcbStatus> status;  ///< nothing for one that is not known here
  WallTime date;                    ///< of the security advice that the level takes in
  std::vector<std::string> advisory_ids;
};

/// A level of module or quoting enclave: reached with an SVN of at least this.
struct SvnLevel {
  std::uint16_t svn = 0;
  TcbStanding standing;
};

/// A level of the platform.
struct PlatformLevel {
  TcbComponents sgx;
  std::uint16_t pcesvn = 0;
  TcbComponents tdx;
  TcbStanding standing;
};

/// A TDX module that Intel knows.
struct ModuleIdentity {
  std::string id;  ///< "TDX_01"; empty for the one of major version 0
  ByteArray<48> mr_signer{};
  ByteArray<8> attributes{};
  ByteArray<8> attributes_mask{};
  std::vector<SvnLevel> levels;  ///< highest first
};

/// Intel PCS API v4, TDX TCB info: id "TDX", version 3.
struct TcbInfo {
  WallTime issue_date;
  WallTime next_update;
  ByteArray<6> fmspc{};
  ByteArray<2> pce_id{};
  std::uint32_t evaluation_number = 0;
  ModuleIdentity module;
  std::vector<ModuleIdentity> module_identities;
  std::vector<PlatformLevel> levels;  ///< highest first

  /// The entry for a major version above 0, or null.
  [[nodiscard]] const ModuleIdentity* module_of(std::uint8_t major) const;
};

/// Intel PCS API v4, TD quoting enclave identity: id "TD_QE", version 2 or 3. Byte strings as in the enclave's report.
struct QeIdentity {
  WallTime issue_date;
  WallTime next_update;
  std::uint32_t evaluation_number = 0;
  ByteArray<4> misc_select{};
  ByteArray<4> misc_select_mask{};
  ByteArray<16> attributes{};
  ByteArray<16> attributes_mask{};
  ByteArray<32> mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::vector<SvnLevel> levels;  ///< highest first
};

/// The documents without their signatures; members that are not known are passed over. Code::unsupported for another id
/// or version, Code::malformed or Code::too_large for what is not such a document.
[[nodiscard]] Result<TcbInfo> parse_tcb_info(std::string_view document);
[[nodiscard]] Result<QeIdentity> parse_qe_identity(std::string_view document);

}  // namespace waxwing::evidence::tdx
