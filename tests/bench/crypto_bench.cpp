// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// What one sealed request and one appraisal cost in cryptography.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "waxwing/crypto/certificate_builder.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/crypto/hpke.hpp"
#include "waxwing/crypto/random.hpp"
#include "waxwing/crypto/x509.hpp"

namespace waxwing::crypto {
namespace {

KemId kem_of(const benchmark::State& state) {
  return static_cast<KemId>(state.range(0));
}
AeadId aead_of(const benchmark::State& state) {
  return static_cast<AeadId>(state.range(0));
}

void kems(benchmark::internal::Benchmark* bench) {
  bench->Arg(std::int64_t{std::to_underlying(KemId::x25519)})->Arg(std::int64_t{std::to_underlying(KemId::x_wing)});
}

void hpke_setup_sender(benchmark::State& state) {
  SystemRandom random;
  const auto key = KemPrivateKey::generate(kem_of(state), random).value();
  const auto public_key = KemPublicKey::import(key.id(), key.public_key()).value();
  for (auto _ : state) {
    benchmark::DoNotOptimize(HpkeSender::setup(public_key, AeadId::aes_256_gcm, as_bytes("info"), random));
  }
}
BENCHMARK(hpke_setup_sender)->Apply(kems);

void hpke_setup_recipient(benchmark::State& state) {
  SystemRandom random;
  const auto key = KemPrivateKey::generate(kem_of(state), random).value();
  const auto public_key = KemPublicKey::import(key.id(), key.public_key()).value();
  const auto sender = HpkeSender::setup(public_key, AeadId::aes_256_gcm, as_bytes("info"), random).value();
  for (auto _ : state) {
    benchmark::DoNotOptimize(HpkeRecipient::setup(key, AeadId::aes_256_gcm, as_bytes("info"), sender.enc()));
  }
}
BENCHMARK(hpke_setup_recipient)->Apply(kems);

void key_schedule(benchmark::State& state) {
  const Secret<32> shared;
  for (auto _ : state) {
    benchmark::DoNotOptimize(hpke_key_schedule(KemId::x_wing, AeadId::aes_256_gcm, shared, as_bytes("info")));
  }
}
BENCHMARK(key_schedule);

void kem_generate(benchmark::State& state) {
  SystemRandom random;
  for (auto _ : state) benchmark::DoNotOptimize(KemPrivateKey::generate(kem_of(state), random));
}
BENCHMARK(kem_generate)->Apply(kems);

void seal(benchmark::State& state) {
  const AeadId aead = aead_of(state);
  AeadSealer sealer(aead, Bytes(aead_key_size(aead), std::byte{1}), {});
  const Bytes plaintext(static_cast<std::size_t>(state.range(1)));
  Bytes sealed(plaintext.size() + kAeadTagSize);
  for (auto _ : state) {
    benchmark::DoNotOptimize(sealer.seal({}, plaintext, sealed));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(1));
}
BENCHMARK(seal)->ArgsProduct({{1, 2, 3}, {64, 1024, 16384}});

void open(benchmark::State& state) {
  const AeadId aead = aead_of(state);
  const Bytes key(aead_key_size(aead), std::byte{1});
  const auto size = static_cast<std::size_t>(state.range(1));
  // An opener wants each message once: sealing it again is not timed by itself, so look at the difference to `seal`.
  AeadSealer sealer(aead, key, {});
  AeadOpener opener(aead, key, {});
  const Bytes plaintext(size);
  Bytes sealed(size + kAeadTagSize);
  Bytes opened(size);
  for (auto _ : state) {
    if (!sealer.seal({}, plaintext, sealed) || !opener.open({}, sealed, opened)) state.SkipWithError("does not open");
  }
  state.SetBytesProcessed(state.iterations() * state.range(1));
}
BENCHMARK(open)->ArgsProduct({{1, 2, 3}, {64, 16384}})->Name("seal_and_open");

void sha256_64_bytes(benchmark::State& state) {
  const Bytes message(64);
  for (auto _ : state) benchmark::DoNotOptimize(sha256(message));
}
BENCHMARK(sha256_64_bytes);

void p384_verify(benchmark::State& state) {
  const SigningKey key = SigningKey::generate(SigningKey::Algorithm::p384).value();
  const PublicKey public_key = key.public_key();
  const Bytes message(0x2a0);
  const EcdsaSignature signature = key.sign_ecdsa(message).value();
  for (auto _ : state) benchmark::DoNotOptimize(public_key.verify_ecdsa(message, signature.r, signature.s));
}
BENCHMARK(p384_verify);

/// A chain as AMD's: RSA-4096 root and intermediate signing with PSS, a P-384 leaf.
void chain_verify(benchmark::State& state) {
  const SigningKey key = SigningKey::generate(SigningKey::Algorithm::rsa4096).value();
  const SigningKey leaf_key = SigningKey::generate(SigningKey::Algorithm::p384).value();
  const WallTime now = from_unix(1'760'000'000);
  const auto certificate = [&](const char* subject, const char* issuer, const PublicKey& public_key, bool ca) {
    CertificateBuilder builder;
    builder.subject({{"CN", subject}}).issuer({{"CN", issuer}}).validity(now, now).public_key(public_key);
    if (ca) builder.extension(basic_constraints_ca());
    return Certificate::from_der(builder.sign(key, SignatureScheme::rsa_pss_sha384).value()).value();
  };
  const Certificate root = certificate("root", "root", key.public_key(), true);
  const Certificate middle = certificate("middle", "root", key.public_key(), true);
  const Certificate leaf = certificate("leaf", "middle", leaf_key.public_key(), false);
  for (auto _ : state) {
    const auto chain = verify_chain(leaf, std::span(&middle, 1), std::span(&root, 1), 3, now);
    if (!chain) state.SkipWithError(chain.error().text.c_str());
  }
}
BENCHMARK(chain_verify);

void certificate_parse(benchmark::State& state) {
  const SigningKey key = SigningKey::generate(SigningKey::Algorithm::p384).value();
  CertificateBuilder builder;
  builder.subject({{"CN", "leaf"}}).public_key(key.public_key());
  const Bytes der = builder.sign(key, SignatureScheme::ecdsa).value();
  for (auto _ : state) {
    const auto certificate = Certificate::from_der(der);
    benchmark::DoNotOptimize(certificate->public_key());
  }
}
BENCHMARK(certificate_parse);

}  // namespace
}  // namespace waxwing::crypto

BENCHMARK_MAIN();
