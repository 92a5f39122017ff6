// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <utility>

#include "waxwing/simulate/tdx.hpp"

namespace waxwing::simulate {
namespace {

using crypto::CertificateBuilder;
using crypto::SignatureScheme;
using crypto::SigningKey;

constexpr std::chrono::hours kDay(24);
constexpr auto kRootLife = 20 * 365 * kDay;
constexpr std::string_view kRootCn = "Intel SGX Root CA";
constexpr std::string_view kPckCaCn = "Intel SGX PCK Platform CA";

CertificateBuilder builder_of(TdxSerial serial, std::string_view cn, const SigningKey& key, WallTime from) {
  CertificateBuilder builder;
  builder.serial(serial_of(serial))
      .subject(intel_name(cn))
      .issuer(intel_name(kRootCn))
      .validity(from, from + kRootLife)
      .public_key(key.public_key());
  return builder;
}

Result<Bytes> make_crl(std::string_view issuer, const SigningKey& key, WallTime from, WallTime until,
                       std::span<const Bytes> revoked) {
  crypto::CrlBuilder builder;
  builder.issuer(intel_name(issuer)).this_update(from).next_update(until);
  for (const Bytes& serial : revoked) builder.revoke(serial, from);
  return builder.sign(key, SignatureScheme::ecdsa);
}

}  // namespace

crypto::DistinguishedName intel_name(std::string_view cn) {
  return {{"CN", std::string(cn)}, {"O", "Intel Corporation"}, {"L", "Santa Clara"}, {"ST", "CA"}, {"C", "US"}};
}

Bytes serial_of(TdxSerial serial) {
  return {static_cast<std::byte>(serial)};
}

std::string to_pem_chain(std::span<const Bytes> chain) {
  std::string pem;
  for (const Bytes& der : chain) pem += crypto::to_pem("CERTIFICATE", der);
  return pem;
}

Result<TdxRoot> TdxRoot::create(WallTime now) {
  constexpr auto kP256 = SigningKey::Algorithm::p256;
  WAXWING_ASSIGN(auto root_key, SigningKey::generate(kP256));
  WAXWING_ASSIGN(auto pck_ca_key, SigningKey::generate(kP256));
  WAXWING_ASSIGN(auto tcb_signer_key, SigningKey::generate(kP256));
  TdxRoot root(
      std::make_shared<const Keys>(Keys{std::move(root_key), std::move(pck_ca_key), std::move(tcb_signer_key)}),
      now - kDay);
  WAXWING_ASSIGN(root.root_, root.root_builder().sign(root.keys().root, SignatureScheme::ecdsa));
  WAXWING_ASSIGN(root.pck_ca_, root.pck_ca_builder().sign(root.keys().root, SignatureScheme::ecdsa));
  WAXWING_ASSIGN(root.tcb_signer_, root.tcb_signer_builder().sign(root.keys().root, SignatureScheme::ecdsa));
  return root;
}

CertificateBuilder TdxRoot::root_builder() const {
  CertificateBuilder builder = builder_of(TdxSerial::root, kRootCn, keys_->root, from_);
  builder.extension(crypto::basic_constraints_ca(1)).extension(crypto::key_usage_cert_and_crl_sign());
  return builder;
}

CertificateBuilder TdxRoot::pck_ca_builder() const {
  CertificateBuilder builder = builder_of(TdxSerial::pck_ca, kPckCaCn, keys_->pck_ca, from_);
  builder.extension(crypto::basic_constraints_ca(0)).extension(crypto::key_usage_cert_and_crl_sign());
  return builder;
}

CertificateBuilder TdxRoot::tcb_signer_builder() const {
  return builder_of(TdxSerial::tcb_signer, "Intel SGX TCB Signing", keys_->tcb_signer, from_);
}

std::string TdxRoot::root_pem() const {
  return crypto::to_pem("CERTIFICATE", root_);
}

Result<Bytes> TdxRoot::root_crl(WallTime from, WallTime until, std::span<const Bytes> revoked) const {
  return make_crl(kRootCn, keys_->root, from, until, revoked);
}

Result<Bytes> TdxRoot::pck_crl(WallTime from, WallTime until, std::span<const Bytes> revoked) const {
  return make_crl(kPckCaCn, keys_->pck_ca, from, until, revoked);
}

}  // namespace waxwing::simulate
