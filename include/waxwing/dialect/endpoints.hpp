// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "waxwing/base/error.hpp"

namespace waxwing::dialect {

/// Whose shapes a client speaks.
enum class Dialect : std::uint8_t { openai, anthropic };

enum class Kind : std::uint8_t {
  chat_completions,
  completions,
  responses,
  embeddings,
  transcriptions,
  translations,
  speech,
  images,
  models,  ///< the list
  model,   ///< one entry of it; Match::parameter is its id
  messages,
  count_tokens,
};

enum class BodyKind : std::uint8_t { none, json, multipart };

/// How a client asks for an answer in events.
enum class Streaming : std::uint8_t {
  never,
  json_flag,   ///< top-level member "stream" of the request
  form_field,  ///< form field "stream"
};

struct Endpoint {
  Dialect dialect;
  Kind kind;
  std::string_view method;
  std::string_view path;  ///< normalised; a trailing "/" stands for one parameter after it
  BodyKind body;
  Streaming streaming;
};

/// The one table of what is served; a new endpoint is a row.
[[nodiscard]] std::span<const Endpoint> endpoints();

struct Target {
  std::string_view path;   ///< from the first "/" up to the query
  std::string_view query;  ///< without its "?", empty when there is none
};

/// Longest request target that is read, in bytes.
inline constexpr std::size_t kMaxTarget = 4096;

/// Whether "%2F" may stand in a path's parameter: OpenAI's client writes the model "org/name" so. In the fixed part of
/// a path it is always refused.
enum class EncodedSlash : std::uint8_t { refuse, in_parameter };

struct Match {
  const Endpoint* endpoint;  ///< a row of endpoints()
  Target target;
  std::string parameter;  ///< percent-decoded; empty when the row has none
};

/// The row for a method (case-sensitive) and a request target in origin-form (RFC 9112 section 3.2.1). There is nothing
/// to repair in the paths we serve, so whatever two readers could take for different paths is Code::bad_request:
/// another form, empty, "." and ".." segments, percent-encoded slashes, dots, backslashes and controls, bytes outside
/// visible ASCII, a backslash, a fragment. Not in the table is Code::not_found; the text names the method that a known
/// path takes.
[[nodiscard]] Result<Match> find_endpoint(std::string_view method, std::string_view target,
                                          EncodedSlash slash = EncodedSlash::refuse);

/// The same rules without the table, for paths that are not API endpoints.
[[nodiscard]] Result<Target> parse_target(std::string_view target, EncodedSlash slash = EncodedSlash::refuse);

enum class AnthropicVersion : std::uint8_t { absent, present };

/// The shapes to answer in where the path alone does not decide (model lists, unknown paths): Anthropic's clients
/// always send the field "anthropic-version".
[[nodiscard]] Dialect dialect_of(std::string_view path, AnthropicVersion field);

}  // namespace waxwing::dialect
