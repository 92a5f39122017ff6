// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::crypto {

using Sha256Digest = ByteArray<32>;
using Sha384Digest = ByteArray<48>;
using Sha512Digest = ByteArray<64>;

/// One-shot digests over the concatenation of the parts.
[[nodiscard]] Sha256Digest sha256(std::initializer_list<ByteView> parts);
[[nodiscard]] Sha384Digest sha384(std::initializer_list<ByteView> parts);
[[nodiscard]] Sha512Digest sha512(std::initializer_list<ByteView> parts);
[[nodiscard]] Sha256Digest sha3_256(std::initializer_list<ByteView> parts);
[[nodiscard]] inline Sha256Digest sha256(ByteView data) {
  return sha256({data});
}
[[nodiscard]] inline Sha384Digest sha384(ByteView data) {
  return sha384({data});
}
[[nodiscard]] inline Sha512Digest sha512(ByteView data) {
  return sha512({data});
}

/// SHAKE256 (FIPS 202) squeezed into the whole of `out`.
void shake256(std::initializer_list<ByteView> parts, MutableByteView out);

/// HMAC-SHA-256 (RFC 2104).
[[nodiscard]] Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

/// HKDF-SHA-256 (RFC 5869). An empty salt means 32 zero bytes.
[[nodiscard]] Secret<32> hkdf_extract(ByteView salt, std::initializer_list<ByteView> ikm);
/// Fills `out`; precondition: out.size() <= 255 * 32.
void hkdf_expand(const Secret<32>& prk, std::initializer_list<ByteView> info, MutableByteView out);

}  // namespace waxwing::crypto
