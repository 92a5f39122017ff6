// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/signing_key.hpp"

#include <openssl/pem.h>

#include <array>
#include <cstddef>
#include <utility>

#include "keys.hpp"
#include "pem.hpp"
#include "waxwing/crypto/hash.hpp"

namespace waxwing::crypto {
namespace {

constexpr int kRsaBits = 4096;

using Pkcs8 = ossl::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

ossl::Pkey generate_key(SigningKey::Algorithm algorithm) {
  switch (algorithm) {
    case SigningKey::Algorithm::p256:
      return ossl::Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    case SigningKey::Algorithm::p384:
      return ossl::Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
    case SigningKey::Algorithm::rsa4096:
      return ossl::Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{kRsaBits}));
  }
  ossl::throw_broken();
}

/// A second owner of the same (immutable) key.
ossl::Pkey share(EVP_PKEY* key) {
  ossl::must(EVP_PKEY_up_ref(key) == 1);
  return ossl::Pkey(key);
}

}  // namespace

SigningKey::SigningKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::generate(Algorithm algorithm) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  ossl::Pkey key = generate_key(algorithm);
  if (!key) return fail(Code::internal, "making a key failed");
  return SigningKey(std::make_unique<State>(State{.key = std::move(key), .algorithm = algorithm}));
}

Result<SigningKey> SigningKey::from_pkcs8_pem(std::string_view pem) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  WAXWING_ASSIGN(const SecretBytes der, take_pem_block(pem, "PRIVATE KEY"));
  if (!is_blank(pem)) return fail(Code::malformed, "text after the private key");
  const ByteView bytes = der.expose(SecretAccess());
  const unsigned char* at = ossl::data(bytes);
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(bytes.size())));
  if (!info || at != ossl::data(bytes) + bytes.size()) return fail(Code::malformed, "not a PKCS #8 private key");
  ossl::Pkey key(EVP_PKCS82PKEY(info.get()));
  if (!key) return fail(Code::malformed, "not a usable private key");

  WAXWING_ASSIGN(const PublicKey public_key, wrap_public_key(share(key.get())));
  for (const auto& [fits, algorithm] : {std::pair(public_key.is_ec(Curve::p256), Algorithm::p256),
                                        std::pair(public_key.is_ec(Curve::p384), Algorithm::p384),
                                        std::pair(public_key.is_rsa(kRsaBits), Algorithm::rsa4096)}) {
    if (fits) return SigningKey(std::make_unique<State>(State{.key = std::move(key), .algorithm = algorithm}));
  }
  return fail(Code::unsupported, "a private key that is neither P-256, P-384 nor RSA-4096");
}

SigningKey::Algorithm SigningKey::algorithm() const {
  return state_->algorithm;
}

PublicKey SigningKey::public_key() const {
  return wrap_public_key(share(state_->key.get())).value();
}

Result<SecretBytes> SigningKey::to_pkcs8_pem() const {
  const ossl::ErrorScope errors;
  const ossl::Bio out(BIO_new(BIO_s_secmem()));  // wiped when freed, also without a secure heap
  const Pkcs8 info(EVP_PKEY2PKCS8(state_->key.get()));
  char* text = nullptr;
  if (!out || !info || PEM_write_bio_PKCS8_PRIV_KEY_INFO(out.get(), info.get()) != 1) {
    return fail(Code::internal, "encoding a private key failed");
  }
  const long size = BIO_get_mem_data(out.get(), &text);
  ossl::must(size > 0);
  return SecretBytes(as_bytes(std::string_view(text, static_cast<std::size_t>(size))));
}

Result<EcdsaSignature> SigningKey::sign_ecdsa(ByteView message) const {
  const ossl::ErrorScope errors;
  Curve curve{};
  Bytes digest;
  switch (state_->algorithm) {
    case Algorithm::p256:
      curve = Curve::p256;
      digest = to_bytes(sha256(message));
      break;
    case Algorithm::p384:
      curve = Curve::p384;
      digest = to_bytes(sha384(message));
      break;
    case Algorithm::rsa4096:
      return fail(Code::unsupported, "ECDSA with an RSA key");
  }
  const ossl::PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, state_->key.get(), nullptr));
  std::array<unsigned char, 128> der{};
  std::size_t size = der.size();
  ossl::must(context && EVP_PKEY_sign_init(context.get()) == 1 &&
             EVP_PKEY_sign(context.get(), der.data(), &size, ossl::data(digest), digest.size()) == 1);
  const unsigned char* at = der.data();
  const ossl::EcdsaSig signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  ossl::must(signature != nullptr);
  const auto fixed = [n = coordinate_size(curve)](const BIGNUM* number) {
    Bytes bytes(n);
    ossl::must(BN_bn2binpad(number, ossl::data(bytes), static_cast<int>(n)) == static_cast<int>(n));
    return bytes;
  };
  return EcdsaSignature{.r = fixed(ECDSA_SIG_get0_r(signature.get())), .s = fixed(ECDSA_SIG_get0_s(signature.get()))};
}

}  // namespace waxwing::crypto
