// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "waxwing/base/error.hpp"

/// Configuration declared once. A Schema binds each key to a member of a struct whose default values are the defaults;
/// the parser, `--help`, the reference page and the canonical form are all made from it.
namespace waxwing::settings {

/// Where a value stands, from 1; 0 where there is no such place (the command line).
struct Position {
  unsigned line = 0;
  unsigned column = 0;
};

/// A value as the file has it.
using Raw = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct Entry {
  std::string key;  ///< "listen.address"; inside a group without the group's name
  Raw value;
  Position where;
};

/// A TOML document, flattened. `groups` holds the tables of each [[name]] that the reader asked for, in order.
struct Document {
  struct Group {
    std::string name;
    Position where;
    std::vector<Entry> entries;
  };
  std::string source;  ///< names the document in errors
  std::vector<Entry> entries;
  std::vector<Group> groups;
};

/// Reads TOML 1.0. `groups` names the arrays of tables; any other one, and values that are no setting (dates, floats,
/// mixed lists), are Code::config_invalid with "source:line:column: ...".
[[nodiscard]] Result<Document> read(std::string_view toml, std::string_view source,
                                    std::span<const std::string_view> groups = {});

/// Numbers of bytes ("64KiB", "4MiB", plain digits) and times ("250ms", "10s", "10m", "1h", "none").
struct ByteSize {
  std::uint64_t bytes = 0;
};
[[nodiscard]] Result<ByteSize> parse_size(std::string_view text);
[[nodiscard]] std::string to_text(ByteSize size);
[[nodiscard]] Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
[[nodiscard]] std::string to_text(std::chrono::nanoseconds duration);
/// TOML basic string, quotes included.
[[nodiscard]] std::string quote(std::string_view text);
/// "source:line:column: text" as Code::config_invalid, or "source: text" for a value without a place.
[[nodiscard]] Error error_at(std::string_view source, Position where, std::string_view text);
/// The known name nearest to an unknown one, or "" when none is near.
[[nodiscard]] std::string nearest(std::string_view unknown, std::span<const std::string> known);

/// What a reference page says of one key.
struct KeyFacts {
  std::string name;
  std::string type;  ///< "text", "size", "duration", "plain | attested", ...
  std::string fallback;
  std::string meaning;
};
[[nodiscard]] std::string reference_table(std::span<const KeyFacts> keys);

/// The keys of one struct.
///
///     Schema<GatewayConfig> schema;
///     schema.text("engine.url", &GatewayConfig::engine_url, "Where the engine listens.")
///         .duration("engine.connect", &GatewayConfig::connect, "Time for one connection to it.")
///         .choice("listen.tls", &GatewayConfig::tls, {{"plain", Tls::plain}, {"files", Tls::files}}, "...");
///     WAXWING_TRY(schema.apply(document.entries, document.source, config));
template <class C>
class Schema {
 public:
  using Set = std::function<Result<void>(C&, const Raw&)>;
  using Show = std::function<std::string(const C&)>;

  Schema& flag(std::string name, bool C::* member, std::string meaning) {
    return add(
        std::move(name), "true | false", std::move(meaning),
        [member](C& c, const Raw& raw) { return take<bool>(raw, "true or false", c.*member); },
        [member](const C& c) { return std::string(c.*member ? "true" : "false"); });
  }
  template <class T>
  Schema& integer(std::string name, T C::* member, std::int64_t least, std::int64_t most, std::string meaning) {
    return add(
        std::move(name), "integer", std::move(meaning),
        [member, least, most](C& c, const Raw& raw) -> Result<void> {
          std::int64_t value = 0;
          WAXWING_TRY(take<std::int64_t>(raw, "a whole number", value));
          if (value < least || value > most)
            return fail(Code::config_invalid, "must be from " + std::to_string(least) + " to " + std::to_string(most));
          c.*member = static_cast<T>(value);
          return {};
        },
        [member](const C& c) { return std::to_string(c.*member); });
  }
  Schema& text(std::string name, std::string C::* member, std::string meaning) {
    return add(
        std::move(name), "text", std::move(meaning),
        [member](C& c, const Raw& raw) { return take<std::string>(raw, "a text in quotes", c.*member); },
        [member](const C& c) { return quote(c.*member); });
  }
  Schema& list(std::string name, std::vector<std::string> C::* member, std::string meaning) {
    return add(
        std::move(name), "list of texts", std::move(meaning),
        [member](C& c, const Raw& raw) { return take<std::vector<std::string>>(raw, "a list of texts", c.*member); },
        [member](const C& c) { return show_list(c.*member); });
  }
  template <class T>
  Schema& size(std::string name, T C::* member, std::string meaning) {
    return add(
        std::move(name), "size", std::move(meaning),
        [member](C& c, const Raw& raw) -> Result<void> {
          ByteSize value;
          if (const auto* plain = std::get_if<std::int64_t>(&raw); plain != nullptr && *plain >= 0) {
            value.bytes = static_cast<std::uint64_t>(*plain);
          } else {
            std::string text;
            WAXWING_TRY(take<std::string>(raw, "a size like \"4MiB\"", text));
            WAXWING_ASSIGN(value, parse_size(text));
          }
          c.*member = static_cast<T>(value.bytes);
          return {};
        },
        [member](const C& c) { return quote(to_text(ByteSize{static_cast<std::uint64_t>(c.*member)})); });
  }
  /// "none" is nanoseconds::max().
  Schema& duration(std::string name, std::chrono::nanoseconds C::* member, std::string meaning) {
    return add(
        std::move(name), "duration", std::move(meaning),
        [member](C& c, const Raw& raw) -> Result<void> {
          std::string text;
          WAXWING_TRY(take<std::string>(raw, "a time like \"10s\"", text));
          WAXWING_ASSIGN(c.*member, parse_duration(text));
          return {};
        },
        [member](const C& c) { return quote(to_text(c.*member)); });
  }
  template <class E>
  Schema& choice(std::string name, E C::* member, std::vector<std::pair<std::string, E>> names, std::string meaning) {
    std::string type;
    for (const auto& [text, value] : names) type += (type.empty() ? "" : " | ") + text;
    return add(
        std::move(name), type, std::move(meaning),
        [member, names, type](C& c, const Raw& raw) -> Result<void> {
          std::string text;
          WAXWING_TRY(take<std::string>(raw, "one of " + type, text));
          for (const auto& [known, value] : names) {
            if (known != text) continue;
            c.*member = value;
            return {};
          }
          return fail(Code::config_invalid, "must be one of " + type);
        },
        [member, names](const C& c) {
          for (const auto& [known, value] : names)
            if (value == c.*member) return quote(known);
          return std::string();
        });
  }

  /// Sets what the entries say. Code::config_invalid with the position: unknown key (and what it may have meant), key
  /// given twice, wrong type, out of range.
  [[nodiscard]] Result<void> apply(std::span<const Entry> entries, std::string_view source, C& config) const {
    for (const Entry& entry : entries) {
      const Binding* binding = find(entry.key);
      if (binding == nullptr) {
        const std::string near = nearest(entry.key, names());
        return std::unexpected(
            error_at(source, entry.where,
                     "unknown key \"" + entry.key + "\"" + (near.empty() ? "" : "; did you mean \"" + near + "\"?")));
      }
      if (auto set = binding->set(config, entry.value); !set)
        return std::unexpected(error_at(source, entry.where, entry.key + " " + set.error().text()));
    }
    return {};
  }

  /// "name = value" of every key, sorted by name.
  [[nodiscard]] std::vector<std::string> lines(const C& config) const {
    std::vector<std::string> out;
    for (const Binding& binding : bindings_) out.push_back(binding.facts.name + " = " + binding.show(config));
    std::sort(out.begin(), out.end());
    return out;
  }
  [[nodiscard]] std::vector<KeyFacts> facts() const {
    std::vector<KeyFacts> out;
    for (const Binding& binding : bindings_) out.push_back(binding.facts);
    return out;
  }

 private:
  struct Binding {
    KeyFacts facts;
    Set set;
    Show show;
  };

  template <class T>
  static Result<void> take(const Raw& raw, std::string_view wanted, T& to) {
    const T* value = std::get_if<T>(&raw);
    if (value == nullptr) return fail(Code::config_invalid, "must be " + std::string(wanted));
    to = *value;
    return {};
  }
  static std::string show_list(const std::vector<std::string>& values) {
    std::string out;
    for (const std::string& value : values) out += (out.empty() ? "" : ", ") + quote(value);
    return "[" + out + "]";
  }
  Schema& add(std::string name, std::string type, std::string meaning, Set set, Show show) {
    std::string fallback = show(C{});
    bindings_.push_back(
        {{std::move(name), std::move(type), std::move(fallback), std::move(meaning)}, std::move(set), std::move(show)});
    return *this;
  }
  [[nodiscard]] const Binding* find(std::string_view name) const {
    for (const Binding& binding : bindings_)
      if (binding.facts.name == name) return &binding;
    return nullptr;
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const Binding& binding : bindings_) out.push_back(binding.facts.name);
    return out;
  }
  std::vector<Binding> bindings_;
};

}  // namespace waxwing::settings
