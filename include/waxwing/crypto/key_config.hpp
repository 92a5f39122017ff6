// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/aead.hpp"
#include "waxwing/crypto/kem.hpp"

namespace waxwing::crypto {

/// One usable key configuration (RFC 9458 section 3.1): a KEM we know, a public key that passed its import checks, and
/// at least one suite of HKDF-SHA256 with an AEAD we know.
struct KeyConfig {
  std::uint8_t key_id;
  KemPublicKey public_key;
  std::vector<AeadId> aeads;  ///< in the order offered (the order carries no meaning); others are left out
  Bytes encoding;             ///< the configuration's exact bytes
};

/// A single configuration, the whole input. Code::malformed or Code::truncated; Code::unsupported for a KEM we do not
/// know (what follows cannot be parsed then) or when no suite is usable.
[[nodiscard]] Result<KeyConfig> parse_key_config(ByteView bytes);

/// The body of application/ohttp-keys (RFC 9458 section 3.2): one or more of {length (2, big-endian), configuration}.
/// Returns what is usable, in order, perhaps nothing. One malformed item, or one key id that stands twice, makes the
/// whole list Code::malformed: keeping part of it would let a list be used to tell clients apart.
[[nodiscard]] Result<std::vector<KeyConfig>> parse_key_list(ByteView bytes);

/// Precondition: public_key has the KEM's size, 1 <= aeads.size() <= 3.
[[nodiscard]] Bytes encode_key_config(std::uint8_t key_id, KemId kem, ByteView public_key,
                                      std::span<const AeadId> aeads);
/// Precondition: each configuration is at most 65535 bytes.
[[nodiscard]] Bytes encode_key_list(std::span<const Bytes> configs);

}  // namespace waxwing::crypto
