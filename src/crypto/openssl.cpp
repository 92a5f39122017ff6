// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "openssl.hpp"

#include <openssl/crypto.h>

#include <stdexcept>

#include "waxwing/crypto/library.hpp"

namespace waxwing::crypto {

namespace ossl {

void throw_broken() {
  ERR_clear_error();
  throw std::runtime_error("OpenSSL failed in a call that cannot fail");
}

Library::Library() {
  // Before any other call: the machine's openssl.cnf could load providers or change algorithms under us.
  must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1);
  sha256.reset(EVP_MD_fetch(nullptr, "SHA2-256", nullptr));
  sha384.reset(EVP_MD_fetch(nullptr, "SHA2-384", nullptr));
  sha512.reset(EVP_MD_fetch(nullptr, "SHA2-512", nullptr));
  sha3_256.reset(EVP_MD_fetch(nullptr, "SHA3-256", nullptr));
  shake256.reset(EVP_MD_fetch(nullptr, "SHAKE-256", nullptr));
  aes_128_gcm.reset(EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr));
  aes_256_gcm.reset(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  chacha20_poly1305.reset(EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr));
  must(sha256 && sha384 && sha512 && sha3_256 && shake256 && aes_128_gcm && aes_256_gcm && chacha20_poly1305);
}

const Library& library() {
  static const Library instance;
  return instance;
}

}  // namespace ossl

void initialize_library() {
  static_cast<void>(ossl::library());
}

}  // namespace waxwing::crypto
