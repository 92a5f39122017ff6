// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string_view>
#include <variant>

#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/base/plaintext.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::observe {

/// A text that the compiler has seen: a message or a field's name. Nothing computed at run time becomes one.
class Literal {
 public:
  template <std::size_t N>
  consteval Literal(const char (&text)[N]) : text_(text, N - 1) {}
  [[nodiscard]] constexpr std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

/// Marks a run-time text as fit for a log: names of configuration entries, addresses, ids. Never a part of a request or
/// an answer. Longer than kMaxText bytes is cut, controls are escaped, when written.
struct Text {
  explicit Text(std::string_view value) : view(value) {}
  std::string_view view;
};
inline constexpr std::size_t kMaxText = 256;

/// The value of a log field: a number, a duration, a Code, an Error, a literal or an explicit Text. Lasts for the call.
class Value {
 public:
  using Any =
      std::variant<std::int64_t, std::uint64_t, double, bool, std::chrono::nanoseconds, std::string_view, const Error*>;

  template <std::signed_integral T>
  Value(T v) : any_(static_cast<std::int64_t>(v)) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  Value(T v) : any_(static_cast<std::uint64_t>(v)) {}
  // A template, so that no pointer turns into a truth.
  template <std::same_as<bool> T>
  Value(T v) : any_(v) {}
  Value(double v) : any_(v) {}
  template <class Rep, class Period>
  Value(std::chrono::duration<Rep, Period> v) : any_(std::chrono::duration_cast<std::chrono::nanoseconds>(v)) {}
  Value(Code v) : any_(to_string(v)) {}
  Value(const Error& v) : any_(&v) {}
  Value(Literal v) : any_(v.view()) {}
  template <std::size_t N>
  consteval Value(const char (&text)[N]) : any_(std::string_view(text, N - 1)) {}
  Value(Text v) : any_(v.view) {}
  template <std::size_t N>
  Value(const Secret<N>&) = delete;
  Value(const SecretBytes&) = delete;
  Value(const Plaintext&) = delete;

  [[nodiscard]] const Any& any() const { return any_; }

 private:
  Any any_;
};

struct Field {
  Literal name;
  Value value;
};

/// Where events go. Thread-safe; a level that is off costs one relaxed load.
///
///     log.warn("session ended", {{"provider", Text(name)}, {"age", age}, {"error", error}});
class Logger {
 public:
  explicit Logger(LogLevel level) : level_(level) {}
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  virtual ~Logger() = default;

  [[nodiscard]] bool enabled(LogLevel level) const { return level >= level_.load(std::memory_order_relaxed); }
  /// Takes effect at once, for all threads.
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }

  void log(LogLevel level, Literal message, std::initializer_list<Field> fields = {}) {
    if (enabled(level)) write(level, message.view(), std::span(fields.begin(), fields.size()));
  }
  void debug(Literal message, std::initializer_list<Field> fields = {}) { log(LogLevel::debug, message, fields); }
  void info(Literal message, std::initializer_list<Field> fields = {}) { log(LogLevel::info, message, fields); }
  void warn(Literal message, std::initializer_list<Field> fields = {}) { log(LogLevel::warn, message, fields); }
  void error(Literal message, std::initializer_list<Field> fields = {}) { log(LogLevel::error, message, fields); }

 private:
  virtual void write(LogLevel level, std::string_view message, std::span<const Field> fields) = 0;
  std::atomic<LogLevel> level_;
};

enum class LogFormat : std::uint8_t {
  text,  ///< 2026-11-24T15:00:00.123Z warn  session ended provider=home age=1.500s
  json,  ///< {"time":"...","level":"warn","message":"session ended","provider":"home","age":1.5}; durations in seconds
};

struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
};

/// Writes lines to the standard error, or to `out`. `clock` and `out` outlive the logger.
[[nodiscard]] std::unique_ptr<Logger> make_logger(const LogOptions& options, const Clock& clock);
[[nodiscard]] std::unique_ptr<Logger> make_logger(const LogOptions& options, const Clock& clock, std::ostream& out);

/// Writes nowhere.
class NullLogger final : public Logger {
 public:
  NullLogger() : Logger(LogLevel::error) {}

 private:
  void write(LogLevel /*level*/, std::string_view /*message*/, std::span<const Field> /*fields*/) override {}
};

/// "debug", "info", "warn", "error"; Code::config_invalid for another name.
[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view name);
[[nodiscard]] Result<LogFormat> parse_log_format(std::string_view name);

}  // namespace waxwing::observe
