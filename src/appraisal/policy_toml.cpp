// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/appraisal/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <limits>
#include <string>
#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/base/toml.hpp"

namespace waxwing::appraisal {
namespace {

constexpr std::int64_t kSchemaVersion = 1;
constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();

/// The first error of one document, with its place. Every reader below goes on quietly after it.
class Diagnosis {
 public:
  explicit Diagnosis(std::string_view source) : source_(source) {}

  void report(const toml::source_position& at, const std::string& text) {
    if (text_.empty()) text_ = fmt::format("{}:{}:{}: {}", source_, at.line, at.column, text);
  }
  [[nodiscard]] bool found() const { return !text_.empty(); }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string_view source_;
  std::string text_;
};

std::optional<WallTime> to_wall(const toml::date_time& value) {
  if (!value.offset) return std::nullopt;  // a local time means another instant on every machine
  const std::chrono::year_month_day date(std::chrono::year(value.date.year), std::chrono::month(value.date.month),
                                         std::chrono::day(value.date.day));
  // A WallTime counts nanoseconds, which end in the year 2262.
  if (!date.ok() || value.date.year < 2000 || value.date.year > 2200) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + std::chrono::hours(value.time.hour) +
         std::chrono::minutes(value.time.minute) + std::chrono::seconds(value.time.second) -
         std::chrono::minutes(value.offset->minutes);
}

/// One TOML table that is read key by key; done() refuses the keys nobody asked for.
class Section {
 public:
  Section(const toml::table& table, std::string name, Diagnosis& diagnosis)
      : table_(table), name_(std::move(name)), diagnosis_(diagnosis) {}

  /// The node of a key, or null; marks it as read.
  const toml::node* node(std::string_view key) {
    read_.emplace_back(key);
    return table_.get(key);
  }

  void boolean(std::string_view key, bool& out) {
    if (const toml::node* found = node(key)) {
      if (const auto* value = found->as_boolean())
        out = value->get();
      else
        wrong(*found, key, "true or false");
    }
  }

  std::optional<std::string> text(std::string_view key) {
    const toml::node* found = node(key);
    if (found == nullptr) return std::nullopt;
    if (const auto* value = found->as_string(); value && !value->get().empty()) return value->get();
    wrong(*found, key, "a text");
    return std::nullopt;
  }

  std::optional<std::uint64_t> integer(std::string_view key, std::uint64_t most) {
    const toml::node* found = node(key);
    if (found == nullptr) return std::nullopt;
    const auto* value = found->as_integer();
    if (value != nullptr && value->get() >= 0 && static_cast<std::uint64_t>(value->get()) <= most)
      return static_cast<std::uint64_t>(value->get());
    wrong(*found, key, fmt::format("a whole number from 0 to {}", most));
    return std::nullopt;
  }

  std::optional<std::uint8_t> required_level(std::string_view key) {
    const auto value = integer(key, 255);
    if (!value) missing(key);
    return value ? std::optional(static_cast<std::uint8_t>(*value)) : std::nullopt;
  }

  /// A list of one or more texts, each turned by `convert(text) -> optional`.
  template <class T, class Convert>
  void list(std::string_view key, std::string_view what, std::vector<T>& out, Convert convert) {
    const toml::node* found = node(key);
    if (found == nullptr) return;
    const toml::array* array = found->as_array();
    if (array == nullptr || array->empty()) return wrong(*found, key, fmt::format("a list of {}", what));
    out.clear();
    for (const toml::node& element : *array) {
      const auto* text = element.as_string();
      const auto value = text ? convert(text->get()) : std::nullopt;
      if (!value) return wrong(element, key, fmt::format("a list of {}", what));
      out.push_back(*value);
    }
  }

  template <std::size_t N>
  void hex_list(std::string_view key, std::vector<ByteArray<N>>& out) {
    list(key, fmt::format("{}-byte values in hexadecimal", N), out, [](const std::string& text) {
      const auto bytes = from_hex(text);
      return bytes && bytes->size() == N ? std::optional(to_array<N>(*bytes)) : std::nullopt;
    });
  }

  std::optional<Section> table(std::string_view key) {
    const toml::node* found = node(key);
    if (found == nullptr) return std::nullopt;
    if (const toml::table* inner = found->as_table())
      return Section(*inner, name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key), diagnosis_);
    wrong(*found, key, "a table");
    return std::nullopt;
  }

  /// A list of one or more tables, each read by `read(Section&)`.
  template <class Read>
  void tables(std::string_view key, Read read) {
    const toml::node* found = node(key);
    if (found == nullptr) return;
    const toml::array* array = found->as_array();
    if (array == nullptr || array->empty()) return wrong(*found, key, "a list of tables");
    for (const toml::node& element : *array) {
      const toml::table* inner = element.as_table();
      if (inner == nullptr) return wrong(element, key, "a list of tables");
      Section section(*inner, path(key), diagnosis_);
      read(section);
      section.done();
    }
  }

  /// N bytes in hexadecimal.
  template <std::size_t N>
  std::optional<ByteArray<N>> hex(std::string_view key) {
    const auto written = text(key);
    if (!written) return std::nullopt;
    const auto bytes = from_hex(*written);
    if (bytes && bytes->size() == N) return to_array<N>(*bytes);
    wrong(*table_.get(key), key, fmt::format("{} bytes in hexadecimal", N));
    return std::nullopt;
  }

  /// A date and time with offset.
  std::optional<WallTime> time(std::string_view key) {
    const toml::node* found = node(key);
    if (found == nullptr) return std::nullopt;
    const auto* value = found->as_date_time();
    const auto wall = value ? to_wall(value->get()) : std::nullopt;
    if (!wall) wrong(*found, key, "a date and time with offset, such as 2027-01-31T00:00:00Z");
    return wall;
  }

  void missing(std::string_view key) { problem(table_.source().begin, fmt::format("{} is missing", path(key))); }
  void wrong(const toml::node& at, std::string_view key, std::string_view expected) {
    problem(at.source().begin, fmt::format("{} must be {}", path(key), expected));
  }
  void problem(const toml::source_position& at, const std::string& text) { diagnosis_.report(at, text); }

  void done() {
    for (const auto& [key, value] : table_)
      if (std::ranges::find(read_, key.str()) == read_.end())
        problem(key.source().begin, fmt::format("unknown key {}", path(key.str())));
  }

  [[nodiscard]] const toml::table& raw() const { return table_; }
  [[nodiscard]] Diagnosis& diagnosis() const { return diagnosis_; }

 private:
  std::string path(std::string_view key) const {
    return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
  }

  const toml::table& table_;
  std::string name_;
  Diagnosis& diagnosis_;
  std::vector<std::string> read_;
};

/// "90s", "30m", "1h": 1 second to 24 hours.
std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  if (text.size() < 2 || text.size() > 6) return std::nullopt;
  std::int64_t value = 0;
  for (const char digit : text.substr(0, text.size() - 1)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
  }
  const char unit = text.back();
  if (unit != 's' && unit != 'm' && unit != 'h') return std::nullopt;
  const std::chrono::seconds duration(value * (unit == 's' ? 1 : unit == 'm' ? 60 : 3600));
  return duration >= std::chrono::seconds(1) && duration <= std::chrono::hours(24) ? std::optional(duration)
                                                                                   : std::nullopt;
}

void read_head(Section& top, Policy& policy) {
  if (const auto version = top.integer("version", kMost); !version || *version != kSchemaVersion)
    top.problem(top.raw().source().begin, "version = 1 must be there");
  policy.name = top.text("name").value_or("");
  if (const auto origin = top.text("origin")) {
    if (*origin == "observed")
      policy.origin = Origin::observed;
    else if (*origin != "given")
      top.wrong(*top.node("origin"), "origin", "\"given\" or \"observed\"");
  }
  if (const auto age = top.text("max_age")) {
    const auto duration = parse_duration(*age);
    if (duration)
      policy.max_age = *duration;
    else
      top.wrong(*top.node("max_age"), "max_age", "a time such as \"30m\", at most \"24h\"");
  }
  policy.expires = top.time("expires");
}

void read_root(Section& root, Policy& policy) {
  const auto vendor = root.text("vendor");
  const auto label = root.text("label");
  const auto file = root.text("file");
  const auto pem = root.text("pem");
  const toml::source_position at = root.raw().source().begin;
  root.done();
  if (vendor) {
    if (label || file || pem) return root.problem(at, "a vendor's root takes no other key");
    if (*vendor == "amd")
      policy.roots.pinned = sev_snp::amd_roots().pinned;
    else if (*vendor == "intel")
      policy.tdx_roots.pinned = tdx::intel_roots().pinned;
    else
      root.wrong(*root.node("vendor"), "vendor", "\"amd\" or \"intel\"");
    return;
  }
  if (!label) return root.problem(at, "a root that is not a vendor's needs a label, which every verdict will show");
  if (file.has_value() == pem.has_value()) return root.problem(at, "a root needs one of vendor, file and pem");
  if (file) return policy.root_files.push_back({*file, *label});
  // An inline certificate goes the same way as one from a file, out of turn.
  std::vector<Policy::RootFile> waiting = std::exchange(policy.root_files, {{"pem", *label}});
  if (const auto added = policy.add_root(as_bytes(*pem)); !added) root.problem(at, added.error().text());
  policy.root_files = std::move(waiting);
}

void read_roots(Section& top, Policy& policy) {
  const toml::node* found = top.node("roots");
  if (found == nullptr) {
    policy.roots = sev_snp::amd_roots();
    policy.tdx_roots = tdx::intel_roots();
    return;
  }
  const toml::array* array = found->as_array();
  if (array == nullptr || array->empty()) return top.wrong(*found, "roots", "a list of tables");
  for (const toml::node& element : *array) {
    const toml::table* table = element.as_table();
    if (table == nullptr) return top.wrong(element, "roots", "a list of tables");
    Section root(*table, "roots", top.diagnosis());
    read_root(root, policy);
  }
}

/// [snp.min_tcb.Genoa] and its like.
void read_minima(Section& snp, std::string_view key, std::vector<MinimumTcb>& out) {
  auto products = snp.table(key);
  if (!products) return;
  for (const auto product : {sev_snp::Product::milan, sev_snp::Product::genoa, sev_snp::Product::turin}) {
    auto levels = products->table(to_string(product));
    if (!levels) continue;
    sev_snp::Tcb tcb;
    if (product == sev_snp::Product::turin) tcb.fmc = levels->required_level("fmc");
    tcb.boot_loader = levels->required_level("boot_loader").value_or(0);
    tcb.tee = levels->required_level("tee").value_or(0);
    tcb.snp = levels->required_level("snp").value_or(0);
    tcb.microcode = levels->required_level("microcode").value_or(0);
    levels->done();
    out.push_back({product, tcb});
  }
  products->done();
  if (products->raw().empty()) snp.wrong(products->raw(), key, "a table of products");
}

struct PlatformFeature {
  std::string_view name;
  unsigned bit;
};

std::uint64_t read_features(Section& platform, std::string_view key, std::span<const PlatformFeature> known) {
  std::vector<std::uint64_t> bits;
  platform.list(key, "names of platform features", bits, [known](const std::string& text) {
    const auto feature = std::ranges::find(known, text, &PlatformFeature::name);
    return feature == known.end() ? std::nullopt : std::optional(std::uint64_t{1} << feature->bit);
  });
  std::uint64_t all = 0;
  for (const std::uint64_t bit : bits) all |= bit;
  return all;
}

void read_platform(Section& snp, SnpPolicy& out) {
  constexpr PlatformFeature kPermissions[] = {{"smt", 0}, {"tsme", 1}, {"tio", 7}};
  constexpr PlatformFeature kProtections[] = {
      {"ecc", 2}, {"rapl-disabled", 3}, {"ciphertext-hiding", 4}, {"alias-check", 5}};
  auto platform = snp.table("platform");
  if (!platform) return;
  const std::uint64_t allowed = read_features(*platform, "allow", kPermissions);
  const std::uint64_t required = read_features(*platform, "require", kProtections);
  out.platform = PlatformFeatures{allowed | required};
  platform->done();
}

/// "1.55".
std::optional<MinimumFirmware> parse_firmware(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::uint8_t> {
    unsigned value = 0;
    if (digits.empty() || digits.size() > 3) return std::nullopt;
    for (const char digit : digits) {
      if (digit < '0' || digit > '9') return std::nullopt;
      value = value * 10 + static_cast<unsigned>(digit - '0');
    }
    return value <= 255 ? std::optional(static_cast<std::uint8_t>(value)) : std::nullopt;
  };
  const auto major = number(text.substr(0, dot));
  const auto minor = number(text.substr(dot + 1));
  return major && minor ? std::optional(MinimumFirmware{*major, *minor, 0}) : std::nullopt;
}

void read_levels(Section& snp, SnpPolicy& out) {
  read_minima(snp, "min_tcb", out.min_tcb);
  read_minima(snp, "min_launch_tcb", out.min_launch_tcb);
  if (const auto svn = snp.integer("min_guest_svn", std::numeric_limits<std::uint32_t>::max()))
    out.min_guest_svn = static_cast<std::uint32_t>(*svn);
  if (const auto version = snp.text("min_firmware")) {
    out.min_firmware = parse_firmware(*version);
    if (!out.min_firmware) snp.wrong(*snp.node("min_firmware"), "min_firmware", "a version such as \"1.55\"");
  }
  if (const auto build = snp.integer("min_firmware_build", 255)) {
    if (!out.min_firmware) out.min_firmware = MinimumFirmware{};
    out.min_firmware->build = static_cast<std::uint8_t>(*build);
  }
  if (const auto vmpl = snp.integer("vmpl", 3)) out.vmpl = static_cast<std::uint32_t>(*vmpl);
  out.launch_mitigations = snp.integer("launch_mitigations", kMost).value_or(0);
  out.current_mitigations = snp.integer("current_mitigations", kMost).value_or(0);
}

void read_snp(Section& snp, SnpPolicy& out) {
  Measurements measurements;
  snp.hex_list("measurements", measurements);
  if (measurements.empty()) snp.missing("measurements");
  out.measurements = std::move(measurements);
  snp.list("products", "\"Milan\", \"Genoa\" or \"Turin\"", out.products,
           [](const std::string& text) { return sev_snp::product_from_string(text); });
  snp.hex_list("host_data", out.host_data);
  snp.hex_list("chip_ids", out.chip_ids);
  snp.hex_list("id_keys", out.id_keys);
  snp.hex_list("author_keys", out.author_keys);
  read_levels(snp, out);
  read_platform(snp, out);
  if (const auto crl = snp.text("crl")) {
    if (*crl == "required")
      out.crl = sev_snp::CrlPolicy::required;
    else if (*crl != "if-present")
      snp.wrong(*snp.node("crl"), "crl", "\"required\" or \"if-present\"");
  }
  snp.boolean("allow_migration", out.allow_migration);
  snp.boolean("allow_smt", out.allow_smt);
  snp.boolean("allow_cxl", out.allow_cxl);
  snp.boolean("allow_provisional", out.allow_provisional);
  snp.boolean("allow_masked_chip_id", out.allow_masked_chip_id);
  snp.boolean("require_single_socket", out.require_single_socket);
  snp.boolean("require_aes256_xts", out.require_aes256_xts);
  snp.boolean("require_rapl_disabled", out.require_rapl_disabled);
  snp.boolean("require_ciphertext_hiding", out.require_ciphertext_hiding);
  snp.boolean("require_page_swap_disabled", out.require_page_swap_disabled);
  snp.boolean("require_id_key", out.require_id_key);
  snp.boolean("require_author_key", out.require_author_key);
  snp.done();
}

/// A register that must be there: 48 bytes, or the word "any" for one that nobody looks at.
std::optional<tdx::Register> read_register(Section& entry, std::string_view key) {
  const toml::node* found = entry.raw().get(key);
  if (found == nullptr) entry.missing(key);
  if (found != nullptr && found->value<std::string_view>() == "any") {
    entry.node(key);
    return std::nullopt;
  }
  return entry.hex<tdx::kRegisterSize>(key);
}

TdMeasurements read_td_measurements(Section& entry) {
  TdMeasurements out;
  // Any firmware at all is no policy: MRTD has no "any".
  out.mrtd = entry.hex<tdx::kRegisterSize>("mrtd");
  if (entry.raw().get("mrtd") == nullptr) entry.missing("mrtd");
  constexpr std::string_view kRtmr[] = {"rtmr0", "rtmr1", "rtmr2", "rtmr3"};
  for (std::size_t i = 0; i < out.rtmr.size(); ++i) out.rtmr[i] = read_register(entry, kRtmr[i]);
  return out;
}

void read_tcb_demands(Section& tdx, TdxPolicy& out) {
  tdx.list("statuses", "TCB statuses such as \"UpToDate\"", out.statuses, [](const std::string& text) {
    const auto status = tdx::tcb_status_from_string(text);
    return status == tdx::TcbStatus::revoked ? std::nullopt : status;
  });
  tdx.tables("advisories", [&out](Section& entry) {
    const auto id = entry.text("id");
    const auto until = entry.time("until");
    if (!id) entry.missing("id");
    if (!until) entry.missing("until");
    if (!out.advisories) out.advisories.emplace();
    if (id && until) out.advisories->push_back({*id, *until});
  });
  constexpr auto kMostEvaluations = std::numeric_limits<std::uint32_t>::max();
  if (const auto number = tdx.integer("min_evaluation_number", kMostEvaluations))
    out.min_evaluation_number = static_cast<std::uint32_t>(*number);
}

void read_tdx(Section& tdx, TdxPolicy& out) {
  tdx.tables("measurements", [&out](Section& entry) { out.measurements.push_back(read_td_measurements(entry)); });
  if (out.measurements.empty()) tdx.missing("measurements");
  read_tcb_demands(tdx, out);
  tdx.hex_list("config_ids", out.config_ids);
  tdx.hex_list("owners", out.owners);
  tdx.hex_list("owner_configs", out.owner_configs);
  tdx.hex_list("modules", out.modules);
  out.td_attributes = tdx.hex<8>("td_attributes");
  out.xfam = tdx.hex<8>("xfam");
  tdx.boolean("allow_migration", out.allow_migration);
  tdx.boolean("allow_service_td", out.allow_service_td);
  tdx.boolean("require_sept_ve_disabled", out.require_sept_ve_disabled);
  tdx.done();
}

void read_engine(Section& top, EnginePolicy& out) {
  auto engine = top.table("engine");
  if (!engine) return;
  engine->list("reach", "\"builtin\", \"unix\", \"loopback\" or \"remote\"", out.reach,
               [](const std::string& text) { return engine_reach_from_string(text); });
  engine->hex_list("config_sha256", out.config_sha256);
  engine->done();
}

}  // namespace

Result<Policy> parse_policy(std::string_view toml, std::string_view source) {
  if (toml.size() > Limits::local_file().document)
    return fail(Code::config_invalid, fmt::format("{}: too large", source));
  Diagnosis diagnosis(source);
  const toml::parse_result parsed = toml::parse(toml, source);
  if (!parsed) {
    diagnosis.report(parsed.error().source().begin, std::string(parsed.error().description()));
    return fail(Code::config_invalid, diagnosis.text());
  }
  Policy policy;
  policy.digest = crypto::sha256(as_bytes(toml));
  Section top(parsed.table(), "", diagnosis);
  read_head(top, policy);
  read_roots(top, policy);
  auto snp = top.table("snp");
  auto tdx = top.table("tdx");
  if (snp) read_snp(*snp, policy.snp);
  if (tdx) read_tdx(*tdx, policy.tdx);
  if (!snp && !tdx) top.missing("snp or tdx");
  read_engine(top, policy.engine);
  top.done();
  if (diagnosis.found()) return fail(Code::config_invalid, diagnosis.text());
  return policy;
}

}  // namespace waxwing::appraisal
