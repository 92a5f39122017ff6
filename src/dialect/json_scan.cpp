// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/json_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "waxwing/base/encoding.hpp"

namespace waxwing::dialect {
namespace {

constexpr std::string_view kModel = "model";
constexpr std::string_view kStream = "stream";
constexpr std::size_t kLongestKey = std::max(kModel.size(), kStream.size());

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool ends_plain(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

// The first quote, backslash or control in [at, end). Eight bytes at a time: prompts are almost only plain text. A
// borrow can mark bytes above the first hit only, so the lowest mark is exact.
const char* find_plain_end(const char* at, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHigh = 0x8080808080808080U;
  const auto has_zero = [](std::uint64_t word) { return (word - kOnes) & ~word & kHigh; };
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t controls = (word - kOnes * 0x20) & ~word & kHigh;
    const std::uint64_t hits = controls | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\');
    if (hits != 0) return at + std::countr_zero(hits) / 8;
    at += 8;
  }
  while (at != end && !ends_plain(*at)) ++at;
  return at;
}

bool is_simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return true;
    default:
      return false;
  }
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | (code_point >> shift & 0x3fU)); };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xc0U | code_point >> 6U);
    tail(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xe0U | code_point >> 12U);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | code_point >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace

TopLevelScanner::TopLevelScanner(const ScanLimits& limits) : limits_(limits) {
  limits_.depth = std::min(limits_.depth, kMaxDepth);
}

Result<void> TopLevelScanner::feed(ByteView piece) {
  if (error_) return std::unexpected(*error_);
  const std::string_view text = as_text(piece);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    const char* const before = at;
    if (!step(at, end)) return std::unexpected(*error_);
    consumed_ += static_cast<std::size_t>(at - before);
  }
  return {};
}

Result<void> TopLevelScanner::finish() {
  if (!error_ && state_ != State::after_top) {
    refuse(state_ == State::before_top ? "the body is empty" : "the body ends inside its JSON object");
  }
  if (error_) return std::unexpected(*error_);
  return {};
}

bool TopLevelScanner::step(const char*& at, const char* end) {
  switch (state_) {
    case State::string:
      return in_string(at, end);
    case State::number:
      return in_number(at, end);
    case State::escape:
      return in_escape(*at++);
    case State::unicode:
      return in_unicode(*at++);
    case State::literal:
      return in_literal(*at++);
    case State::before_top:
    case State::value:
    case State::first_element:
    case State::first_member:
    case State::member:
    case State::colon:
    case State::after_value:
    case State::after_top:
      break;
  }
  if (!is_space(*at)) return structural(*at++);
  while (at != end && is_space(*at)) ++at;
  return true;
}

bool TopLevelScanner::structural(char c) {
  switch (state_) {
    case State::before_top:
      return begin_top(c);
    case State::value:
      return begin_value(c);
    case State::first_element:
      return c == ']' ? close(Container::array) : begin_value(c);
    case State::first_member:
      return c == '}' ? close(Container::object) : begin_member(c);
    case State::member:
      return begin_member(c);
    case State::colon:
      if (c != ':') return refuse("a colon is missing");
      state_ = State::value;
      return true;
    case State::after_value:
      return after_value(c);
    case State::after_top:
      return refuse("something follows the JSON object");
    case State::string:
    case State::escape:
    case State::unicode:
    case State::literal:
    case State::number:
      break;
  }
  std::unreachable();
}

bool TopLevelScanner::begin_top(char c) {
  if (c == '{') return open(Container::object);
  return refuse(c == '\xef' ? "the body starts with a byte order mark" : "the body is not a JSON object");
}

bool TopLevelScanner::begin_member(char c) {
  if (c != '"') return refuse("a member's name is missing");
  return begin_string(depth_ == 1 ? Member::key : Member::nested_key);
}

bool TopLevelScanner::begin_value(char c) {
  if (value_ == Member::model && c != '"' && c != 'n') return refuse("\"model\" is not a string");
  if (value_ == Member::stream && c != 't' && c != 'f' && c != 'n')
    return refuse("\"stream\" is neither true nor false");
  switch (c) {
    case '"':
      return begin_string(value_);
    case '{':
      return open(Container::object);
    case '[':
      return open(Container::array);
    case 't':
      return begin_literal("rue", true);
    case 'f':
      return begin_literal("alse", false);
    case 'n':
      return begin_literal("ull", std::nullopt);
    default:
      break;
  }
  if (c != '-' && !is_digit(c)) return refuse("a value is missing");
  number_ = c == '-' ? Number::minus : c == '0' ? Number::zero : Number::integer;
  state_ = State::number;
  return true;
}

bool TopLevelScanner::begin_literal(const char* rest, std::optional<bool> meaning) {
  literal_ = rest;
  meaning_ = meaning;
  state_ = State::literal;
  return true;
}

bool TopLevelScanner::begin_string(Member member) {
  string_ = member;
  state_ = State::string;
  if (!kept(member)) return true;
  kept_.clear();
  other_key_ = false;
  if (member == Member::model) model_range_.begin = consumed_;
  return true;
}

bool TopLevelScanner::after_value(char c) {
  switch (c) {
    case ',':
      state_ = innermost() == Container::object ? State::member : State::value;
      return true;
    case '}':
      return close(Container::object);
    case ']':
      return close(Container::array);
    default:
      return refuse("a comma or the end of an object or array is missing");
  }
}

bool TopLevelScanner::in_string(const char*& at, const char* end) {
  const char* const start = at;
  if (high_surrogate_ != 0 && *at != '\\' && !lone_surrogate()) return false;
  at = find_plain_end(at, end);
  // Text that is not kept is only passed over: its two-byte escapes need no state of their own.
  if (!kept(string_))
    while (end - at >= 2 && *at == '\\' && is_simple_escape(at[1])) at = find_plain_end(at + 2, end);
  if (kept(string_) && !keep({start, at})) return false;
  if (at == end) return true;
  switch (*at++) {
    case '"':
      return end_string(consumed_ + static_cast<std::size_t>(at - start));
    case '\\':
      state_ = State::escape;
      return true;
    default:
      return refuse("a string holds a control character");
  }
}

bool TopLevelScanner::in_escape(char c) {
  if (c == 'u') {
    unicode_left_ = 4;
    unicode_ = 0;
    state_ = State::unicode;
    return true;
  }
  constexpr std::string_view kEscapes = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t which = kEscapes.find(c);
  if (which == std::string_view::npos) return refuse("a string holds an unknown escape");
  state_ = State::string;
  if (!kept(string_)) return true;
  if (high_surrogate_ != 0 && !lone_surrogate()) return false;
  return keep(kMeanings.substr(which, 1));
}

bool TopLevelScanner::in_unicode(char c) {
  std::uint32_t digit = 0;
  if (is_digit(c)) {
    digit = static_cast<std::uint32_t>(c - '0');
  } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
    digit = (static_cast<std::uint32_t>(c) | 0x20U) - 'a' + 10;
  } else {
    return refuse("a string holds an unknown escape");
  }
  unicode_ = unicode_ << 4U | digit;
  if (--unicode_left_ != 0) return true;
  state_ = State::string;
  return !kept(string_) || keep_code_unit(unicode_);
}

// RFC 8259 section 7: characters beyond the basic plane come as a pair of code units.
bool TopLevelScanner::keep_code_unit(std::uint32_t unit) {
  const bool high = unit >= 0xd800 && unit < 0xdc00;
  const bool low = unit >= 0xdc00 && unit < 0xe000;
  if (high_surrogate_ != 0 && low) {
    std::string pair;
    append_utf8(pair, 0x10000 + ((high_surrogate_ - 0xd800) << 10U) + (unit - 0xdc00));
    high_surrogate_ = 0;
    return keep(pair);
  }
  if ((high_surrogate_ != 0 || low) && !lone_surrogate()) return false;
  if (low) return true;
  if (high) {
    high_surrogate_ = unit;
    return true;
  }
  std::string one;
  append_utf8(one, unit);
  return keep(one);
}

bool TopLevelScanner::lone_surrogate() {
  high_surrogate_ = 0;
  if (string_ == Member::model) return refuse("\"model\" holds half a character");
  other_key_ = true;
  return true;
}

bool TopLevelScanner::in_literal(char c) {
  if (c != *literal_) return refuse("a value is neither true, false nor null");
  if (*++literal_ != '\0') return true;
  if (value_ == Member::stream) stream_ = meaning_;
  return end_value();
}

bool TopLevelScanner::in_number(const char*& at, const char* end) {
  for (; at != end; ++at) {
    const char c = *at;
    const bool digit = is_digit(c);
    const bool exponent = c == 'e' || c == 'E';
    switch (number_) {
      case Number::minus:
        if (!digit) return refuse("a number has no digits");
        number_ = c == '0' ? Number::zero : Number::integer;
        continue;
      case Number::integer:
        if (digit) continue;
        [[fallthrough]];
      case Number::zero:
        if (c == '.') {
          number_ = Number::point;
        } else if (exponent) {
          number_ = Number::exponent;
        } else {
          return end_value();
        }
        continue;
      case Number::point:
        if (!digit) return refuse("a number ends with its point");
        number_ = Number::fraction;
        continue;
      case Number::fraction:
        if (digit) continue;
        if (!exponent) return end_value();
        number_ = Number::exponent;
        continue;
      case Number::exponent:
        if (c == '+' || c == '-') {
          number_ = Number::exponent_sign;
          continue;
        }
        [[fallthrough]];
      case Number::exponent_sign:
        if (!digit) return refuse("a number has an empty exponent");
        number_ = Number::exponent_digits;
        continue;
      case Number::exponent_digits:
        if (digit) continue;
        return end_value();
    }
  }
  return true;
}

bool TopLevelScanner::end_string(std::size_t end) {
  switch (string_) {
    case Member::key:
      return end_key();
    case Member::model:
      if (!is_utf8(kept_)) return refuse("\"model\" is not UTF-8");
      model_ = kept_;
      model_range_.end = end;
      return end_value();
    case Member::nested_key:
      state_ = State::colon;
      return true;
    case Member::other:
      return end_value();
    case Member::stream:
      break;
  }
  std::unreachable();
}

bool TopLevelScanner::end_key() {
  state_ = State::colon;
  if (other_key_) return true;
  bool* seen = nullptr;
  if (kept_ == kModel) {
    seen = &seen_model_;
    value_ = Member::model;
  } else if (kept_ == kStream) {
    seen = &seen_stream_;
    value_ = Member::stream;
  }
  if (seen == nullptr) return true;
  if (*seen) return refuse(value_ == Member::model ? "a second \"model\"" : "a second \"stream\"");
  *seen = true;
  return true;
}

bool TopLevelScanner::end_value() {
  value_ = Member::other;
  state_ = State::after_value;
  return true;
}

bool TopLevelScanner::open(Container container) {
  if (depth_ == limits_.depth) return refuse("nested too deeply");
  const std::uint64_t bit = std::uint64_t{1} << depth_ % 64;
  std::uint64_t& word = objects_[depth_ / 64];
  word = container == Container::object ? word | bit : word & ~bit;
  ++depth_;
  state_ = container == Container::object ? State::first_member : State::first_element;
  return true;
}

bool TopLevelScanner::close(Container container) {
  if (innermost() != container) return refuse("an object or array ends with the other's bracket");
  --depth_;
  end_value();
  if (depth_ == 0) state_ = State::after_top;
  return true;
}

bool TopLevelScanner::keep(std::string_view text) {
  if (other_key_) return true;
  if (string_ == Member::key && kept_.size() + text.size() > kLongestKey) {
    other_key_ = true;
    return true;
  }
  if (string_ == Member::model && kept_.size() + text.size() > limits_.model) return refuse("\"model\" is too long");
  kept_ += text;
  return true;
}

TopLevelScanner::Container TopLevelScanner::innermost() const {
  const std::size_t at = depth_ - 1;
  return (objects_[at / 64] >> at % 64 & 1U) != 0 ? Container::object : Container::array;
}

bool TopLevelScanner::refuse(std::string_view what) {
  error_.emplace(Code::bad_request, fmt::format("{} (near byte {} of the body)", what, consumed_));
  return false;
}

}  // namespace waxwing::dialect
