// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/hash.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "openssl.hpp"

namespace waxwing::crypto {
namespace {

constexpr std::size_t kSha256Block = 64;

/// One context per thread and algorithm, kept: a new one costs as much as the digest of a short message.
template <const ossl::Digest ossl::Library::* Algorithm>
EVP_MD_CTX* started_context() {
  thread_local const ossl::DigestContext context(EVP_MD_CTX_new());
  ossl::must(context && EVP_DigestInit_ex2(context.get(), (ossl::library().*Algorithm).get(), nullptr) == 1);
  return context.get();
}

void update(EVP_MD_CTX* context, ByteView part) {
  ossl::must(EVP_DigestUpdate(context, part.data(), part.size()) == 1);
}

void finish(EVP_MD_CTX* context, MutableByteView out) {
  ossl::must(EVP_DigestFinal_ex(context, ossl::data(out), nullptr) == 1);
}

template <const ossl::Digest ossl::Library::* Algorithm, std::size_t N>
ByteArray<N> digest(std::initializer_list<ByteView> parts) {
  EVP_MD_CTX* context = started_context<Algorithm>();
  for (const ByteView part : parts) update(context, part);
  ByteArray<N> out;
  finish(context, out);
  return out;
}

/// HMAC by hand on the kept context: a third of what EVP_MAC or EVP_KDF take, which matters to HPKE's eight calls.
class Hmac {
 public:
  explicit Hmac(ByteView key) {
    if (key.size() > kSha256Block) {
      const Sha256Digest hashed = sha256(key);
      std::memcpy(key_.data(), hashed.data(), hashed.size());
    } else if (!key.empty()) {
      std::memcpy(key_.data(), key.data(), key.size());
    }
    start(std::byte{0x36});
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac() {
    wipe(key_);
    // Restarting overwrites the chaining value and block buffer that the key left in the context.
    EVP_DigestInit_ex2(context_, nullptr, nullptr);
  }

  void update(ByteView part) { crypto::update(context_, part); }
  void finish(MutableByteView out) {
    Sha256Digest inner;
    crypto::finish(context_, inner);
    start(std::byte{0x5c});
    crypto::update(context_, inner);
    crypto::finish(context_, out);
    wipe(inner);
  }

 private:
  void start(std::byte pad) {
    context_ = started_context<&ossl::Library::sha256>();
    ByteArray<kSha256Block> padded;
    for (std::size_t i = 0; i < kSha256Block; ++i) padded[i] = key_[i] ^ pad;
    crypto::update(context_, padded);
    wipe(padded);
  }

  ByteArray<kSha256Block> key_{};
  EVP_MD_CTX* context_ = nullptr;
};

}  // namespace

Sha256Digest sha256(std::initializer_list<ByteView> parts) {
  return digest<&ossl::Library::sha256, 32>(parts);
}
Sha384Digest sha384(std::initializer_list<ByteView> parts) {
  return digest<&ossl::Library::sha384, 48>(parts);
}
Sha512Digest sha512(std::initializer_list<ByteView> parts) {
  return digest<&ossl::Library::sha512, 64>(parts);
}
Sha256Digest sha3_256(std::initializer_list<ByteView> parts) {
  return digest<&ossl::Library::sha3_256, 32>(parts);
}

void shake256(std::initializer_list<ByteView> parts, MutableByteView out) {
  EVP_MD_CTX* context = started_context<&ossl::Library::shake256>();
  for (const ByteView part : parts) update(context, part);
  ossl::must(EVP_DigestFinalXOF(context, ossl::data(out), out.size()) == 1);
}

Secret<32> hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  Hmac hmac(key);
  for (const ByteView part : parts) hmac.update(part);
  Secret<32> out;
  hmac.finish(out.expose_mutable(SecretAccess()));
  return out;
}

Secret<32> hkdf_extract(ByteView salt, std::initializer_list<ByteView> ikm) {
  // An empty HMAC key is padded with zeros to the block, as 32 zero bytes are.
  return hmac_sha256(salt, ikm);
}

void hkdf_expand(const Secret<32>& prk, std::initializer_list<ByteView> info, MutableByteView out) {
  constexpr std::size_t kHash = 32;
  if (out.size() > 255 * kHash) throw std::length_error("HKDF output beyond 255 blocks");
  Secret<kHash> block;
  const std::span<std::byte, kHash> t = block.expose_mutable(SecretAccess());
  std::byte counter{1};
  for (std::size_t done = 0; done < out.size(); counter = std::byte(std::to_integer<unsigned>(counter) + 1)) {
    Hmac hmac(prk.expose(SecretAccess()));
    if (done > 0) hmac.update(t);
    for (const ByteView part : info) hmac.update(part);
    hmac.update(std::span(&counter, 1));
    hmac.finish(t);
    const std::size_t n = std::min(kHash, out.size() - done);
    std::memcpy(out.data() + done, t.data(), n);
    done += n;
  }
}

}  // namespace waxwing::crypto
