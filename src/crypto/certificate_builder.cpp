// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/certificate_builder.hpp"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <bit>
#include <stdexcept>
#include <utility>

#include "keys.hpp"
#include "openssl.hpp"

namespace waxwing::crypto {
namespace {

using Certificate509 = ossl::Owned<X509, X509_free>;
using Crl509 = ossl::Owned<X509_CRL, X509_CRL_free>;
using Extension509 = ossl::Owned<X509_EXTENSION, X509_EXTENSION_free>;
using Integer = ossl::Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using Name = ossl::Owned<X509_NAME, X509_NAME_free>;
using Object = ossl::Owned<ASN1_OBJECT, ASN1_OBJECT_free>;
using OctetString = ossl::Owned<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using Revoked509 = ossl::Owned<X509_REVOKED, X509_REVOKED_free>;
using Time = ossl::Owned<ASN1_TIME, ASN1_TIME_free>;

constexpr std::size_t kMostSerialBytes = 20;  // RFC 5280 section 4.1.2.2

Result<Name> make_name(const DistinguishedName& attributes) {
  Name name(X509_NAME_new());
  ossl::must(name != nullptr);
  for (const NameAttribute& attribute : attributes) {
    const ByteView value = as_bytes(attribute.value);
    if (X509_NAME_add_entry_by_txt(name.get(), attribute.type.c_str(), MBSTRING_UTF8, ossl::data(value),
                                   static_cast<int>(value.size()), -1, 0) != 1) {
      return fail(Code::bad_request, "a name attribute that is not understood");
    }
  }
  return name;
}

Result<Integer> make_integer(ByteView big_endian) {
  if (big_endian.size() > kMostSerialBytes) return fail(Code::bad_request, "serial number beyond 20 bytes");
  const ossl::Bignum number(BN_bin2bn(ossl::data(big_endian), static_cast<int>(big_endian.size()), nullptr));
  Integer integer(number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr);
  ossl::must(integer != nullptr);
  return integer;
}

Result<Time> make_time(WallTime time) {
  Time result(ASN1_TIME_set(nullptr, to_unix(time)));  // UTCTime until 2049, then GeneralizedTime
  if (!result) return fail(Code::bad_request, "a time that a certificate cannot hold");
  return result;
}

Result<Extension509> make_extension(const CertificateExtension& extension) {
  const Object object(OBJ_txt2obj(extension.oid.c_str(), 1));
  if (!object) return fail(Code::bad_request, "an extension's OID is not understood");
  const OctetString value(ASN1_OCTET_STRING_new());
  ossl::must(value && ASN1_OCTET_STRING_set(value.get(), ossl::data(extension.value),
                                            static_cast<int>(extension.value.size())) == 1);
  Extension509 result(X509_EXTENSION_create_by_OBJ(
      nullptr, object.get(), extension.criticality == Criticality::critical ? 1 : 0, value.get()));
  ossl::must(result != nullptr);
  return result;
}

Result<ossl::DigestContext> signing_context(const SigningKey& key, SignatureScheme scheme) {
  const bool is_rsa = key.algorithm() == SigningKey::Algorithm::rsa4096;
  if (is_rsa == (scheme == SignatureScheme::ecdsa)) {
    return fail(Code::bad_request, "the signature scheme does not fit the issuer's key");
  }
  const EVP_MD* digest =
      key.algorithm() == SigningKey::Algorithm::p256 ? ossl::library().sha256.get() : ossl::library().sha384.get();
  ossl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // owned by the context
  ossl::must(context && EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key.state().key.get()) == 1);
  if (scheme == SignatureScheme::rsa_pss_sha384) {
    ossl::must(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, digest) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1);
  }
  return context;
}

// --- DER by hand, for extension contents ----------------------------------------------------------------------------

/// Tag, length and content; contents of at most 65535 bytes.
Bytes tlv(unsigned tag, ByteView content) {
  if (content.size() > 0xffff) throw std::length_error("DER content too long");
  Bytes der{static_cast<std::byte>(tag)};
  if (content.size() >= 0x100) {
    append(der, ByteArray<3>{std::byte{0x82}, static_cast<std::byte>(content.size() >> 8U),
                             static_cast<std::byte>(content.size())});
  } else if (content.size() >= 0x80) {
    append(der, ByteArray<2>{std::byte{0x81}, static_cast<std::byte>(content.size())});
  } else {
    der.push_back(static_cast<std::byte>(content.size()));
  }
  append(der, content);
  return der;
}

constexpr unsigned kInteger = 0x02;
constexpr unsigned kIa5String = 0x16;
constexpr unsigned kSequence = 0x30;
constexpr unsigned kGeneralNameDns = 0x82;
constexpr unsigned kGeneralNameIp = 0x87;

}  // namespace

Bytes der_integer(std::uint64_t value) {
  Bytes content;
  // One bit more than the value has: the leading zero keeps the number positive.
  for (int bit = 8 * (static_cast<int>(std::bit_width(value)) / 8); bit >= 0; bit -= 8) {
    content.push_back(bit < 64 ? static_cast<std::byte>(value >> bit) : std::byte{0});
  }
  return tlv(kInteger, content);
}

Bytes der_ia5_string(std::string_view text) {
  return tlv(kIa5String, as_bytes(text));
}

CertificateExtension basic_constraints_ca(std::optional<std::uint8_t> path_length) {
  Bytes content{std::byte{0x01}, std::byte{0x01}, std::byte{0xff}};  // BOOLEAN TRUE
  if (path_length) append(content, der_integer(*path_length));
  return {.oid = "2.5.29.19", .criticality = Criticality::critical, .value = tlv(kSequence, content)};
}

CertificateExtension key_usage_cert_and_crl_sign() {
  // BIT STRING with keyCertSign (5) and cRLSign (6); the last bit is unused.
  return {.oid = "2.5.29.15",
          .criticality = Criticality::critical,
          .value = {std::byte{0x03}, std::byte{0x02}, std::byte{0x01}, std::byte{0x06}}};
}

CertificateExtension subject_alt_names(std::span<const std::string> dns, std::span<const Bytes> addresses) {
  Bytes content;
  for (const std::string& name : dns) append(content, tlv(kGeneralNameDns, as_bytes(name)));
  for (const Bytes& address : addresses) append(content, tlv(kGeneralNameIp, address));
  return {.oid = "2.5.29.17", .criticality = Criticality::non_critical, .value = tlv(kSequence, content)};
}

// --- CertificateBuilder ---------------------------------------------------------------------------------------------

CertificateBuilder& CertificateBuilder::serial(std::uint64_t value) {
  serial_.clear();
  for (int i = 7; i >= 0; --i) serial_.push_back(static_cast<std::byte>(value >> (8 * i)));
  return *this;
}
CertificateBuilder& CertificateBuilder::serial(ByteView big_endian) {
  serial_ = to_bytes(big_endian);
  return *this;
}
CertificateBuilder& CertificateBuilder::subject(DistinguishedName name) {
  subject_ = std::move(name);
  return *this;
}
CertificateBuilder& CertificateBuilder::issuer(DistinguishedName name) {
  issuer_ = std::move(name);
  return *this;
}
CertificateBuilder& CertificateBuilder::validity(WallTime not_before, WallTime not_after) {
  not_before_ = not_before;
  not_after_ = not_after;
  return *this;
}
CertificateBuilder& CertificateBuilder::public_key(PublicKey key) {
  public_key_ = std::move(key);
  return *this;
}
CertificateBuilder& CertificateBuilder::extension(CertificateExtension extension) {
  extensions_.push_back(std::move(extension));
  return *this;
}
CertificateBuilder& CertificateBuilder::extension(std::string oid, Criticality criticality, Bytes value) {
  return extension({.oid = std::move(oid), .criticality = criticality, .value = std::move(value)});
}

Result<Bytes> CertificateBuilder::sign(const SigningKey& issuer, SignatureScheme scheme) const {
  const ossl::ErrorScope errors;
  if (!public_key_) return fail(Code::bad_request, "a certificate needs a public key");
  WAXWING_ASSIGN(const Integer serial, make_integer(serial_));
  WAXWING_ASSIGN(const Name subject_name, make_name(subject_));
  WAXWING_ASSIGN(const Name issuer_name, make_name(issuer_));
  WAXWING_ASSIGN(const Time from, make_time(not_before_));
  WAXWING_ASSIGN(const Time to, make_time(not_after_));

  const Certificate509 x509(X509_new());
  ossl::must(x509 && X509_set_version(x509.get(), X509_VERSION_3) == 1 &&
             X509_set_serialNumber(x509.get(), serial.get()) == 1 &&
             X509_set_subject_name(x509.get(), subject_name.get()) == 1 &&
             X509_set_issuer_name(x509.get(), issuer_name.get()) == 1 &&
             X509_set1_notBefore(x509.get(), from.get()) == 1 && X509_set1_notAfter(x509.get(), to.get()) == 1 &&
             X509_set_pubkey(x509.get(), public_key_->state().key.get()) == 1);
  for (const CertificateExtension& extension : extensions_) {
    WAXWING_ASSIGN(const Extension509 made, make_extension(extension));
    ossl::must(X509_add_ext(x509.get(), made.get(), -1) == 1);
  }
  WAXWING_ASSIGN(const ossl::DigestContext context, signing_context(issuer, scheme));
  ossl::must(X509_sign_ctx(x509.get(), context.get()) > 0);
  return ossl::to_der<X509>(i2d_X509, x509.get());
}

// --- CrlBuilder -----------------------------------------------------------------------------------------------------

CrlBuilder& CrlBuilder::issuer(DistinguishedName name) {
  issuer_ = std::move(name);
  return *this;
}
CrlBuilder& CrlBuilder::this_update(WallTime time) {
  this_update_ = time;
  return *this;
}
CrlBuilder& CrlBuilder::next_update(WallTime time) {
  next_update_ = time;
  return *this;
}
CrlBuilder& CrlBuilder::revoke(ByteView serial_big_endian, WallTime time) {
  revoked_.push_back({.serial = to_bytes(serial_big_endian), .time = time});
  return *this;
}

Result<Bytes> CrlBuilder::sign(const SigningKey& issuer, SignatureScheme scheme) const {
  const ossl::ErrorScope errors;
  WAXWING_ASSIGN(const Name issuer_name, make_name(issuer_));
  WAXWING_ASSIGN(const Time this_update, make_time(this_update_));
  const Crl509 crl(X509_CRL_new());
  ossl::must(crl && X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1 &&
             X509_CRL_set_issuer_name(crl.get(), issuer_name.get()) == 1 &&
             X509_CRL_set1_lastUpdate(crl.get(), this_update.get()) == 1);
  if (next_update_) {
    WAXWING_ASSIGN(const Time next_update, make_time(*next_update_));
    ossl::must(X509_CRL_set1_nextUpdate(crl.get(), next_update.get()) == 1);
  }
  for (const Revoked& entry : revoked_) {
    WAXWING_ASSIGN(const Integer serial, make_integer(entry.serial));
    WAXWING_ASSIGN(const Time time, make_time(entry.time));
    Revoked509 revoked(X509_REVOKED_new());
    ossl::must(revoked && X509_REVOKED_set_serialNumber(revoked.get(), serial.get()) == 1 &&
               X509_REVOKED_set_revocationDate(revoked.get(), time.get()) == 1 &&
               X509_CRL_add0_revoked(crl.get(), revoked.get()) == 1);
    static_cast<void>(revoked.release());  // the list owns it now
  }
  ossl::must(X509_CRL_sort(crl.get()) == 1);
  WAXWING_ASSIGN(const ossl::DigestContext context, signing_context(issuer, scheme));
  ossl::must(X509_CRL_sign_ctx(crl.get(), context.get()) > 0);
  return ossl::to_der<X509_CRL>(i2d_X509_CRL, crl.get());
}

}  // namespace waxwing::crypto
