// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one header of this layer that shows a third-party type; include it from .cpp files only (the lint looks).
#include <nlohmann/json.hpp>
#include <string_view>

#include "waxwing/base/error.hpp"
#include "waxwing/base/limits.hpp"

namespace waxwing {

/// Reads one JSON document (RFC 8259) and refuses what two readers could read differently: duplicate keys (after
/// unescaping), NaN and infinities, invalid UTF-8, lone surrogates, a BOM, trailing bytes; also anything beyond the
/// limits. Code::malformed or Code::too_large; the text names the byte offset.
[[nodiscard]] Result<nlohmann::json> parse_json_strict(std::string_view text, const Limits& limits);

}  // namespace waxwing
