// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/tdx/tcb_info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/base/json_strict.hpp"

namespace waxwing::evidence::tdx {
namespace {

using nlohmann::json;

constexpr Limits kLimits = Limits::evidence();
constexpr std::size_t kMaxText = 256;

struct StatusName {
  TcbStatus status;
  std::string_view name;
};
constexpr StatusName kStatusNames[] = {
    {TcbStatus::up_to_date, "UpToDate"},
    {TcbStatus::sw_hardening_needed, "SWHardeningNeeded"},
    {TcbStatus::configuration_needed, "ConfigurationNeeded"},
    {TcbStatus::configuration_and_sw_hardening_needed, "ConfigurationAndSWHardeningNeeded"},
    {TcbStatus::out_of_date, "OutOfDate"},
    {TcbStatus::out_of_date_configuration_needed, "OutOfDateConfigurationNeeded"},
    {TcbStatus::td_relaunch_advised, "TDRelaunchAdvised"},
    {TcbStatus::td_relaunch_advised_configuration_needed, "TDRelaunchAdvisedConfigurationNeeded"},
    {TcbStatus::revoked, "Revoked"},
};

/// Reads one document: the first thing that is wrong sticks, later reads yield nothing, and status() is asked at the
/// end. Members that nobody asks for are passed over.
class Reader {
 public:
  explicit Reader(std::string_view structure) : structure_(structure) {}

  const json* member(const json& object, std::string_view name, json::value_t type) {
    if (error_) return nullptr;
    const auto found = object.is_object() ? object.find(name) : object.end();
    if (found != object.end() && found->type() == type) return &*found;
    reject(name, "is missing or of another type");
    return nullptr;
  }

  std::string text(const json& object, std::string_view name) {
    const json* value = member(object, name, json::value_t::string);
    if (value == nullptr) return {};
    const auto& text = value->get_ref<const std::string&>();
    if (text.size() > kMaxText) reject(name, "is too long");
    return text;
  }

  std::string text_or_empty(const json& object, std::string_view name) {
    return object.is_object() && object.contains(name) ? text(object, name) : std::string();
  }

  template <class T>
  T number(const json& object, std::string_view name) {
    const json* value = member(object, name, json::value_t::number_unsigned);
    if (value == nullptr) return 0;
    const auto number = value->get<std::uint64_t>();
    if (number > std::numeric_limits<T>::max()) {
      reject(name, "is too large");
      return 0;
    }
    return static_cast<T>(number);
  }

  WallTime time(const json& object, std::string_view name) {
    const std::string written = text(object, name);
    if (error_) return {};
    const auto parsed = from_rfc3339(written);
    if (parsed && written.ends_with('Z')) return *parsed;
    reject(name, "is not a time in UTC");
    return {};
  }

  template <std::size_t N>
  ByteArray<N> hex(const json& object, std::string_view name) {
    const auto bytes = from_hex(text(object, name));
    if (bytes && bytes->size() == N) return to_array<N>(*bytes);
    reject(name, fmt::format("is not {} bytes in hexadecimal", N));
    return {};
  }

  const json::array_t& list(const json& object, std::string_view name) {
    static const json::array_t kNone;
    const json* value = member(object, name, json::value_t::array);
    return value == nullptr ? kNone : value->get_ref<const json::array_t&>();
  }

  void reject(std::string_view name, std::string_view what) {
    if (!error_) error_.emplace(Code::malformed, fmt::format("{}: {} {}", structure_, name, what));
  }

  [[nodiscard]] Result<void> status() const {
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  std::string_view structure_;
  std::optional<Error> error_;
};

TcbStanding read_standing(Reader& in, const json& level) {
  TcbStanding standing;
  standing.date = in.time(level, "tcbDate");
  const auto status = tcb_status_from_string(in.text(level, "tcbStatus"));
  // Only a verifier can find that a relaunch would do.
  if (status != TcbStatus::td_relaunch_advised && status != TcbStatus::td_relaunch_advised_configuration_needed)
    standing.status = status;
  if (!level.contains("advisoryIDs")) return standing;
  for (const json& id : in.list(level, "advisoryIDs")) {
    if (id.is_string() && id.get_ref<const std::string&>().size() <= kMaxText)
      standing.advisory_ids.push_back(id.get<std::string>());
    else
      in.reject("advisoryIDs", "is not a list of short texts");
  }
  return standing;
}

/// Sorts by what `key` makes of a level; equal ones stay in the document's order.
template <class Level, class Key>
void sort_highest_first(std::vector<Level>& levels, Key key) {
  std::vector<std::pair<decltype(key(levels[0])), std::size_t>> order;
  order.reserve(levels.size());
  for (const Level& level : levels) order.emplace_back(key(level), order.size());
  std::ranges::sort(
      order, [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<Level> sorted;
  sorted.reserve(levels.size());
  for (const auto& [ignored, at] : order) sorted.push_back(std::move(levels[at]));
  levels = std::move(sorted);
}

std::vector<SvnLevel> read_svn_levels(Reader& in, const json& object) {
  std::vector<SvnLevel> levels;
  for (const json& level : in.list(object, "tcbLevels")) {
    const json* tcb = in.member(level, "tcb", json::value_t::object);
    if (tcb == nullptr) return {};
    levels.push_back({in.number<std::uint16_t>(*tcb, "isvsvn"), read_standing(in, level)});
  }
  sort_highest_first(levels, [](const SvnLevel& level) { return level.svn; });
  return levels;
}

TcbComponents read_components(Reader& in, const json& tcb, std::string_view name) {
  TcbComponents components;
  const json::array_t& list = in.list(tcb, name);
  if (list.size() != kComponents) {
    in.reject(name, "does not have sixteen elements");
    return components;
  }
  for (std::size_t i = 0; i < kComponents; ++i)
    components[i] = {in.number<std::uint8_t>(list[i], "svn"), in.text_or_empty(list[i], "category"),
                     in.text_or_empty(list[i], "type")};
  return components;
}

std::array<std::uint8_t, kComponents> svns(const TcbComponents& components) {
  std::array<std::uint8_t, kComponents> out{};
  std::ranges::transform(components, out.begin(), &TcbComponent::svn);
  return out;
}

std::vector<PlatformLevel> read_platform_levels(Reader& in, const json& object) {
  std::vector<PlatformLevel> levels;
  for (const json& level : in.list(object, "tcbLevels")) {
    const json* tcb = in.member(level, "tcb", json::value_t::object);
    if (tcb == nullptr) return {};
    levels.push_back({read_components(in, *tcb, "sgxtcbcomponents"), in.number<std::uint16_t>(*tcb, "pcesvn"),
                      read_components(in, *tcb, "tdxtcbcomponents"), read_standing(in, level)});
  }
  sort_highest_first(
      levels, [](const PlatformLevel& level) { return std::tuple(svns(level.sgx), level.pcesvn, svns(level.tdx)); });
  return levels;
}

ModuleIdentity read_module(Reader& in, const json& object) {
  ModuleIdentity module;
  module.mr_signer = in.hex<48>(object, "mrsigner");
  module.attributes = in.hex<8>(object, "attributes");
  module.attributes_mask = in.hex<8>(object, "attributesMask");
  return module;
}

std::vector<ModuleIdentity> read_module_identities(Reader& in, const json& root) {
  std::vector<ModuleIdentity> modules;
  if (!root.contains("tdxModuleIdentities")) return modules;  // there was a time before them
  for (const json& object : in.list(root, "tdxModuleIdentities")) {
    ModuleIdentity module = read_module(in, object);
    module.id = in.text(object, "id");
    module.levels = read_svn_levels(in, object);
    modules.push_back(std::move(module));
  }
  return modules;
}

/// The document, if its id and version are those wanted.
Result<json> read_document(std::string_view text, std::string_view id, std::uint64_t oldest, std::uint64_t newest) {
  WAXWING_ASSIGN(json root, parse_json_strict(text, kLimits));
  Reader in(id);
  const std::string found = in.text(root, "id");
  const auto version = in.number<std::uint64_t>(root, "version");
  WAXWING_TRY(in.status());
  if (found != id || version < oldest || version > newest)
    return fail(Code::unsupported, fmt::format("{}, version {}", found == id ? id : "another document", version));
  return root;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::string_view to_string(TcbStatus status) {
  return std::ranges::find(kStatusNames, status, &StatusName::status)->name;
}

std::optional<TcbStatus> tcb_status_from_string(std::string_view name) {
  const auto* found = std::ranges::find(kStatusNames, name, &StatusName::name);
  return found == std::ranges::end(kStatusNames) ? std::nullopt : std::optional(found->status);
}

const ModuleIdentity* TcbInfo::module_of(std::uint8_t major) const {
  const std::string id = fmt::format("TDX_{:02X}", major);
  const auto found = std::ranges::find_if(
      module_identities, [&id](const ModuleIdentity& module) { return equal_ignoring_case(module.id, id); });
  return found == module_identities.end() ? nullptr : &*found;
}

Result<TcbInfo> parse_tcb_info(std::string_view document) {
  WAXWING_ASSIGN(const json root, read_document(document, "TDX", 3, 3));
  Reader in("TCB info");
  TcbInfo info;
  info.issue_date = in.time(root, "issueDate");
  info.next_update = in.time(root, "nextUpdate");
  info.fmspc = in.hex<6>(root, "fmspc");
  info.pce_id = in.hex<2>(root, "pceId");
  info.evaluation_number = in.number<std::uint32_t>(root, "tcbEvaluationDataNumber");
  if (const json* module = in.member(root, "tdxModule", json::value_t::object)) info.module = read_module(in, *module);
  info.module_identities = read_module_identities(in, root);
  info.levels = read_platform_levels(in, root);
  WAXWING_TRY(in.status());
  return info;
}

Result<QeIdentity> parse_qe_identity(std::string_view document) {
  WAXWING_ASSIGN(const json root, read_document(document, "TD_QE", 2, 3));
  Reader in("QE identity");
  QeIdentity identity;
  identity.issue_date = in.time(root, "issueDate");
  identity.next_update = in.time(root, "nextUpdate");
  identity.evaluation_number = in.number<std::uint32_t>(root, "tcbEvaluationDataNumber");
  identity.misc_select = in.hex<4>(root, "miscselect");
  identity.misc_select_mask = in.hex<4>(root, "miscselectMask");
  identity.attributes = in.hex<16>(root, "attributes");
  identity.attributes_mask = in.hex<16>(root, "attributesMask");
  identity.mr_signer = in.hex<32>(root, "mrsigner");
  identity.isv_prod_id = in.number<std::uint16_t>(root, "isvprodid");
  identity.levels = read_svn_levels(in, root);
  WAXWING_TRY(in.status());
  return identity;
}

}  // namespace waxwing::evidence::tdx
