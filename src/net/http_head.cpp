// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/http_head.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "http_chars.hpp"

namespace waxwing::net {
namespace {

/// Takes the next line, without its CRLF, off the front of a complete head.
std::string_view take_line(std::string_view& head) {
  const auto end = head.find("\r\n");
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
  return line;
}

/// Precondition of both parsers: exactly one head, ended by its empty line.
bool is_one_head(std::string_view head) {
  return head.size() >= 4 && head.find("\r\n\r\n") == head.size() - 4;
}

Result<void> parse_fields(std::string_view lines, const HeadLimits& limits, Code code, Fields& out) {
  out.clear();
  for (std::string_view line = take_line(lines); !line.empty(); line = take_line(lines)) {
    if (out.size() == limits.fields) return fail(Code::too_large, "too many header fields");
    const auto colon = line.find(':');
    // Also refuses folded lines (they begin with white space) and white space before the colon.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return fail(code, "bad header field name");
    const std::string_view value = trim(line.substr(colon + 1));
    if (!std::ranges::all_of(value, is_value_char)) return fail(code, "control character in a header field");
    out.add(line.substr(0, colon), value);
  }
  return {};
}

/// "HTTP/1.0" or "HTTP/1.1"; another well-formed version is Code::unsupported.
Result<int> parse_version(std::string_view text, Code code) {
  if (text.size() != 8 || !text.starts_with("HTTP/") || !is_digit(text[5]) || text[6] != '.' || !is_digit(text[7])) {
    return fail(code, "bad HTTP version");
  }
  if (text[5] != '1' || text[7] > '1') return fail(Code::unsupported, "unsupported HTTP version");
  return text[7] - '0';
}

bool is_host_char(char c) {
  return is_digit(c) || is_alpha(c) || std::string_view("-._~%!$&'()*+,;=:[]").find(c) != std::string_view::npos;
}

/// RFC 9112 section 3.2.
Result<void> check_host(const RequestHead& head) {
  const std::size_t hosts = head.fields.count("host");
  if (hosts > 1 || (hosts == 0 && head.minor_version == 1))
    return fail(Code::bad_request, "not exactly one Host field");
  if (hosts == 1 && !std::ranges::all_of(*head.fields.find("host"), is_host_char)) {
    return fail(Code::bad_request, "bad Host field");
  }
  return {};
}

/// The framing that a head states; `refusal` is the code for contradictions.
Result<std::optional<BodyLength>> stated_length(const Fields& fields, int minor_version, Code refusal) {
  const std::size_t lengths = fields.count("content-length");
  const std::size_t codings = fields.count("transfer-encoding");
  if (lengths == 0 && codings == 0) return std::nullopt;
  if (lengths + codings > 1) return fail(refusal, "contradicting or repeated body lengths");
  if (codings == 1) {
    if (minor_version == 0) return fail(refusal, "Transfer-Encoding in HTTP/1.0");
    if (!equal_ignoring_case(*fields.find("transfer-encoding"), "chunked")) {
      return fail(refusal == Code::bad_request ? Code::unsupported : refusal, "transfer coding other than chunked");
    }
    return BodyLength::chunked();
  }
  const std::string_view text = *fields.find("content-length");
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || !is_digit(text[0]) || error != std::errc() || end != text.data() + text.size()) {
    return fail(refusal, "bad Content-Length");
  }
  return BodyLength::known(size);
}

void append(Bytes& out, std::string_view text) {
  waxwing::append(out, as_bytes(text));
}

void append_decimal(Bytes& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  append(out, std::string_view(digits.data(), end));
}

Result<void> encode_fields(const Fields& fields, Bytes& out) {
  for (const auto& [name, value] : fields) {
    if (!is_token(name) || !std::ranges::all_of(value, is_value_char)) {
      return fail(Code::internal, "unsendable header field");
    }
    if (name == "content-length" || name == "transfer-encoding" || name == "connection") {
      return fail(Code::internal, "header field that is written by the framing");
    }
    append(out, name);
    append(out, ": ");
    append(out, value);
    append(out, "\r\n");
  }
  return {};
}

enum class ZeroLength : std::uint8_t { omit, write };

void encode_framing(BodyLength body, ZeroLength zero, Persist persist, Bytes& out) {
  switch (body.kind) {
    case BodyLength::Kind::none:
      if (zero == ZeroLength::write) append(out, "content-length: 0\r\n");
      break;
    case BodyLength::Kind::known:
      append(out, "content-length: ");
      append_decimal(out, body.size);
      append(out, "\r\n");
      break;
    case BodyLength::Kind::chunked:
      append(out, "transfer-encoding: chunked\r\n");
      break;
    case BodyLength::Kind::until_close:
      break;
  }
  if (persist == Persist::close || body.kind == BodyLength::Kind::until_close) append(out, "connection: close\r\n");
  append(out, "\r\n");
}

bool has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

}  // namespace

Result<std::optional<std::size_t>> find_head_end(ByteView bytes, const HeadLimits& limits, std::size_t& scanned) {
  // `scanned` is where the unfinished line begins: only that is looked at again.
  while (scanned < bytes.size()) {
    const auto* begin = bytes.data() + scanned;
    const auto* found = static_cast<const std::byte*>(std::memchr(begin, '\n', bytes.size() - scanned));
    if (found == nullptr) break;
    if (found == begin || found[-1] != std::byte{'\r'}) return fail(Code::malformed, "line that does not end in CRLF");
    const auto end = static_cast<std::size_t>(found - bytes.data()) + 1;
    if (end > limits.bytes) return fail(Code::too_large, "header too large");
    const bool empty = found - begin == 1;
    if (empty && scanned != 0) return end;
    if (empty) return fail(Code::malformed, "empty line before the start line");
    scanned = end;
  }
  if (bytes.size() >= limits.bytes) return fail(Code::too_large, "header too large");
  return std::nullopt;
}

Result<void> parse_request_head(ByteView head, const HeadLimits& limits, RequestHead& out) {
  std::string_view lines = as_text(head);
  if (!is_one_head(lines)) return fail(Code::bad_request, "not one complete head");
  const std::string_view line = take_line(lines);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return fail(Code::bad_request, "bad request line");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method) || method.size() > 32) return fail(Code::bad_request, "bad method");
  WAXWING_ASSIGN(out.minor_version, parse_version(line.substr(last + 1), Code::bad_request));
  if (target.size() > limits.target) return fail(Code::too_large, "request target too long");
  if (!std::ranges::all_of(target, is_target_char))
    return fail(Code::bad_request, "bad character in the request target");
  if (!target.starts_with('/') && !(target == "*" && method == "OPTIONS")) {
    return fail(Code::bad_request, "request target not in origin form");
  }
  out.method = method;
  out.target = target;
  WAXWING_TRY(parse_fields(lines, limits, Code::bad_request, out.fields));
  return check_host(out);
}

Result<void> parse_response_head(ByteView head, const HeadLimits& limits, ResponseHead& out) {
  std::string_view lines = as_text(head);
  if (!is_one_head(lines)) return fail(Code::malformed, "not one complete head");
  const std::string_view line = take_line(lines);
  if (line.size() < 12 || line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) {
    return fail(Code::malformed, "bad status line");
  }
  const auto version = parse_version(line.substr(0, 8), Code::malformed);
  if (!version) return fail(Code::malformed, version.error().text());
  out.minor_version = *version;
  const std::string_view status = line.substr(9, 3);
  if (!std::ranges::all_of(status, is_digit) || status[0] < '1' || status[0] > '5') {
    return fail(Code::malformed, "bad status code");
  }
  out.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  if (!std::ranges::all_of(line.substr(12), is_value_char)) return fail(Code::malformed, "bad reason phrase");
  return parse_fields(lines, limits, Code::malformed, out.fields);
}

Result<BodyLength> request_body_length(const RequestHead& head) {
  WAXWING_ASSIGN(const auto stated, stated_length(head.fields, head.minor_version, Code::bad_request));
  return stated.value_or(BodyLength::none());
}

Result<BodyLength> response_body_length(const ResponseHead& head, std::string_view request_method) {
  WAXWING_ASSIGN(const auto stated, stated_length(head.fields, head.minor_version, Code::malformed));
  if (request_method == "HEAD" || has_no_body(head.status)) return BodyLength::none();
  return stated.value_or(BodyLength{BodyLength::Kind::until_close, 0});
}

bool keeps_alive(int minor_version, const Fields& fields) {
  if (fields.has_token("connection", "close")) return false;
  return minor_version == 1 || fields.has_token("connection", "keep-alive");
}

Result<void> encode_head(const RequestHead& head, BodyLength body, Persist persist, Bytes& out) {
  if (!is_token(head.method) || head.target.empty() || !std::ranges::all_of(head.target, is_target_char)) {
    return fail(Code::internal, "unsendable request line");
  }
  append(out, head.method);
  append(out, " ");
  append(out, head.target);
  append(out, " HTTP/1.1\r\n");
  WAXWING_TRY(encode_fields(head.fields, out));
  // RFC 9110 section 8.6: methods that usually carry a body say so when there is none.
  const bool expected = head.method == "POST" || head.method == "PUT" || head.method == "PATCH";
  encode_framing(body, expected ? ZeroLength::write : ZeroLength::omit, persist, out);
  return {};
}

Result<void> encode_head(const ResponseHead& head, BodyLength body, Persist persist, Bytes& out) {
  if (head.status < 100 || head.status > 599) return fail(Code::internal, "unsendable status");
  append(out, "HTTP/1.1 ");
  append_decimal(out, static_cast<std::uint64_t>(head.status));
  append(out, " ");
  append(out, reason_phrase(head.status));
  append(out, "\r\n");
  WAXWING_TRY(encode_fields(head.fields, out));
  encode_framing(body, has_no_body(head.status) ? ZeroLength::omit : ZeroLength::write, persist, out);
  return {};
}

std::string_view reason_phrase(int status) {
  struct Row {
    int status;
    std::string_view phrase;
  };
  static constexpr auto kRows = std::to_array<Row>({
      {100, "Continue"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {402, "Payment Required"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {425, "Too Early"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  });
  const auto row = std::ranges::lower_bound(kRows, status, {}, &Row::status);
  return row != kRows.end() && row->status == status ? row->phrase : std::string_view{};
}

}  // namespace waxwing::net
