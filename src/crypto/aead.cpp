// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/aead.hpp"

#include <array>
#include <climits>
#include <cstdint>
#include <limits>
#include <stdexcept>

#include "openssl.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing::crypto {
namespace {

enum class Direction : int { open = 0, seal = 1 };

const EVP_CIPHER* cipher_of(AeadId id) {
  switch (id) {
    case AeadId::aes_128_gcm:
      return ossl::library().aes_128_gcm.get();
    case AeadId::aes_256_gcm:
      return ossl::library().aes_256_gcm.get();
    case AeadId::chacha20_poly1305:
      return ossl::library().chacha20_poly1305.get();
  }
  ossl::throw_broken();
}

/// A keyed context and the message counter. Every message sets its own nonce and, when opening, its own 16-byte tag:
/// OpenSSL would otherwise reuse a ChaCha20 nonce, draw a random GCM nonce, check against the message before, or not
/// check at all, and report success.
class Context {
 public:
  Context(AeadId id, ByteView key, const ByteArray<kAeadNonceSize>& base_nonce, Direction direction)
      : context_(EVP_CIPHER_CTX_new()), base_nonce_(base_nonce) {
    if (key.size() != aead_key_size(id)) throw std::invalid_argument("AEAD key of a wrong size");
    ossl::must(context_ && EVP_CipherInit_ex2(context_.get(), cipher_of(id), ossl::data(key), nullptr,
                                              static_cast<int>(direction), nullptr) == 1);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { wipe(base_nonce_); }

  [[nodiscard]] bool usable() const { return !dead_ && sequence_ < std::numeric_limits<std::uint64_t>::max(); }
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }
  void kill() { dead_ = true; }
  void advance() { ++sequence_; }

  [[nodiscard]] bool start(ByteView aad) {
    ByteArray<kAeadNonceSize> nonce = base_nonce_;
    for (std::size_t i = 0; i < sizeof sequence_; ++i) {
      nonce[kAeadNonceSize - 1 - i] ^= static_cast<std::byte>(sequence_ >> (8 * i));
    }
    int n = 0;
    return EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, ossl::data(nonce), -1, nullptr) == 1 &&
           (aad.empty() || (aad.size() <= INT_MAX && EVP_CipherUpdate(context_.get(), nullptr, &n, ossl::data(aad),
                                                                      static_cast<int>(aad.size())) == 1));
  }
  /// Precondition: in.size() <= INT_MAX, out has as much room.
  [[nodiscard]] bool transform(ByteView in, std::byte* out) {
    int n = 0;
    return EVP_CipherUpdate(context_.get(), ossl::unsigned_chars(out), &n, ossl::data(in),
                            static_cast<int>(in.size())) == 1 &&
           std::cmp_equal(n, in.size());
  }
  [[nodiscard]] bool set_tag(ByteArray<kAeadTagSize> tag) {
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kAeadTagSize, tag.data()) == 1;
  }
  [[nodiscard]] bool finish() {
    std::array<unsigned char, 16> none{};  // both modes write nothing here
    int n = 0;
    return EVP_CipherFinal_ex(context_.get(), none.data(), &n) == 1 && n == 0;
  }
  [[nodiscard]] bool take_tag(std::span<std::byte, kAeadTagSize> tag) {
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kAeadTagSize, tag.data()) == 1;
  }

 private:
  ossl::CipherContext context_;
  ByteArray<kAeadNonceSize> base_nonce_;
  std::uint64_t sequence_ = 0;
  bool dead_ = false;
};

}  // namespace

std::size_t aead_key_size(AeadId id) {
  switch (id) {
    case AeadId::aes_128_gcm:
      return 16;
    case AeadId::aes_256_gcm:
    case AeadId::chacha20_poly1305:
      return 32;
  }
  throw std::invalid_argument("unknown AEAD");
}

struct AeadSealer::State {
  Context context;
};

AeadSealer::AeadSealer(AeadId id, ByteView key, const ByteArray<kAeadNonceSize>& base_nonce)
    : state_(new State{Context(id, key, base_nonce, Direction::seal)}) {}
AeadSealer::AeadSealer(AeadSealer&&) noexcept = default;
AeadSealer& AeadSealer::operator=(AeadSealer&&) noexcept = default;
AeadSealer::~AeadSealer() = default;

std::uint64_t AeadSealer::sequence() const {
  return state_->context.sequence();
}

Result<void> AeadSealer::seal(ByteView aad, std::span<const ByteView> parts, MutableByteView out) {
  const ossl::ErrorScope errors;
  Context& context = state_->context;
  if (!context.usable()) return fail(Code::internal, "sealing with a sealer that is used up");
  std::size_t total = kAeadTagSize;
  for (const ByteView part : parts) total += part.size();

  bool ok = total == out.size() && total <= INT_MAX && context.start(aad);
  std::byte* to = out.data();
  for (const ByteView part : parts) {
    if (!ok) break;
    if (part.empty()) continue;
    ok = context.transform(part, to);
    to += part.size();
  }
  if (!ok || !context.finish() || !context.take_tag(out.last<kAeadTagSize>())) {
    context.kill();
    return fail(Code::internal, "sealing failed");
  }
  context.advance();
  return {};
}

struct AeadOpener::State {
  Context context;
};

AeadOpener::AeadOpener(AeadId id, ByteView key, const ByteArray<kAeadNonceSize>& base_nonce)
    : state_(new State{Context(id, key, base_nonce, Direction::open)}) {}
AeadOpener::AeadOpener(AeadOpener&&) noexcept = default;
AeadOpener& AeadOpener::operator=(AeadOpener&&) noexcept = default;
AeadOpener::~AeadOpener() = default;

std::uint64_t AeadOpener::sequence() const {
  return state_->context.sequence();
}

Result<void> AeadOpener::open(ByteView aad, ByteView sealed, MutableByteView out) {
  const ossl::ErrorScope errors;
  Context& context = state_->context;
  const bool opened = [&] {
    if (!context.usable() || sealed.size() < kAeadTagSize || sealed.size() > INT_MAX ||
        out.size() != sealed.size() - kAeadTagSize) {
      return false;
    }
    return context.start(aad) && context.set_tag(to_array<kAeadTagSize>(sealed.last<kAeadTagSize>())) &&
           (out.empty() || context.transform(sealed.first(out.size()), out.data())) && context.finish();
  }();
  if (!opened) {
    context.kill();
    // What was deciphered before the tag was checked must not be seen by anyone.
    wipe(out);
    return fail(Code::open_failed, "authenticated decryption failed");
  }
  context.advance();
  return {};
}

}  // namespace waxwing::crypto
