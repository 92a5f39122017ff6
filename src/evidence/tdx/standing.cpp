// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "standing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace waxwing::evidence::tdx {
namespace {

std::uint8_t svn_at(const TeeTcbSvn& svn, std::size_t i) {
  return std::to_integer<std::uint8_t>(svn[i]);
}

/// The first two TDX components are the module's, which from major version 1 on has levels of its own.
std::size_t first_tdx_component(std::uint8_t module_major) {
  return module_major > 0 ? 2 : 0;
}

bool reaches_sgx(const Platform& platform, const PlatformLevel& level) {
  const bool components =
      std::ranges::equal(platform.components, level.sgx, std::ranges::greater_equal{}, {}, &TcbComponent::svn);
  return components && platform.pcesvn >= level.pcesvn;
}

bool reaches_tdx(const TeeTcbSvn& svn, const PlatformLevel& level) {
  for (std::size_t i = first_tdx_component(svn_at(svn, 1)); i < kComponents; ++i)
    if (svn_at(svn, i) < level.tdx[i].svn) return false;
  return true;
}

const SvnLevel* reached_level(const std::vector<SvnLevel>& levels, unsigned svn) {
  const auto found = std::ranges::find_if(levels, [svn](const SvnLevel& level) { return svn >= level.svn; });
  return found == levels.end() ? nullptr : &*found;
}

/// What the status of a part, module or quoting enclave, makes of the platform's.
TcbStatus merge(TcbStatus whole, TcbStatus part) {
  if (part == TcbStatus::revoked) return TcbStatus::revoked;
  if (part != TcbStatus::out_of_date) return whole;
  switch (whole) {
    case TcbStatus::up_to_date:
    case TcbStatus::sw_hardening_needed:
      return TcbStatus::out_of_date;
    case TcbStatus::configuration_needed:
    case TcbStatus::configuration_and_sw_hardening_needed:
      return TcbStatus::out_of_date_configuration_needed;
    case TcbStatus::out_of_date:
    case TcbStatus::out_of_date_configuration_needed:
    case TcbStatus::td_relaunch_advised:
    case TcbStatus::td_relaunch_advised_configuration_needed:
    case TcbStatus::revoked:
      return whole;
  }
  std::unreachable();
}

bool needs_configuration(TcbStatus status) {
  return status == TcbStatus::configuration_needed || status == TcbStatus::configuration_and_sw_hardening_needed ||
         status == TcbStatus::out_of_date_configuration_needed;
}

bool is_out_of_date(TcbStatus status) {
  return status == TcbStatus::out_of_date || status == TcbStatus::out_of_date_configuration_needed;
}

std::string name_of(std::string_view kind, std::size_t index, const TcbComponent& component) {
  if (component.category.empty() && component.type.empty()) return fmt::format("{} component {}", kind, index + 1);
  return fmt::format("{} component {} ({}{}{})", kind, index + 1, component.category,
                     component.category.empty() || component.type.empty() ? "" : ", ", component.type);
}

void note(std::vector<Shortfall>& out, std::string component, unsigned found, unsigned newest) {
  if (found < newest) out.push_back({std::move(component), found, newest});
}

void take_over(TcbResult& result, const TcbStanding& standing) {
  result.tcb_date = std::min(result.tcb_date, standing.date);
  for (const std::string& id : standing.advisory_ids)
    if (std::ranges::find(result.advisory_ids, id) == result.advisory_ids.end()) result.advisory_ids.push_back(id);
}

}  // namespace

const ModuleIdentity* Standing::module() const {
  return module_major() == 0 ? &info.module : info.module_of(module_major());
}

ReachedLevels Standing::reached() const {
  ReachedLevels levels;
  for (const PlatformLevel& level : info.levels) {
    if (!reaches_sgx(platform, level)) continue;
    if (levels.sgx == nullptr) levels.sgx = &level;
    if (!reaches_tdx(td.tee_tcb_svn, level)) continue;
    levels.tdx = &level;
    break;
  }
  if (const ModuleIdentity* identity = module(); module_major() > 0 && identity != nullptr)
    levels.module = reached_level(identity->levels, module_svn());
  levels.qe = reached_level(qe.levels, qe_report.isv_svn);
  return levels;
}

std::vector<Shortfall> Standing::shortfalls() const {
  std::vector<Shortfall> out;
  if (!info.levels.empty()) {
    const PlatformLevel& newest = info.levels.front();
    for (std::size_t i = 0; i < kComponents; ++i)
      note(out, name_of("SGX", i, newest.sgx[i]), platform.components[i], newest.sgx[i].svn);
    note(out, "PCE", platform.pcesvn, newest.pcesvn);
    for (std::size_t i = first_tdx_component(module_major()); i < kComponents; ++i)
      note(out, name_of("TDX", i, newest.tdx[i]), svn_at(td.tee_tcb_svn, i), newest.tdx[i].svn);
  }
  const ModuleIdentity* identity = module();
  if (identity != nullptr && !identity->levels.empty())
    note(out, "TDX module", module_svn(), identity->levels.front().svn);
  if (!qe.levels.empty()) note(out, "quoting enclave", qe_report.isv_svn, qe.levels.front().svn);
  return out;
}

TcbResult Standing::result(const ReachedLevels& levels) const {
  TcbResult result;
  result.platform_status = *levels.tdx->standing.status;
  result.qe_status = *levels.qe->standing.status;
  result.status = result.platform_status;
  result.tcb_date = levels.tdx->standing.date;
  take_over(result, levels.tdx->standing);
  if (levels.module != nullptr) {
    result.module_status = levels.module->standing.status;
    result.status = merge(result.status, *result.module_status);
    take_over(result, levels.module->standing);
  }
  const TcbStatus without_qe = result.status;
  result.status = merge(result.status, result.qe_status);
  take_over(result, levels.qe->standing);
  result.shortfalls = shortfalls();
  if (relaunch_would_do(levels, without_qe))
    result.status = needs_configuration(without_qe) || needs_configuration(*levels.sgx->standing.status)
                        ? TcbStatus::td_relaunch_advised_configuration_needed
                        : TcbStatus::td_relaunch_advised;
  return result;
}

/// The platform was patched while the trust domain ran: only the module that launched it is old.
bool Standing::relaunch_would_do(const ReachedLevels& levels, TcbStatus merged) const {
  if (body_type != BodyType::td15 || levels.module == nullptr || levels.sgx == nullptr) return false;
  const auto sgx = levels.sgx->standing.status;
  if (levels.qe->standing.status != TcbStatus::up_to_date || !sgx || is_out_of_date(*sgx) ||
      *sgx == TcbStatus::revoked || !is_out_of_date(merged) || levels.module->standing.status != TcbStatus::out_of_date)
    return false;
  const TcbComponents& newest = info.levels.front().tdx;
  const std::uint8_t svn = svn_at(td.tee_tcb_svn2, 0);
  const std::uint8_t major = svn_at(td.tee_tcb_svn2, 1);
  if (svn_at(td.tee_tcb_svn2, 2) < newest[2].svn) return false;
  if (major == 0) return svn >= newest[0].svn;
  const ModuleIdentity* running = info.module_of(major);
  return running != nullptr && !running->levels.empty() && svn >= running->levels.front().svn;
}

}  // namespace waxwing::evidence::tdx
