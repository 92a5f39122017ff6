// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::crypto::hpke {

/// RFC 9180 section 4. `suite_id` is "KEM" || kem_id inside a KEM, else "HPKE" || kem_id || kdf_id || aead_id.
[[nodiscard]] Secret<32> labeled_extract(ByteView suite_id, ByteView salt, std::string_view label, ByteView ikm);
void labeled_expand(ByteView suite_id, const Secret<32>& prk, std::string_view label, ByteView info,
                    MutableByteView out);

/// "KEM" || I2OSP(kem_id, 2).
[[nodiscard]] inline ByteArray<5> kem_suite_id(std::uint16_t kem_id) {
  return {std::byte{'K'}, std::byte{'E'}, std::byte{'M'}, static_cast<std::byte>(kem_id >> 8U),
          static_cast<std::byte>(kem_id)};
}

}  // namespace waxwing::crypto::hpke
