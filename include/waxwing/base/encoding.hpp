// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"

namespace waxwing {

/// Lowercase hexadecimal.
[[nodiscard]] std::string to_hex(ByteView bytes);
/// Either case; an odd length or another character is Code::malformed.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);

/// RFC 4648 section 4, with padding.
[[nodiscard]] std::string to_base64(ByteView bytes);
/// RFC 4648 section 5, without padding.
[[nodiscard]] std::string to_base64url(ByteView bytes);
/// Strict: the padding must be there, unused bits must be zero, no white space.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);
/// Strict: no padding, unused bits must be zero, no white space.
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);

/// Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);

/// Appends the text as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD; DEL and C1 controls are escaped
/// too, so that the result is safe on a terminal and in a log line.
void append_json_string(std::string& out, std::string_view text);

}  // namespace waxwing
