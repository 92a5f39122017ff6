// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace waxwing {

/// What went wrong, as a decision: each code has one row in the outcome table (base/outcome.hpp), which maps it to an
/// HTTP status, an API error body, a log level and an exit code.
enum class Code : std::uint8_t {
  // Bytes of a peer, a file or a user.
  malformed,    ///< not the shape the specification gives
  truncated,    ///< ends before it should
  too_large,    ///< beyond a limit
  unsupported,  ///< well-formed, not implemented here
  open_failed,  ///< a tag or a decryption failed: one answer for every reason
  key_unknown,  ///< key id, KEM or suite that was not offered
  replayed,     ///< seen before
  stale,        ///< outside the accepted time window
  // Trust.
  policy_refused,        ///< valid evidence of something our policy does not accept
  evidence_rejected,     ///< evidence that does not verify
  evidence_unsupported,  ///< evidence of a kind or version we do not know
  evidence_malformed,    ///< not evidence at all
  expired,               ///< a proof type used past its not_after
  // Transport.
  worker_unreachable,
  collateral_unavailable,
  worker_changed,  ///< after the one replay
  answer_cut,      ///< a sealed answer ended early
  answer_forged,   ///< a sealed answer that does not open
  deadline,        ///< one of our own deadlines passed
  cancelled,       ///< our side gave up; never an error to report
  // Local.
  bad_request,
  unauthorized,
  forbidden,
  not_found,
  conflict,
  rate_limited,
  config_invalid,
  io,        ///< file or socket of this machine
  internal,  ///< a bug
};

/// The code's own name, for logs and API bodies ("policy_refused").
[[nodiscard]] std::string_view to_string(Code code);

/// A code, a short text and context frames from the inside out. Never a secret, never raw bytes of a peer.
class Error {
 public:
  /// `text` says what is wrong in a few words.
  Error(Code code, std::string text) : code_(code), text_(std::move(text)) {}

  [[nodiscard]] Code code() const { return code_; }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<std::string>& frames() const { return frames_; }

  /// Adds what the caller was doing: `return std::unexpected(error.with("reading the statement"))`.
  [[nodiscard]] Error with(std::string frame) && {
    frames_.push_back(std::move(frame));
    return std::move(*this);
  }

  /// How long a peer or a pause of our own asks to wait before the next try; overrides the outcome table.
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }
  [[nodiscard]] Error with_retry_after(std::optional<std::chrono::seconds> wait) && {
    retry_after_ = wait;
    return std::move(*this);
  }

  /// "outer frame: inner frame: text".
  [[nodiscard]] std::string describe() const;

 private:
  Code code_;
  std::string text_;
  std::vector<std::string> frames_;
  std::optional<std::chrono::seconds> retry_after_;
};

template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for the failing side of a Result.
[[nodiscard]] inline std::unexpected<Error> fail(Code code, std::string text) {
  return std::unexpected(Error(code, std::move(text)));
}

}  // namespace waxwing

#define WAXWING_CONCAT_(a, b) a##b
#define WAXWING_CONCAT(a, b) WAXWING_CONCAT_(a, b)

/// WAXWING_TRY(expression);  returns the error of a Result<void> to the caller.
#define WAXWING_TRY(...)                                          \
  do {                                                            \
    if (auto waxwing_result_ = (__VA_ARGS__); !waxwing_result_)   \
      return std::unexpected(std::move(waxwing_result_).error()); \
  } while (false)

/// WAXWING_ASSIGN(auto value, expression);  binds the value, or returns the error to the caller.
#define WAXWING_ASSIGN(declaration, ...)                                                  \
  auto WAXWING_CONCAT(waxwing_result_, __LINE__) = (__VA_ARGS__);                         \
  if (!WAXWING_CONCAT(waxwing_result_, __LINE__))                                         \
    return std::unexpected(std::move(WAXWING_CONCAT(waxwing_result_, __LINE__)).error()); \
  declaration = *std::move(WAXWING_CONCAT(waxwing_result_, __LINE__))

/// The same two inside a coroutine.
#define WAXWING_CO_TRY(...)                                          \
  do {                                                               \
    if (auto waxwing_result_ = (__VA_ARGS__); !waxwing_result_)      \
      co_return std::unexpected(std::move(waxwing_result_).error()); \
  } while (false)
#define WAXWING_CO_ASSIGN(declaration, ...)                                                  \
  auto WAXWING_CONCAT(waxwing_result_, __LINE__) = (__VA_ARGS__);                            \
  if (!WAXWING_CONCAT(waxwing_result_, __LINE__))                                            \
    co_return std::unexpected(std::move(WAXWING_CONCAT(waxwing_result_, __LINE__)).error()); \
  declaration = *std::move(WAXWING_CONCAT(waxwing_result_, __LINE__))
