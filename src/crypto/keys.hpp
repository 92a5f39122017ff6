// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the key classes hold inside. Private to the module.

#include <optional>

#include "openssl.hpp"
#include "waxwing/crypto/signature.hpp"
#include "waxwing/crypto/signing_key.hpp"

namespace waxwing::crypto {

struct PublicKey::State {
  ossl::Pkey key;
  std::optional<Curve> curve;  // for an EC key on a curve we know
  int rsa_bits = 0;            // for an RSA key
};

struct SigningKey::State {
  ossl::Pkey key;
  Algorithm algorithm;
};

/// Takes any parsed key. Code::malformed for the point at infinity and for curves given by explicit parameters, which
/// OpenSSL imports.
[[nodiscard]] Result<PublicKey> wrap_public_key(ossl::Pkey key);

/// 32 or 48.
[[nodiscard]] constexpr std::size_t coordinate_size(Curve curve) {
  return curve == Curve::p256 ? 32 : 48;
}

}  // namespace waxwing::crypto
