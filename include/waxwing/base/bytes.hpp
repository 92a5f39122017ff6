// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace waxwing {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;
template <std::size_t N>
using ByteArray = std::array<std::byte, N>;

/// The bytes of a text, without its terminator.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Bytes read as text (no conversion, no validation).
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes to_bytes(ByteView view) {
  return {view.begin(), view.end()};
}

inline void append(Bytes& to, ByteView from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// Fixed-size copy of the first N bytes. Precondition: view.size() >= N.
template <std::size_t N>
[[nodiscard]] ByteArray<N> to_array(ByteView view) {
  ByteArray<N> out;
  std::memcpy(out.data(), view.data(), N);
  return out;
}

/// Equality that takes the same time wherever the difference is; false at once for different lengths.
[[nodiscard]] bool constant_time_equal(ByteView a, ByteView b);

[[nodiscard]] bool all_zero(ByteView bytes);

}  // namespace waxwing
