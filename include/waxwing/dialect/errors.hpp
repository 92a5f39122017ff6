// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/error.hpp"
#include "waxwing/dialect/endpoints.hpp"

namespace waxwing::dialect {

/// What an error answer needs besides the error.
struct ErrorContext {
  std::string_view request_id;                      ///< ours, empty when the request has none
  std::optional<std::chrono::seconds> retry_after;  ///< overrides the outcome table's
};

/// One HTTP field; names are lower case.
struct Field {
  std::string name;
  std::string value;
};

/// A whole answer: status and retry advice from the outcome table (base/outcome.hpp), body in the client's shape.
struct ErrorAnswer {
  int status;
  std::vector<Field> fields;
  std::string body;
};
[[nodiscard]] ErrorAnswer error_answer(Dialect dialect, const Error& error, const ErrorContext& context);

/// content-type, x-should-retry, retry-after where the outcome has one, x-request-id and request-id (OpenAI's and
/// Anthropic's clients read one each).
[[nodiscard]] std::vector<Field> error_fields(const Error& error, const ErrorContext& context);

/// {"error":{"message","type","param","code"}} or {"type":"error","error":{"type","message","code"},"request_id"}.
/// `code` is to_string(Code); the message is error.describe() and remedy(code).
[[nodiscard]] std::string error_body(Dialect dialect, const Error& error, const ErrorContext& context);

/// The same as one server-sent event, blank line included, for a failure after the first byte. Send it only between
/// events (SseTracker::closing) and end the connection abnormally after it.
[[nodiscard]] std::string error_event(Dialect dialect, const Error& error, const ErrorContext& context);

/// A comment (OpenAI) or a ping event (Anthropic) that keeps a silent stream alive.
[[nodiscard]] std::string_view keep_alive_event(Dialect dialect);

/// One sentence that tells the user what to do about it; empty where there is nothing to do.
[[nodiscard]] std::string_view remedy(Code code);

/// "type" of an Anthropic error.
[[nodiscard]] std::string_view anthropic_type(Code code);

}  // namespace waxwing::dialect
