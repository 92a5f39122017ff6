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
  if (const toml::node* expires = top.node("expires")) {
    const auto* value = expires->as_date_time();
    policy.expires = value ? to_wall(value->get()) : std::nullopt;
    if (!policy.expires) top.wrong(*expires, "expires", "a date and time with offset, such as 2027-01-31T00:00:00Z");
  }
}

void read_root(Section& root, Policy& policy) {
  const auto vendor = root.text("vendor");
  const auto label = root.text("label");
  const auto file = root.text("file");
  const auto pem = root.text("pem");
  const toml::source_position at = root.raw().source().begin;
  root.done();
  if (vendor) {
    if (*vendor != "amd") return root.wrong(*root.node("vendor"), "vendor", "\"amd\"");
    if (label || file || pem) return root.problem(at, "a vendor's root takes no other key");
    policy.roots.pinned = sev_snp::amd_roots().pinned;
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
  if (auto snp = top.table("snp"))
    read_snp(*snp, policy.snp);
  else
    top.missing("snp");
  read_engine(top, policy.engine);
  top.done();
  if (diagnosis.found()) return fail(Code::config_invalid, diagnosis.text());
  return policy;
}

}  // namespace waxwing::appraisal
