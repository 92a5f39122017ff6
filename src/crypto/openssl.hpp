// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Owning pointers over OpenSSL's objects, and the algorithms this module uses, fetched once. Private to the module.

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstddef>
#include <memory>

#include "waxwing/base/bytes.hpp"

namespace waxwing::crypto::ossl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

using Bignum = Owned<BIGNUM, BN_clear_free>;
using Bio = Owned<BIO, BIO_free_all>;
using Cipher = Owned<EVP_CIPHER, EVP_CIPHER_free>;
using CipherContext = Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Digest = Owned<EVP_MD, EVP_MD_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaSig = Owned<ECDSA_SIG, ECDSA_SIG_free>;
using Pkey = Owned<EVP_PKEY, EVP_PKEY_free>;
using PkeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

/// Fetched algorithm objects, immutable and shared by all threads. A fetch by name at each use would cost more than a
/// short digest does.
struct Library {
  Library();
  Digest sha256, sha384, sha512, sha3_256, shake256;
  Cipher aes_128_gcm, aes_256_gcm, chacha20_poly1305;
};
const Library& library();

[[noreturn]] void throw_broken();
/// For calls that fail only when memory ends or OpenSSL lacks what it was built with: throws std::runtime_error.
inline void must(bool ok) {
  if (!ok) [[unlikely]]
    throw_broken();
}

/// Leaves the thread's error queue empty: what a refused input puts there would be mistaken by a later SSL_get_error on
/// the same thread for its own failure.
class ErrorScope {
 public:
  ErrorScope() = default;
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;
  ~ErrorScope() {
    if (ERR_peek_error() != 0) ERR_clear_error();
  }
};

/// The bytes of a span, array or vector under OpenSSL's name for them.
inline const unsigned char* unsigned_chars(const std::byte* p) {
  return reinterpret_cast<const unsigned char*>(p);
}
inline unsigned char* unsigned_chars(std::byte* p) {
  return reinterpret_cast<unsigned char*>(p);
}
[[nodiscard]] auto* data(auto&& bytes) {
  return unsigned_chars(bytes.data());
}

/// A copy for the DER writers i2d_*: one call for the length, one for the bytes. Empty on failure.
template <class T>
[[nodiscard]] Bytes to_der(int (*i2d)(const T*, unsigned char**), const T* object) {
  const int size = i2d(object, nullptr);
  if (size <= 0) return {};
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* out = unsigned_chars(der.data());
  if (i2d(object, &out) != size) return {};
  return der;
}

}  // namespace waxwing::crypto::ossl
