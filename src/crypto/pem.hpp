// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "waxwing/base/error.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::crypto {

/// Removes the first block with this label from the front of `text` and returns its bytes (RFC 7468; no headers, white
/// space only before the block and inside its base64). Secret because private keys come this way too.
[[nodiscard]] Result<SecretBytes> take_pem_block(std::string_view& text, std::string_view label);

/// Whether only white space is left.
[[nodiscard]] bool is_blank(std::string_view text);

}  // namespace waxwing::crypto
