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
/// UTF-8 only where it is kept, so that no reader behind us can see another model than we did.
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
  // What the string or literal being read is, at the top level.
  enum class Member : std::uint8_t { other, key, model, stream };

  [[nodiscard]] Result<void> step(const char*& at, const char* end);
  [[nodiscard]] Result<void> begin_value(char c);
  [[nodiscard]] Result<void> begin_member(char c);
  [[nodiscard]] Result<void> after_value(char c);
  [[nodiscard]] Result<void> in_string(const char*& at, const char* end);
  [[nodiscard]] Result<void> in_escape(char c);
  [[nodiscard]] Result<void> in_unicode(char c);
  [[nodiscard]] Result<void> in_literal(char c);
  [[nodiscard]] Result<void> in_number(const char*& at, const char* end);
  [[nodiscard]] Result<void> end_string();
  [[nodiscard]] Result<void> end_key();
  [[nodiscard]] Result<void> open(Container container);
  [[nodiscard]] Result<void> close(Container container);
  void begin_string(Member member);
  void end_value();
  [[nodiscard]] Result<void> keep(std::string_view text);
  [[nodiscard]] Result<void> keep_code_point(std::uint32_t code_point);
  [[nodiscard]] Container innermost() const;
  [[nodiscard]] std::unexpected<Error> refuse(std::string_view what);

  ScanLimits limits_;
  State state_ = State::before_top;
  Number number_ = Number::minus;
  Member string_ = Member::other;  // what the current string is
  Member value_ = Member::other;   // which member the next top-level value belongs to
  std::size_t depth_ = 0;
  std::array<std::uint64_t, kMaxDepth / 64> objects_{};  // one bit per open container: it is an object
  std::size_t consumed_ = 0;
  std::size_t piece_ = 0;  // offset in the body of the piece being read

  std::string kept_;           // the key or model being read
  bool key_overflow_ = false;  // longer than any key we look for
  const char* literal_ = "";   // what is still to come of it
  unsigned unicode_left_ = 0;
  std::uint32_t unicode_ = 0;
  std::uint32_t high_surrogate_ = 0;

  bool seen_model_ = false;
  bool seen_stream_ = false;
  std::optional<std::string> model_;
  BodyRange model_range_;
  std::optional<bool> stream_;
  std::optional<Error> error_;
};

}  // namespace waxwing::dialect
