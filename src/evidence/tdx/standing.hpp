// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "waxwing/evidence/tdx/quote.hpp"
#include "waxwing/evidence/tdx/tcb_info.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing::evidence::tdx {

/// The levels that platform, TDX module and quoting enclave reach; null where there is none.
struct ReachedLevels {
  const PlatformLevel* tdx = nullptr;  ///< highest whose SGX, PCE and TDX versions are all reached
  const PlatformLevel* sgx = nullptr;  ///< highest whose SGX and PCE versions are reached
  const SvnLevel* module = nullptr;
  const SvnLevel* qe = nullptr;
};

/// What is compared. The TDX module of major version 0 is judged by the platform's level, later ones by their own.
struct Standing {
  const TdReport& td;
  BodyType body_type;
  const QeReport& qe_report;
  const Platform& platform;
  const TcbInfo& info;
  const QeIdentity& qe;

  [[nodiscard]] std::uint8_t module_major() const { return std::to_integer<std::uint8_t>(td.tee_tcb_svn[1]); }
  [[nodiscard]] std::uint8_t module_svn() const { return std::to_integer<std::uint8_t>(td.tee_tcb_svn[0]); }
  /// The identity that the module must have; null for a major version that TCB info does not name.
  [[nodiscard]] const ModuleIdentity* module() const;
  [[nodiscard]] ReachedLevels reached() const;
  /// Against the highest levels, in the order SGX components, PCE, TDX components, module, quoting enclave.
  [[nodiscard]] std::vector<Shortfall> shortfalls() const;
  /// Precondition: every level needed is there and its status known.
  [[nodiscard]] TcbResult result(const ReachedLevels& levels) const;

 private:
  [[nodiscard]] bool relaunch_would_do(const ReachedLevels& levels, TcbStatus merged) const;
};

}  // namespace waxwing::evidence::tdx
