// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/evidence/tdx/quote.hpp"
#include "waxwing/evidence/tdx/tcb_info.hpp"

namespace waxwing::appraisal {

namespace tdx = evidence::tdx;

/// What one accepted trust domain measures, taken as a whole. A register that is not there may hold anything; a policy
/// file must say so in words, and cannot say it of MRTD.
struct TdMeasurements {
  std::optional<tdx::Register> mrtd;
  std::array<std::optional<tdx::Register>, 4> rtmr;
};

/// An advisory of Intel's ("INTEL-SA-01192") that the policy's owner puts up with until then.
struct AdvisoryException {
  std::string id;
  WallTime until;
};

/// What a TDX quote must say. An absent optional and an empty list mean "not looked at", except measurements and
/// statuses, where nothing is accepted.
struct TdxPolicy {
  std::vector<TdMeasurements> measurements;
  std::vector<tdx::TcbStatus> statuses = {tdx::TcbStatus::up_to_date};  ///< Revoked is refused all the same
  std::optional<std::vector<AdvisoryException>> advisories;             ///< where there, no other advisory may apply
  std::uint32_t min_evaluation_number = 0;                              ///< of TCB info and QE identity
  std::optional<ByteArray<64>> report_data;  ///< for tools; a session's binding is judged by exchange::establish
  std::vector<tdx::Register> config_ids;     ///< MRCONFIGID
  std::vector<tdx::Register> owners;         ///< MROWNER
  std::vector<tdx::Register> owner_configs;  ///< MROWNERCONFIG
  std::vector<tdx::Register> modules;        ///< MRSEAM
  std::optional<ByteArray<8>> td_attributes;
  std::optional<ByteArray<8>> xfam;
  tdx::TrailingBytes trailing = tdx::TrailingBytes::zero_only;  ///< for whoever parses the quote
  bool allow_debug = false;                                     ///< no policy file can set this
  bool allow_migration = false;
  bool allow_service_td = false;
  bool require_sept_ve_disabled = false;
};

}  // namespace waxwing::appraisal
