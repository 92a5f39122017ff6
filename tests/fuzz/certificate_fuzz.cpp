// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <cstdint>
#include <span>

#include "waxwing/crypto/x509.hpp"

namespace {

using waxwing::crypto::Certificate;

/// Everything that can be asked of a certificate nobody has verified.
void ask(const Certificate& certificate) {
  static_cast<void>(certificate.fingerprint());
  static_cast<void>(certificate.spki_sha256());
  static_cast<void>(certificate.subject_cn());
  static_cast<void>(certificate.issuer_cn());
  static_cast<void>(certificate.subject());
  static_cast<void>(certificate.serial_hex());
  static_cast<void>(certificate.version());
  static_cast<void>(certificate.is_ca());
  static_cast<void>(certificate.is_signed_with_pss_sha384());
  static_cast<void>(certificate.has_unknown_critical_extension());
  for (const std::string& oid : certificate.extension_oids()) {
    if (certificate.extensions(oid).empty()) __builtin_trap();
  }
  if (certificate.not_before() == certificate.not_after()) return;
  if (const auto key = certificate.public_key()) static_cast<void>(key->spki());
  static_cast<void>(
      waxwing::crypto::verify_chain(certificate, {}, std::span(&certificate, 1), 1, certificate.not_before()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const waxwing::ByteView bytes = std::as_bytes(std::span(data, size));
  if (const auto certificate = Certificate::from_der(bytes)) ask(*certificate);
  if (const auto certificates = Certificate::from_pem(waxwing::as_text(bytes), 4)) {
    if (certificates->empty() || certificates->size() > 4) __builtin_trap();
    for (const Certificate& certificate : *certificates) ask(certificate);
  }
  return 0;
}
