// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/signature.hpp"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "keys.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::crypto {
namespace {

std::optional<Curve> curve_of(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return std::nullopt;
  const std::string_view group(name.data(), size);
  if (group == "prime256v1" || group == "P-256") return Curve::p256;
  if (group == "secp384r1" || group == "P-384") return Curve::p384;
  return std::nullopt;
}

bool is_sound_ec_key(const EVP_PKEY* key) {
  int is_explicit = 1;
  std::size_t point_size = 0;
  return EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit) == 1 &&
         is_explicit == 0 &&
         EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0, &point_size) == 1 && point_size > 1;
}

/// DER INTEGER of a big-endian magnitude of at most 48 bytes.
void append_integer(Bytes& der, ByteView magnitude) {
  const auto first = std::ranges::find_if(magnitude, [](std::byte b) { return b != std::byte{0}; });
  const ByteView digits(first, magnitude.end());
  const bool pad = digits.empty() || (digits.front() & std::byte{0x80}) != std::byte{0};
  der.push_back(std::byte{0x02});
  der.push_back(static_cast<std::byte>(digits.size() + (pad ? 1 : 0)));
  if (pad) der.push_back(std::byte{0});
  append(der, digits);
}

/// ECDSA-Sig-Value (RFC 3279 section 2.2.3); short enough for one-byte lengths.
Bytes ecdsa_der(ByteView r, ByteView s) {
  Bytes der{std::byte{0x30}, std::byte{0}};
  der.reserve(2 + 2 * (3 + r.size()));
  append_integer(der, r);
  append_integer(der, s);
  der[1] = static_cast<std::byte>(der.size() - 2);
  return der;
}

bool verifies(EVP_PKEY* key, ByteView digest, ByteView signature) {
  const ossl::PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  ossl::must(context && EVP_PKEY_verify_init(context.get()) == 1);
  // 0 is a wrong signature, negative an unreadable one: only 1 counts.
  return EVP_PKEY_verify(context.get(), ossl::data(signature), signature.size(), ossl::data(digest), digest.size()) ==
         1;
}

}  // namespace

Result<PublicKey> wrap_public_key(ossl::Pkey key) {
  auto state = std::make_shared<PublicKey::State>();
  if (EVP_PKEY_is_a(key.get(), "EC") == 1) {
    if (!is_sound_ec_key(key.get())) return fail(Code::malformed, "EC key without a named curve or a point");
    state->curve = curve_of(key.get());
  } else if (EVP_PKEY_is_a(key.get(), "RSA") == 1) {
    state->rsa_bits = EVP_PKEY_get_bits(key.get());
  }
  state->key = std::move(key);
  return PublicKey(std::move(state));
}

PublicKey::PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}
PublicKey::PublicKey(const PublicKey&) = default;
PublicKey& PublicKey::operator=(const PublicKey&) = default;
PublicKey::PublicKey(PublicKey&&) noexcept = default;
PublicKey& PublicKey::operator=(PublicKey&&) noexcept = default;
PublicKey::~PublicKey() = default;

Result<PublicKey> PublicKey::from_ec_point(Curve curve, ByteView x_y) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  const std::size_t size = 2 * coordinate_size(curve);
  if (x_y.size() != size) return fail(Code::malformed, "EC point of a wrong length");
  // OpenSSL would also read a one-byte point at infinity: build the uncompressed form only.
  ByteArray<1 + 96> point;
  point[0] = std::byte{4};
  std::memcpy(point.data() + 1, x_y.data(), size);
  std::string group = curve == Curve::p256 ? "P-256" : "P-384";
  std::array params{OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
                    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), 1 + size),
                    OSSL_PARAM_construct_end()};
  const ossl::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  ossl::must(context && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.data()) != 1) {
    return fail(Code::malformed, "EC point not on the curve");
  }
  return wrap_public_key(ossl::Pkey(key));
}

Result<PublicKey> PublicKey::from_spki(ByteView der) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  const unsigned char* at = ossl::data(der);
  ossl::Pkey key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  if (!key || at != ossl::data(der) + der.size()) return fail(Code::malformed, "not a SubjectPublicKeyInfo");
  return wrap_public_key(std::move(key));
}

bool PublicKey::is_ec(Curve curve) const {
  return state_->curve == curve;
}
bool PublicKey::is_rsa(int bits) const {
  return bits > 0 && state_->rsa_bits == bits;
}

Bytes PublicKey::spki() const {
  return ossl::to_der<EVP_PKEY>(i2d_PUBKEY, state_->key.get());
}

Result<void> PublicKey::verify_ecdsa(ByteView message, ByteView r, ByteView s) const {
  const ossl::ErrorScope errors;
  if (!state_->curve) return fail(Code::evidence_rejected, "not an EC key");
  const std::size_t size = coordinate_size(*state_->curve);
  if (r.size() != size || s.size() != size) return fail(Code::evidence_rejected, "ECDSA signature of a wrong length");
  const Bytes signature = ecdsa_der(r, s);
  const bool ok = *state_->curve == Curve::p256 ? verifies(state_->key.get(), sha256(message), signature)
                                                : verifies(state_->key.get(), sha384(message), signature);
  if (!ok) return fail(Code::evidence_rejected, "ECDSA signature does not verify");
  return {};
}

}  // namespace waxwing::crypto
