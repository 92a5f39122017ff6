// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::gateway_app {

/// A whole file of this machine's owner, at most Limits::local_file().document bytes. Code::io names the path;
/// Code::too_large.
[[nodiscard]] Result<Bytes> read_file(const std::string& path);
[[nodiscard]] Result<std::string> read_text_file(const std::string& path);
/// The same where the content is a secret: white space at the end is cut.
[[nodiscard]] Result<SecretBytes> read_secret_file(const std::string& path);

enum class FileMode : std::uint8_t { owner_only, readable };
/// Writes a file that is whole or not there at all; one that exists is replaced.
[[nodiscard]] Result<void> write_file(const std::string& path, ByteView content, FileMode mode);

enum class Created : std::uint8_t { yes, existed };
/// The same, but a file that exists stays as it is.
[[nodiscard]] Result<Created> create_file(const std::string& path, ByteView content, FileMode mode);

/// Makes the directory and those above it (0700). Code::io.
[[nodiscard]] Result<void> make_directories(const std::string& path);

[[nodiscard]] bool exists(const std::string& path);

}  // namespace waxwing::gateway_app
