// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/json_strict.hpp"

namespace waxwing::exchange {

/// A cursor over one JSON object of a peer, in the manner of ByteReader: every member is asked for once, in one
/// spelling; the first failure sticks and every later read yields nothing; finish() refuses members that nobody asked
/// for.
class JsonObject {
 public:
  /// `structure` names the object in errors and outlives the reader (a literal); `value` outlives it too.
  JsonObject(std::string_view structure, const nlohmann::json& value);

  std::string text(std::string_view name);
  std::uint64_t number(std::string_view name);
  WallTime time(std::string_view name);  ///< RFC 3339, UTC, whole seconds
  Bytes base64(std::string_view name);
  std::optional<Bytes> base64_or_null(std::string_view name);
  template <std::size_t N>
  ByteArray<N> hex(std::string_view name) {
    return fixed<N>(name, hex_bytes(name, member(name)));
  }
  template <std::size_t N>
  std::optional<ByteArray<N>> hex_or_null(std::string_view name) {
    const nlohmann::json* value = member(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return fixed<N>(name, hex_bytes(name, value));
  }
  template <std::size_t N>
  ByteArray<N> base64url(std::string_view name) {
    return fixed<N>(name, decoded(name, member(name), from_base64url));
  }
  /// The elements of an array, each a base64 text.
  std::vector<Bytes> base64_list(std::string_view name);
  std::vector<std::string> text_list(std::string_view name);
  /// The elements of an array, whatever they are; empty after a failure.
  std::span<const nlohmann::json> list(std::string_view name);
  /// Any value; a null value after a failure.
  const nlohmann::json& any(std::string_view name);
  /// A member that may be there and is not looked at.
  void ignore(const std::string& name);

  [[nodiscard]] bool ok() const { return !error_; }
  /// Marks the object as bad for a reason the cursor cannot see itself.
  void reject(Code code, std::string_view name, std::string_view why);
  /// The first failure, or one about a member that nobody asked for, or success.
  [[nodiscard]] Result<void> finish();

 private:
  using Decoder = Result<Bytes> (*)(std::string_view);
  const nlohmann::json* member(std::string_view name);
  const nlohmann::json* member(std::string_view name, nlohmann::json::value_t type, std::string_view wanted);
  Bytes decoded(std::string_view name, const nlohmann::json* value, Decoder decode);
  Bytes hex_bytes(std::string_view name, const nlohmann::json* value);
  template <std::size_t N>
  ByteArray<N> fixed(std::string_view name, const Bytes& bytes) {
    if (bytes.size() == N) return to_array<N>(bytes);
    reject(Code::malformed, name, "wrong length");
    return {};
  }

  std::string_view structure_;
  const nlohmann::json& value_;
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> error_;
};

/// `text` as a JSON string, quotes included. Precondition: well-formed UTF-8.
[[nodiscard]] std::string json_quote(std::string_view text);

/// A JSON array of what `write` makes of each element.
template <class Range, class Write>
[[nodiscard]] std::string json_list(const Range& range, Write write) {
  std::string out = "[";
  for (const auto& element : range) {
    if (out.size() > 1) out += ',';
    out += write(element);
  }
  return out + ']';
}

}  // namespace waxwing::exchange
