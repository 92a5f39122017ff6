// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/settings/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <optional>

#include "waxwing/base/toml.hpp"

namespace waxwing::settings {

namespace {

Position position_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

Result<Raw> to_raw(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return Raw(value->get());
  if (const auto* value = node.as_integer()) return Raw(value->get());
  if (const auto* value = node.as_string()) return Raw(value->get());
  const auto* array = node.as_array();
  if (array == nullptr) return fail(Code::config_invalid, "is of a type that no setting has");
  std::vector<std::string> texts;
  for (const toml::node& element : *array) {
    const auto* text = element.as_string();
    if (text == nullptr) return fail(Code::config_invalid, "must be a list of texts");
    texts.push_back(text->get());
  }
  return Raw(std::move(texts));
}

Result<void> flatten(const toml::table& table, const std::string& prefix, const std::string& source,
                     std::span<const std::string_view> without, std::vector<Entry>& out) {
  for (const auto& [name, node] : table) {
    if (std::ranges::find(without, name.str()) != without.end()) continue;
    const std::string key = prefix + std::string(name.str());
    if (const auto* inner = node.as_table()) {
      WAXWING_TRY(flatten(*inner, key + ".", source, {}, out));
      continue;
    }
    auto raw = to_raw(node);
    if (!raw) return std::unexpected(error_at(source, position_of(node.source()), key + " " + raw.error().text()));
    out.push_back({key, *std::move(raw), position_of(name.source())});
  }
  return {};
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};
// Largest first, so that to_text finds the shortest form.
constexpr auto kSizes = std::to_array<Unit>({{"GiB", 1U << 30U}, {"MiB", 1U << 20U}, {"KiB", 1U << 10U}, {"B", 1}});
constexpr auto kTimes = std::to_array<Unit>({{"h", 3'600'000'000'000},
                                             {"m", 60'000'000'000},
                                             {"s", 1'000'000'000},
                                             {"ms", 1'000'000},
                                             {"us", 1'000},
                                             {"ns", 1}});

std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units,
                                             std::uint64_t without_unit) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  std::uint64_t factor = name.empty() ? without_unit : 0;
  for (const Unit& unit : units)
    if (unit.name == name) factor = unit.factor;
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (factor == 0 || number > (kMost - 1) / factor) return std::nullopt;
  return number * factor;
}

std::string show_with_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) return std::to_string(value / unit.factor) + std::string(unit.name);
  return "0" + std::string(units.back().name);
}

}  // namespace

Error error_at(std::string_view source, Position where, std::string_view text) {
  std::string place(source);
  if (where.line != 0) place += ":" + std::to_string(where.line) + ":" + std::to_string(where.column);
  return Error(Code::config_invalid, place + ": " + std::string(text));
}

Result<Document> read(std::string_view toml, std::string_view source, std::span<const std::string_view> groups) {
  const toml::parse_result parsed = toml::parse(toml);
  if (parsed.failed())
    return std::unexpected(error_at(source, position_of(parsed.error().source()), parsed.error().description()));
  Document document{.source = std::string(source), .entries = {}, .groups = {}};
  for (const std::string_view name : groups) {
    const toml::node* node = parsed.table().get(name);
    if (node == nullptr) continue;
    const toml::array* tables = node->as_array();
    if (tables == nullptr || !tables->is_homogeneous<toml::table>())
      return std::unexpected(error_at(source, position_of(node->source()),
                                      std::string(name) + " must be written as [[" + std::string(name) + "]]"));
    for (const toml::node& table : *tables) {
      Document::Group group{.name = std::string(name), .where = position_of(table.source()), .entries = {}};
      WAXWING_TRY(flatten(*table.as_table(), "", document.source, {}, group.entries));
      document.groups.push_back(std::move(group));
    }
  }
  WAXWING_TRY(flatten(parsed.table(), "", document.source, groups, document.entries));
  return document;
}

Result<ByteSize> parse_size(std::string_view text) {
  const auto bytes = parse_with_unit(text, kSizes, 1);
  if (!bytes) return fail(Code::config_invalid, "must be a size like \"64KiB\", \"4MiB\" or \"1GiB\"");
  return ByteSize{*bytes};
}

std::string to_text(ByteSize size) {
  return show_with_unit(size.bytes, kSizes);
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (text == "none") return std::chrono::nanoseconds::max();
  const auto value = parse_with_unit(text, kTimes, 0);
  if (!value) return fail(Code::config_invalid, "must be a time like \"250ms\", \"10s\", \"10m\", \"1h\" or \"none\"");
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*value));
}

std::string to_text(std::chrono::nanoseconds duration) {
  if (duration == std::chrono::nanoseconds::max()) return "none";
  return show_with_unit(static_cast<std::uint64_t>(duration.count()), kTimes);
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string nearest(std::string_view unknown, std::span<const std::string> known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, unknown.size() / 3) + 1;
  for (const std::string& name : known) {
    const std::size_t d = distance(unknown, name);
    if (d >= best_distance) continue;
    best_distance = d;
    best = name;
  }
  return best;
}

std::string reference_table(std::span<const KeyFacts> keys) {
  std::string out = "| key | type | default | meaning |\n|---|---|---|---|\n";
  const auto cell = [](std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
    return escaped;
  };
  for (const KeyFacts& key : keys)
    out +=
        "| `" + key.name + "` | " + cell(key.type) + " | `" + cell(key.fallback) + "` | " + cell(key.meaning) + " |\n";
  return out;
}

}  // namespace waxwing::settings
