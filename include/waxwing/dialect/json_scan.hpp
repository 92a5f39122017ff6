// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"

namespace waxwing::dialect {

struct ScanLimits {
  std::size_t depth = 256;  ///< nesting, the top-level object included; at most TopLevelScanner::kMaxDepth
  std::size_t model = 256;  ///< bytes of the model's name, unescaped

  static constexpr ScanLimits request() { return {}; }
};

/// Where a value lies in the body, its quotes included.
struct BodyRange {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Reads the members "model" and "stream" of a request body while it arrives, without keeping the body: a piece may be
/// dropped or sealed as soon as feed() returns. The whole grammar of RFC 8259 is held, except that text is checked for
/// UTF-8 and for lone surrogates only where it is kept, so that no reader behind us can see another model than we did.
///
///     TopLevelScanner scanner(ScanLimits::request());
///     WAXWING_TRY(scanner.feed(piece));            // for each piece
///     if (scanner.model()) route(*scanner.model());
///     WAXWING_TRY(scanner.finish());
///
/// Every error is Code::bad_request and stays: no JSON, not an object, a byte order mark, bytes after the end, a second
/// "model" or "stream" (after unescaping), a model that is neither a string nor null, a stream that is neither true,
/// false nor null, anything beyond the limits.
class TopLevelScanner {
 public:
  static constexpr std::size_t kMaxDepth = 1024;

  explicit TopLevelScanner(const ScanLimits& limits);

  [[nodiscard]] Result<void> feed(ByteView piece);
  /// The body has ended; an error unless the object has.
  [[nodiscard]] Result<void> finish();

  /// The model, as soon as its value has ended. Null and absent are the same: nothing.
  [[nodiscard]] const std::optional<std::string>& model() const { return model_; }
  /// The range of the model's value, for whoever replaces it. Meaningful only when model() is there.
  [[nodiscard]] BodyRange model_range() const { return model_range_; }
  [[nodiscard]] std::optional<bool> stream() const { return stream_; }
  /// Whether the top-level object has ended: no member can follow.
  [[nodiscard]] bool complete() const { return state_ == State::after_top; }
  /// Bytes fed so far.
  [[nodiscard]] std::size_t position() const { return consumed_; }

 private:
  enum class State : std::uint8_t {
    before_top,     // only white space so far
    value,          // a value must come
    first_element,  // after '[': a value or ']'
    first_member,   // after '{': a key or '}'
    member,         // after ',' in an object: a key
    colon,          // after a key
    after_value,    // ',' or the end of the container
    string,         // inside a string
    escape,         // after a backslash
    unicode,        // inside \uXXXX
    literal,        // inside true, false or null
    number,         // inside a number
    after_top,      // only white space may follow
  };
  enum class Number : std::uint8_t { minus, zero, integer, point, fraction, exponent, exponent_sign, exponent_digits };
  enum class Container : std::uint8_t { array, object };
  // What a string or value is to us; anything below the top level is a nested_key or `other`.
  enum class Member : std::uint8_t { other, nested_key, key, model, stream };
  static bool kept(Member member) { return member == Member::key || member == Member::model; }

  // The steps return false after refuse().
  bool step(const char*& at, const char* end);
  bool structural(char c);
  bool begin_top(char c);
  bool begin_member(char c);
  bool begin_value(char c);
  bool begin_literal(const char* rest, std::optional<bool> meaning);
  bool begin_string(Member member);
  bool after_value(char c);
  bool in_string(const char*& at, const char* end);
  bool in_escape(char c);
  bool in_unicode(char c);
  bool in_literal(char c);
  bool in_number(const char*& at, const char* end);
  bool end_string(std::size_t end);
  bool end_key();
  bool end_value();
  bool open(Container container);
  bool close(Container container);
  bool keep(std::string_view text);
  bool keep_code_unit(std::uint32_t unit);
  bool lone_surrogate();
  bool refuse(std::string_view what);
  [[nodiscard]] Container innermost() const;

  ScanLimits limits_;
  State state_ = State::before_top;
  Number number_ = Number::minus;
  Member string_ = Member::other;  // what the string being read is
  Member value_ = Member::other;   // which member the value being read belongs to
  std::size_t depth_ = 0;
  std::array<std::uint64_t, kMaxDepth / 64> objects_{};  // a bit per open container: it is an object
  std::size_t consumed_ = 0;                             // bytes before the current step

  std::string kept_;                  // the key or model being read, unescaped
  bool other_key_ = false;            // the key being read is none that we look for
  const char* literal_ = "";          // what must still come of it
  std::optional<bool> meaning_;       // of the literal
  unsigned unicode_left_ = 0;         // digits of \uXXXX to come
  std::uint32_t unicode_ = 0;         // their value so far
  std::uint32_t high_surrogate_ = 0;  // waits for the low one; 0: none does

  bool seen_model_ = false;
  bool seen_stream_ = false;
  std::optional<std::string> model_;
  BodyRange model_range_;
  std::optional<bool> stream_;
  std::optional<Error> error_;
};

}  // namespace waxwing::dialect
