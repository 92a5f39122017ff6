// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/observe/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include "waxwing/base/encoding.hpp"

namespace waxwing::observe {
namespace {

using std::chrono::nanoseconds;
using Line = std::string;

std::string timestamp(WallTime now) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(now);
  const auto second = std::chrono::floor<std::chrono::seconds>(milliseconds);
  std::string out = to_rfc3339(second);
  out.pop_back();
  fmt::format_to(std::back_inserter(out), ".{:03}Z", (milliseconds - second).count());
  return out;
}

double in_seconds(nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

// Cuts at a character, so that the end is not taken for invalid UTF-8.
std::string_view shorten(std::string_view text) {
  if (text.size() <= kMaxText) return text;
  std::size_t end = kMaxText;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80) --end;
  return text.substr(0, end);
}

bool plain(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/@+-,[]";
  return !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos;
}

// One field after another in one of the two formats.
class TextLine {
 public:
  TextLine(WallTime now, LogLevel level, std::string_view message) {
    fmt::format_to(std::back_inserter(line_), "{} {:<5} {}", timestamp(now), to_string(level), message);
  }
  void field(std::string_view name, std::string_view suffix, const auto& value) {
    fmt::format_to(std::back_inserter(line_), " {}{}=", name, suffix);
    write(value);
  }
  [[nodiscard]] std::string_view finish() { return line_; }

 private:
  void write(std::string_view text) {
    text = shorten(text);
    plain(text) ? void(line_ += text) : append_json_string(line_, text);
  }
  void write(nanoseconds v) {
    if (v < std::chrono::milliseconds(1) && v > std::chrono::milliseconds(-1)) {
      fmt::format_to(std::back_inserter(line_), "{}us",
                     std::chrono::duration_cast<std::chrono::microseconds>(v).count());
    } else if (v < std::chrono::seconds(1) && v > std::chrono::seconds(-1)) {
      fmt::format_to(std::back_inserter(line_), "{:.3f}ms", in_seconds(v) * 1000);
    } else {
      fmt::format_to(std::back_inserter(line_), "{:.3f}s", in_seconds(v));
    }
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  void write(T v) {
    fmt::format_to(std::back_inserter(line_), "{}", v);
  }
  Line line_;
};

class JsonLine {
 public:
  JsonLine(WallTime now, LogLevel level, std::string_view message) : line_("{") {
    field("time", "", std::string_view(timestamp(now)));
    field("level", "", to_string(level));
    field("message", "", message);
  }
  void field(std::string_view name, std::string_view suffix, const auto& value) {
    if (line_.size() > 1) line_ += ',';
    fmt::format_to(std::back_inserter(line_), "\"{}{}\":", name, suffix);
    write(value);
  }
  [[nodiscard]] std::string_view finish() {
    line_ += '}';
    return line_;
  }

 private:
  void write(std::string_view text) { append_json_string(line_, shorten(text)); }
  void write(nanoseconds v) { write(in_seconds(v)); }
  void write(double v) { line_ += std::isfinite(v) ? fmt::format("{}", v) : "null"; }
  template <class T>
    requires std::is_integral_v<T>
  void write(T v) {
    fmt::format_to(std::back_inserter(line_), "{}", v);
  }
  Line line_;
};

template <class Writer>
void write_field(Writer& line, const Field& field) {
  std::visit(
      [&](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, const Error*>) {
          line.field(field.name.view(), "", std::string_view(value->describe()));
          line.field(field.name.view(), ".code", to_string(value->code()));
        } else {
          line.field(field.name.view(), "", value);
        }
      },
      field.value.any());
}

class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(const LogOptions& options, const Clock& clock, spdlog::sink_ptr sink)
      : Logger(options.level), format_(options.format), clock_(clock), out_("waxwing", std::move(sink)) {
    out_.set_pattern("%v");
    out_.set_level(spdlog::level::trace);
    out_.flush_on(spdlog::level::trace);
  }

 private:
  void write(LogLevel level, std::string_view message, std::span<const Field> fields) override {
    switch (format_) {
      case LogFormat::text:
        return write_as<TextLine>(level, message, fields);
      case LogFormat::json:
        return write_as<JsonLine>(level, message, fields);
    }
    std::unreachable();
  }

  template <class Writer>
  void write_as(LogLevel level, std::string_view message, std::span<const Field> fields) {
    Writer line(clock_.now().wall, level, message);
    for (const Field& field : fields) write_field(line, field);
    const std::string_view text = line.finish();
    out_.log(spdlog::level::info, spdlog::string_view_t(text.data(), text.size()));
  }

  LogFormat format_;
  const Clock& clock_;
  spdlog::logger out_;
};

}  // namespace

std::unique_ptr<Logger> make_logger(const LogOptions& options, const Clock& clock) {
  return std::make_unique<SpdlogLogger>(options, clock, std::make_shared<spdlog::sinks::stderr_sink_mt>());
}

std::unique_ptr<Logger> make_logger(const LogOptions& options, const Clock& clock, std::ostream& out) {
  return std::make_unique<SpdlogLogger>(options, clock, std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
}

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  std::unreachable();
}

Result<LogLevel> parse_log_level(std::string_view name) {
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    if (name == to_string(level)) return level;
  }
  return fail(Code::config_invalid, "log level is none of debug, info, warn, error");
}

Result<LogFormat> parse_log_format(std::string_view name) {
  if (name == "text") return LogFormat::text;
  if (name == "json") return LogFormat::json;
  return fail(Code::config_invalid, "log format is neither text nor json");
}

}  // namespace waxwing::observe
