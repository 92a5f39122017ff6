// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "waxwing/base/error.hpp"

namespace waxwing {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class SdkRetry : std::uint8_t { no, yes };

/// What an error code means to everyone outside: one row per code, the only such table.
struct Outcome {
  int http_status;          ///< of the local API
  std::string_view type;    ///< "type" of an OpenAI error body, e.g. "permission_error"
  SdkRetry retry;           ///< value of x-should-retry
  int retry_after_seconds;  ///< -1: no retry-after field
  LogLevel level;
  int exit_code;  ///< of the command line
};

/// ARCHITECTURE, table "Outcomes"; docs/errors.md shows what SDKs make of it.
[[nodiscard]] const Outcome& outcome_of(Code code);

}  // namespace waxwing
