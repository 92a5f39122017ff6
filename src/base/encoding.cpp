// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/encoding.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace waxwing {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// Value of each digit; kBad has a bit that no digit has, so one OR over a group finds a bad one.
constexpr std::uint8_t kBad = 0x80;
using DigitTable = std::array<std::uint8_t, 256>;

constexpr DigitTable digits_of(std::string_view alphabet) {
  DigitTable table{};
  table.fill(kBad);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr DigitTable hex_digits() {
  DigitTable table = digits_of(kHexDigits);
  for (std::uint8_t i = 10; i < 16; ++i) table[std::size_t{'A'} + i - 10] = i;
  return table;
}

constexpr DigitTable kHexValues = hex_digits();
constexpr DigitTable kBase64Values = digits_of(kBase64);
constexpr DigitTable kBase64UrlValues = digits_of(kBase64Url);

enum class Padding : std::uint8_t { required, forbidden };

unsigned digit(const DigitTable& table, char c) {
  return table[static_cast<unsigned char>(c)];
}
unsigned value(std::byte b) {
  return std::to_integer<unsigned>(b);
}

std::string encode64(ByteView bytes, std::string_view alphabet, Padding padding) {
  std::string out;
  out.resize((bytes.size() + 2) / 3 * 4);
  char* to = out.data();
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const unsigned group = value(bytes[i]) << 16U | value(bytes[i + 1]) << 8U | value(bytes[i + 2]);
    *to++ = alphabet[group >> 18U];
    *to++ = alphabet[group >> 12U & 63U];
    *to++ = alphabet[group >> 6U & 63U];
    *to++ = alphabet[group & 63U];
  }
  const std::size_t left = bytes.size() - i;
  if (left != 0) {
    const unsigned group = value(bytes[i]) << 16U | (left == 2 ? value(bytes[i + 1]) << 8U : 0U);
    *to++ = alphabet[group >> 18U];
    *to++ = alphabet[group >> 12U & 63U];
    if (left == 2) *to++ = alphabet[group >> 6U & 63U];
    if (padding == Padding::required) {
      while (to != out.data() + out.size()) *to++ = '=';
    }
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  return out;
}

Result<Bytes> decode64(std::string_view text, const DigitTable& table, Padding padding, std::string_view name) {
  if (padding == Padding::required) {
    if (text.size() % 4 != 0) return fail(Code::malformed, fmt::format("{}: length is not a multiple of 4", name));
    if (text.ends_with('=')) text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  const std::size_t left = text.size() % 4;
  if (left == 1) return fail(Code::malformed, fmt::format("{}: one digit too many", name));

  Bytes out(text.size() / 4 * 3 + (left == 0 ? 0 : left - 1));
  std::byte* to = out.data();
  unsigned bad = 0;
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const unsigned a = digit(table, text[i]);
    const unsigned b = digit(table, text[i + 1]);
    const unsigned c = digit(table, text[i + 2]);
    const unsigned d = digit(table, text[i + 3]);
    bad |= a | b | c | d;
    const unsigned group = a << 18U | b << 12U | c << 6U | d;
    *to++ = static_cast<std::byte>(group >> 16U);
    *to++ = static_cast<std::byte>(group >> 8U);
    *to++ = static_cast<std::byte>(group);
  }
  if (left != 0) {
    const unsigned a = digit(table, text[i]);
    const unsigned b = digit(table, text[i + 1]);
    const unsigned c = left == 3 ? digit(table, text[i + 2]) : 0U;
    bad |= a | b | c;
    const unsigned group = a << 18U | b << 12U | c << 6U;
    *to++ = static_cast<std::byte>(group >> 16U);
    if (left == 3) *to++ = static_cast<std::byte>(group >> 8U);
    const unsigned unused = left == 3 ? group & 0xffU : group & 0xffffU;
    if ((bad & kBad) == 0 && unused != 0) return fail(Code::malformed, fmt::format("{}: unused bits are set", name));
  }
  if ((bad & kBad) != 0) return fail(Code::malformed, fmt::format("{}: a character outside the alphabet", name));
  return out;
}

// Length of the well-formed sequence at the start of `text` (Unicode, table 3-7), 0 when there is none.
std::size_t utf8_sequence(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

// A control as a JSON escape; the short forms where JSON has one.
void append_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += kHexDigits[c >> 4U];
  out += kHexDigits[c & 15U];
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string out;
  out.resize(bytes.size() * 2);
  char* to = out.data();
  for (const std::byte b : bytes) {
    *to++ = kHexDigits[value(b) >> 4U];
    *to++ = kHexDigits[value(b) & 15U];
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Code::malformed, "hexadecimal: odd number of digits");
  Bytes out(text.size() / 2);
  unsigned bad = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const unsigned high = digit(kHexValues, text[2 * i]);
    const unsigned low = digit(kHexValues, text[2 * i + 1]);
    bad |= high | low;
    out[i] = static_cast<std::byte>(high << 4U | low);
  }
  if ((bad & kBad) != 0) return fail(Code::malformed, "hexadecimal: a character that is no digit");
  return out;
}

std::string to_base64(ByteView bytes) {
  return encode64(bytes, kBase64, Padding::required);
}

std::string to_base64url(ByteView bytes) {
  return encode64(bytes, kBase64Url, Padding::forbidden);
}

Result<Bytes> from_base64(std::string_view text) {
  return decode64(text, kBase64Values, Padding::required, "base64");
}

Result<Bytes> from_base64url(std::string_view text) {
  return decode64(text, kBase64UrlValues, Padding::forbidden, "base64url");
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    std::uint64_t word = 0;
    while (text.size() >= sizeof word) {
      std::memcpy(&word, text.data(), sizeof word);
      if ((word & 0x8080808080808080U) != 0) break;
      text.remove_prefix(sizeof word);
    }
    if (text.empty()) return true;
    const std::size_t size = utf8_sequence(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t size = utf8_sequence(text);
    if (size == 0) {
      out += "\xef\xbf\xbd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += text.front();
    } else if (c < 0x20 || c == 0x7f) {
      append_escape(out, c);
    } else if (size == 2 && c == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0) {
      append_escape(out, static_cast<unsigned char>(text[1]));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

}  // namespace waxwing
