// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <cstdint>
#include <span>

#include "waxwing/base/clock.hpp"
#include "waxwing/crypto/certificate_builder.hpp"
#include "waxwing/crypto/x509.hpp"

namespace {

using namespace waxwing::crypto;

const Certificate& issuer() {
  static const Certificate instance = [] {
    const SigningKey key = SigningKey::generate(SigningKey::Algorithm::p256).value();
    CertificateBuilder builder;
    builder.subject({{"CN", "root"}}).issuer({{"CN", "root"}}).public_key(key.public_key()).serial(2);
    return Certificate::from_der(builder.sign(key, SignatureScheme::ecdsa).value()).value();
  }();
  return instance;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto crl = Crl::from_der(std::as_bytes(std::span(data, size)));
  if (!crl) return 0;
  static_cast<void>(crl->this_update());
  static_cast<void>(crl->next_update());
  static_cast<void>(crl->issued_by(issuer()));
  static_cast<void>(crl->is_signed_with_pss_sha384());
  static_cast<void>(crl->revokes(issuer()));
  if (crl->signed_by(issuer())) __builtin_trap();
  return 0;
}
