// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/kem.hpp"

#include <openssl/core_names.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>

#include <array>
#include <stdexcept>
#include <utility>

#include "hpke_labels.hpp"
#include "openssl.hpp"
#include "waxwing/crypto/hash.hpp"

namespace waxwing::crypto {
namespace {

constexpr std::size_t kX25519Size = 32;
constexpr std::size_t kMlKemPublicSize = 1184;
constexpr std::size_t kMlKemCiphertextSize = 1088;

// --- X25519 ---------------------------------------------------------------------------------------------------------

ossl::Pkey x25519_public(ByteView bytes) {
  ossl::Pkey key(EVP_PKEY_new_raw_public_key_ex(nullptr, "X25519", nullptr, ossl::data(bytes), bytes.size()));
  ossl::must(key != nullptr);  // any 32 bytes are a key; low order shows in the result
  return key;
}

ossl::Pkey x25519_private(std::span<const std::byte, kX25519Size> scalar) {
  ossl::Pkey key(EVP_PKEY_new_raw_private_key_ex(nullptr, "X25519", nullptr, ossl::data(scalar), scalar.size()));
  ossl::must(key != nullptr);
  return key;
}

void x25519_public_of(EVP_PKEY* key, std::span<std::byte, kX25519Size> out) {
  std::size_t size = out.size();
  ossl::must(EVP_PKEY_get_raw_public_key(key, ossl::data(out), &size) == 1 && size == out.size());
}

/// RFC 7748 section 6.1; an all-zero result is Code::open_failed (RFC 9180 section 7.1.4; X-Wing leaves it open).
Result<Secret<32>> x25519(EVP_PKEY* own, EVP_PKEY* peer) {
  const ossl::PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, own, nullptr));
  ossl::must(context && EVP_PKEY_derive_init(context.get()) == 1 && EVP_PKEY_derive_set_peer(context.get(), peer) == 1);
  Secret<32> shared;
  const auto out = shared.expose_mutable(SecretAccess());
  std::size_t size = out.size();
  if (EVP_PKEY_derive(context.get(), ossl::data(out), &size) != 1 || size != out.size()) {
    return fail(Code::open_failed, "X25519 share of low order");
  }
  return shared;
}

/// ExtractAndExpand of RFC 9180 section 4.1.
Secret<32> dhkem_secret(const Secret<32>& dh, ByteView enc, ByteView public_key) {
  const auto suite = hpke::kem_suite_id(std::to_underlying(KemId::x25519));
  const Secret<32> prk = hpke::labeled_extract(suite, {}, "eae_prk", dh.expose(SecretAccess()));
  ByteArray<2 * kX25519Size> context;
  std::memcpy(context.data(), enc.data(), kX25519Size);
  std::memcpy(context.data() + kX25519Size, public_key.data(), kX25519Size);
  Secret<32> shared;
  hpke::labeled_expand(suite, prk, "shared_secret", context, shared.expose_mutable(SecretAccess()));
  return shared;
}

// --- ML-KEM-768 -----------------------------------------------------------------------------------------------------

#if OPENSSL_VERSION_NUMBER >= 0x30500000L
constexpr bool kHaveMlKem = true;
#else
constexpr bool kHaveMlKem = false;
#endif

std::unexpected<Error> no_ml_kem() {
  return fail(Code::unsupported, "this OpenSSL has no ML-KEM");
}

/// Null when a coefficient is not reduced (FIPS 203 section 7.2).
ossl::Pkey ml_kem_public(ByteView bytes) {
  return ossl::Pkey(EVP_PKEY_new_raw_public_key_ex(nullptr, "ML-KEM-768", nullptr, ossl::data(bytes), bytes.size()));
}

/// KeyGen_internal(d, z) from d || z. By EVP_PKEY_generate: importing the same seed costs three times as much, for a
/// pairwise test.
ossl::Pkey ml_kem_private(std::span<std::byte, 64> d_z) {
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
  const ossl::PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "ML-KEM-768", nullptr));
  const std::array params{OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, d_z.data(), d_z.size()),
                          OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  ossl::must(context && EVP_PKEY_keygen_init(context.get()) == 1 &&
             EVP_PKEY_CTX_set_params(context.get(), params.data()) == 1 && EVP_PKEY_generate(context.get(), &key) == 1);
  return ossl::Pkey(key);
#else
  static_cast<void>(d_z);
  return nullptr;
#endif
}

/// Encaps_internal(ek, m): ML-KEM's own randomness is handed in, so that one source serves the whole program.
void ml_kem_encapsulate(EVP_PKEY* key, std::span<std::byte, 32> m,
                        std::span<std::byte, kMlKemCiphertextSize> ciphertext, std::span<std::byte, 32> secret) {
#if OPENSSL_VERSION_NUMBER >= 0x30500000L
  const ossl::PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const std::array params{OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, m.data(), m.size()),
                          OSSL_PARAM_construct_end()};
  std::size_t ciphertext_size = ciphertext.size();
  std::size_t secret_size = secret.size();
  ossl::must(context && EVP_PKEY_encapsulate_init(context.get(), params.data()) == 1 &&
             EVP_PKEY_encapsulate(context.get(), ossl::data(ciphertext), &ciphertext_size, ossl::data(secret),
                                  &secret_size) == 1 &&
             ciphertext_size == ciphertext.size() && secret_size == secret.size());
#else
  static_cast<void>(key), static_cast<void>(m), static_cast<void>(ciphertext), static_cast<void>(secret);
  ossl::throw_broken();
#endif
}

/// A forged ciphertext gives another secret, never an error (implicit rejection).
void ml_kem_decapsulate(EVP_PKEY* key, std::span<const std::byte, kMlKemCiphertextSize> ciphertext,
                        std::span<std::byte, 32> secret) {
  const ossl::PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  std::size_t secret_size = secret.size();
  ossl::must(context && EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
             EVP_PKEY_decapsulate(context.get(), ossl::data(secret), &secret_size, ossl::data(ciphertext),
                                  ciphertext.size()) == 1 &&
             secret_size == secret.size());
}

/// The combiner of draft-connolly-cfrg-xwing-kem section 5.3.
Secret<32> x_wing_combine(const Secret<32>& ml_kem, const Secret<32>& x25519_secret, ByteView x25519_share,
                          ByteView x25519_public_key) {
  static constexpr std::string_view kLabel = R"(\.//^\)";
  Sha256Digest digest = sha3_256({ml_kem.expose(SecretAccess()), x25519_secret.expose(SecretAccess()), x25519_share,
                                  x25519_public_key, as_bytes(kLabel)});
  Secret<32> shared(digest);
  wipe(digest);
  return shared;
}

}  // namespace

KemSizes kem_sizes(KemId id) {
  switch (id) {
    case KemId::x25519:
      return {.enc = kX25519Size, .public_key = kX25519Size, .private_key = 32, .randomness = 32};
    case KemId::x_wing:
      return {.enc = kMlKemCiphertextSize + kX25519Size,
              .public_key = kMlKemPublicSize + kX25519Size,
              .private_key = 32,
              .randomness = 64};
  }
  throw std::invalid_argument("unknown KEM");
}

std::string_view to_string(KemId id) {
  switch (id) {
    case KemId::x25519:
      return "x25519";
    case KemId::x_wing:
      return "x-wing";
  }
  throw std::invalid_argument("unknown KEM");
}

// --- KemPublicKey ---------------------------------------------------------------------------------------------------

struct KemPublicKey::State {
  KemId id = KemId::x25519;
  Bytes bytes;
  ossl::Pkey x25519;
  ossl::Pkey ml_kem;  // X-Wing only

  [[nodiscard]] ByteView x25519_bytes() const { return ByteView(bytes).last(kX25519Size); }
};

KemPublicKey::KemPublicKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
KemPublicKey::KemPublicKey(KemPublicKey&&) noexcept = default;
KemPublicKey& KemPublicKey::operator=(KemPublicKey&&) noexcept = default;
KemPublicKey::~KemPublicKey() = default;

KemId KemPublicKey::id() const {
  return state_->id;
}
ByteView KemPublicKey::bytes() const {
  return state_->bytes;
}

Result<KemPublicKey> KemPublicKey::import(KemId id, ByteView bytes) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  if (bytes.size() != kem_sizes(id).public_key) return fail(Code::malformed, "KEM public key of a wrong length");
  auto state = std::make_unique<State>();
  state->id = id;
  state->bytes = to_bytes(bytes);
  state->x25519 = x25519_public(state->x25519_bytes());
  if (id == KemId::x_wing) {
    if (!kHaveMlKem) return no_ml_kem();
    state->ml_kem = ml_kem_public(bytes.first(kMlKemPublicSize));
    if (!state->ml_kem) return fail(Code::malformed, "ML-KEM public key with an unreduced coefficient");
  }
  return KemPublicKey(std::move(state));
}

Result<Encapsulation> KemPublicKey::encapsulate(Random& random) const {
  const ossl::ErrorScope errors;
  // X25519: the ephemeral scalar. X-Wing: m || ephemeral scalar (the draft's eseed).
  Secret<64> seed;
  const std::size_t size = kem_sizes(state_->id).randomness;
  const MutableByteView seed_bytes = seed.expose_mutable(SecretAccess()).first(size);
  random.fill(seed_bytes);

  const ossl::Pkey ephemeral = x25519_private(seed_bytes.last<kX25519Size>());
  WAXWING_ASSIGN(const Secret<32> dh, x25519(ephemeral.get(), state_->x25519.get()));
  Encapsulation result{.enc = Bytes(kem_sizes(state_->id).enc), .shared_secret = {}};
  const MutableByteView enc(result.enc);
  const auto share = enc.last<kX25519Size>();
  x25519_public_of(ephemeral.get(), share);
  switch (state_->id) {
    case KemId::x25519:
      result.shared_secret = dhkem_secret(dh, share, state_->bytes);
      break;
    case KemId::x_wing: {
      Secret<32> ml_kem;
      ml_kem_encapsulate(state_->ml_kem.get(), seed_bytes.first<32>(), enc.first<kMlKemCiphertextSize>(),
                         ml_kem.expose_mutable(SecretAccess()));
      result.shared_secret = x_wing_combine(ml_kem, dh, share, state_->x25519_bytes());
      break;
    }
  }
  return result;
}

// --- KemPrivateKey --------------------------------------------------------------------------------------------------

struct KemPrivateKey::State {
  KemId id = KemId::x25519;
  Bytes public_bytes;
  ossl::Pkey x25519;
  ossl::Pkey ml_kem;  // X-Wing only

  [[nodiscard]] ByteView x25519_bytes() const { return ByteView(public_bytes).last(kX25519Size); }
};

KemPrivateKey::KemPrivateKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
KemPrivateKey::KemPrivateKey(KemPrivateKey&&) noexcept = default;
KemPrivateKey& KemPrivateKey::operator=(KemPrivateKey&&) noexcept = default;
KemPrivateKey::~KemPrivateKey() = default;

KemId KemPrivateKey::id() const {
  return state_->id;
}
ByteView KemPrivateKey::public_key() const {
  return state_->public_bytes;
}

Result<KemPrivateKey> KemPrivateKey::generate(KemId id, Random& random) {
  Secret<32> seed;
  random.fill(seed.expose_mutable(SecretAccess()));
  return from_seed(id, seed);
}

Result<KemPrivateKey> KemPrivateKey::from_seed(KemId id, const Secret<32>& seed) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  auto state = std::make_unique<State>();
  state->id = id;
  state->public_bytes.resize(kem_sizes(id).public_key);
  const MutableByteView public_bytes(state->public_bytes);
  switch (id) {
    case KemId::x25519:
      state->x25519 = x25519_private(seed.expose(SecretAccess()));
      break;
    case KemId::x_wing: {
      if (!kHaveMlKem) return no_ml_kem();
      Secret<96> expanded;  // d || z || X25519 scalar
      const auto bytes = expanded.expose_mutable(SecretAccess());
      shake256({seed.expose(SecretAccess())}, bytes);
      state->ml_kem = ml_kem_private(bytes.first<64>());
      state->x25519 = x25519_private(bytes.last<32>());
      std::size_t size = kMlKemPublicSize;
      ossl::must(EVP_PKEY_get_raw_public_key(state->ml_kem.get(), ossl::data(public_bytes), &size) == 1 &&
                 size == kMlKemPublicSize);
      break;
    }
  }
  x25519_public_of(state->x25519.get(), public_bytes.last<kX25519Size>());
  return KemPrivateKey(std::move(state));
}

Result<Secret<32>> KemPrivateKey::decapsulate(ByteView enc) const {
  const ossl::ErrorScope errors;
  if (enc.size() != kem_sizes(state_->id).enc) return fail(Code::malformed, "encapsulated secret of a wrong length");
  const ByteView share = enc.last(kX25519Size);
  const ossl::Pkey peer = x25519_public(share);
  WAXWING_ASSIGN(const Secret<32> dh, x25519(state_->x25519.get(), peer.get()));
  switch (state_->id) {
    case KemId::x25519:
      return dhkem_secret(dh, share, state_->public_bytes);
    case KemId::x_wing: {
      Secret<32> ml_kem;
      ml_kem_decapsulate(state_->ml_kem.get(), enc.first<kMlKemCiphertextSize>(),
                         ml_kem.expose_mutable(SecretAccess()));
      return x_wing_combine(ml_kem, dh, share, state_->x25519_bytes());
    }
  }
  throw std::invalid_argument("unknown KEM");
}

Result<Secret<32>> derive_seed(KemId id, ByteView ikm) {
  if (ikm.size() < 32) return fail(Code::malformed, "key material shorter than 32 bytes");
  Secret<32> seed;
  const auto out = seed.expose_mutable(SecretAccess());
  const auto suite = hpke::kem_suite_id(std::to_underlying(id));
  switch (id) {
    case KemId::x25519: {
      const Secret<32> prk = hpke::labeled_extract(suite, {}, "dkp_prk", ikm);
      hpke::labeled_expand(suite, prk, "sk", {}, out);
      break;
    }
    case KemId::x_wing: {
      // SHAKE256.LabeledDerive: ikm first, the label with its length, the output length, an empty context.
      static constexpr std::string_view kLabel = "DeriveKeyPair";
      static constexpr ByteArray<2> kLabelSize{std::byte{0}, std::byte{kLabel.size()}};
      static constexpr ByteArray<2> kOutSize{std::byte{0}, std::byte{32}};
      shake256({ikm, as_bytes("HPKE-v1"), suite, kLabelSize, as_bytes(kLabel), kOutSize}, out);
      break;
    }
  }
  return seed;
}

}  // namespace waxwing::crypto
