// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/endpoints.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>

#include "waxwing/base/encoding.hpp"

namespace waxwing::dialect {
namespace {

constexpr std::array kEndpoints = {
    Endpoint{Dialect::openai, Kind::chat_completions, "POST", "/v1/chat/completions", BodyKind::json,
             Streaming::json_flag},
    Endpoint{Dialect::openai, Kind::completions, "POST", "/v1/completions", BodyKind::json, Streaming::json_flag},
    Endpoint{Dialect::openai, Kind::responses, "POST", "/v1/responses", BodyKind::json, Streaming::json_flag},
    Endpoint{Dialect::openai, Kind::embeddings, "POST", "/v1/embeddings", BodyKind::json, Streaming::never},
    Endpoint{Dialect::openai, Kind::transcriptions, "POST", "/v1/audio/transcriptions", BodyKind::multipart,
             Streaming::form_field},
    Endpoint{Dialect::openai, Kind::translations, "POST", "/v1/audio/translations", BodyKind::multipart,
             Streaming::never},
    Endpoint{Dialect::openai, Kind::speech, "POST", "/v1/audio/speech", BodyKind::json, Streaming::never},
    Endpoint{Dialect::openai, Kind::images, "POST", "/v1/images/generations", BodyKind::json, Streaming::json_flag},
    Endpoint{Dialect::openai, Kind::models, "GET", "/v1/models", BodyKind::none, Streaming::never},
    Endpoint{Dialect::openai, Kind::model, "GET", "/v1/models/", BodyKind::none, Streaming::never},
    Endpoint{Dialect::anthropic, Kind::messages, "POST", "/v1/messages", BodyKind::json, Streaming::json_flag},
    Endpoint{Dialect::anthropic, Kind::count_tokens, "POST", "/v1/messages/count_tokens", BodyKind::json,
             Streaming::never},
};

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// The byte of the triplet at the start of `text`, which starts with '%'.
std::optional<unsigned char> triplet(std::string_view text) {
  if (text.size() < 3) return std::nullopt;
  const auto high = hex_digit(text[1]);
  const auto low = hex_digit(text[2]);
  if (!high || !low) return std::nullopt;
  return static_cast<unsigned char>(*high << 4U | *low);
}

bool visible_ascii(char c) {
  return c > ' ' && c < '\x7f';
}
bool control(unsigned char c) {
  return c < 0x20 || c == 0x7f;
}

Result<void> check_characters(std::string_view target) {
  for (std::size_t i = 0; i < target.size(); ++i) {
    const char c = target[i];
    if (!visible_ascii(c)) return fail(Code::bad_request, "the request target has a byte outside visible ASCII");
    if (c == '\\') return fail(Code::bad_request, "the request target has a backslash");
    if (c == '#') return fail(Code::bad_request, "the request target has a fragment");
    if (c == '%' && !triplet(target.substr(i))) {
      return fail(Code::bad_request, "the request target has a broken percent-encoding");
    }
  }
  return {};
}

Result<void> check_segments(std::string_view rest) {
  for (;;) {
    const std::size_t end = rest.find('/');
    const std::string_view segment = rest.substr(0, end);
    if (segment == "." || segment == "..") return fail(Code::bad_request, "the path has a dot segment");
    if (segment.empty()) return fail(Code::bad_request, "the path has an empty segment");
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
}

Result<void> check_path(std::string_view path, EncodedSlash slash) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') continue;
    const unsigned char byte = *triplet(path.substr(i));
    const bool bad = control(byte) || byte == '.' || byte == '\\' || byte == '%';
    if (bad || (byte == '/' && slash == EncodedSlash::refuse)) {
      return fail(Code::bad_request, "the path has a percent-encoded slash, dot, backslash, percent sign or control");
    }
  }
  return check_segments(path.substr(1));
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out += static_cast<char>(*triplet(text.substr(i)));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// What follows the row's path, percent-encoded; nothing when the row is for another path.
std::optional<std::string_view> parameter_of(const Endpoint& row, std::string_view path) {
  if (!row.path.ends_with('/')) return path == row.path ? std::optional<std::string_view>("") : std::nullopt;
  if (path.size() <= row.path.size() || !path.starts_with(row.path)) return std::nullopt;
  return path.substr(row.path.size());
}

}  // namespace

std::span<const Endpoint> endpoints() {
  return kEndpoints;
}

Result<Target> parse_target(std::string_view target, EncodedSlash slash) {
  if (target.size() > kMaxTarget) return fail(Code::bad_request, "the request target is too long");
  if (!target.starts_with('/')) return fail(Code::bad_request, "the request target does not start with a slash");
  WAXWING_TRY(check_characters(target));
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  if (path.size() > 1) WAXWING_TRY(check_path(path, slash));
  return Target{path, mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1)};
}

Result<Match> find_endpoint(std::string_view method, std::string_view target, EncodedSlash slash) {
  WAXWING_ASSIGN(const Target split, parse_target(target, slash));
  const Endpoint* other_method = nullptr;
  for (const Endpoint& row : kEndpoints) {
    const auto parameter = parameter_of(row, split.path);
    if (!parameter) continue;
    if (row.method != method) {
      other_method = &row;
      continue;
    }
    Match match{&row, split, percent_decode(*parameter)};
    // A decoded slash must not make a segment that would have been refused.
    if (!match.parameter.empty()) WAXWING_TRY(check_segments(match.parameter));
    if (!is_utf8(match.parameter)) return fail(Code::bad_request, "the path is not UTF-8");
    return match;
  }
  if (other_method != nullptr) {
    return fail(Code::not_found, fmt::format("{} takes only {}", other_method->path, other_method->method));
  }
  // A slash may be encoded in a parameter only, so nowhere here.
  WAXWING_TRY(parse_target(target));
  return fail(Code::not_found, "no such endpoint");
}

Dialect dialect_of(std::string_view path, AnthropicVersion field) {
  const bool messages = path == "/v1/messages" || path.starts_with("/v1/messages/");
  return messages || field == AnthropicVersion::present ? Dialect::anthropic : Dialect::openai;
}

}  // namespace waxwing::dialect
