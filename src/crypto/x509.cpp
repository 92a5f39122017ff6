// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/x509.hpp"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <utility>

#include "keys.hpp"
#include "openssl.hpp"
#include "pem.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::crypto {
namespace {

using Certificate509 = ossl::Owned<X509, X509_free>;
using Crl509 = ossl::Owned<X509_CRL, X509_CRL_free>;
using Object = ossl::Owned<ASN1_OBJECT, ASN1_OBJECT_free>;
using Store = ossl::Owned<X509_STORE, X509_STORE_free>;
using StoreContext = ossl::Owned<X509_STORE_CTX, X509_STORE_CTX_free>;

struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }  // not the elements: they are borrowed
};
using BorrowedStack = std::unique_ptr<STACK_OF(X509), FreeStack>;

// --- values out of ASN.1 --------------------------------------------------------------------------------------------

/// Seconds since the epoch. Only the two forms of RFC 5280 section 4.1.2.5: YYMMDDHHMMSSZ and YYYYMMDDHHMMSSZ.
std::optional<std::int64_t> seconds_of(const ASN1_TIME* time) {
  if (time == nullptr) return std::nullopt;
  const int length = ASN1_STRING_length(time);
  if (length != (ASN1_STRING_type(time) == V_ASN1_UTCTIME ? 13 : 15)) return std::nullopt;
  const std::string_view text = as_text(std::as_bytes(std::span(ASN1_STRING_get0_data(time), std::size_t(length))));
  if (text.find_first_not_of("0123456789") != text.size() - 1 || text.back() != 'Z') return std::nullopt;
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return std::int64_t{timegm(&parts)};
}

/// The clock counts nanoseconds and ends in 2262; "no expiry" in certificates is the year 9999.
WallTime to_wall_time(std::int64_t seconds) {
  constexpr auto kLeast = std::chrono::ceil<std::chrono::seconds>(WallTime::min().time_since_epoch()).count();
  constexpr auto kMost = std::chrono::floor<std::chrono::seconds>(WallTime::max().time_since_epoch()).count();
  return from_unix(std::clamp<std::int64_t>(seconds, kLeast, kMost));
}

std::string dotted(const ASN1_OBJECT* object) {
  std::array<char, 128> text{};
  const int size = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
  if (size < 0) return {};
  if (static_cast<std::size_t>(size) < text.size()) return {text.data(), static_cast<std::size_t>(size)};
  std::string longer(static_cast<std::size_t>(size) + 1, '\0');
  OBJ_obj2txt(longer.data(), size + 1, object, 1);
  longer.pop_back();
  return longer;
}

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return text;
}

/// RSASSA-PSS-params with SHA-384, MGF1-SHA-384, salt 48 (RFC 4055 section 3.1): AlgorithmIdentifier with the default
/// trailerField left out as DER wants, and with the explicit 1 that some issuers write.
bool is_pss_sha384(const X509_ALGOR* algorithm) {
  static constexpr std::array<unsigned char, 67> kImplicitTrailer{
      0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34, 0xa0, 0x0f,
      0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa1, 0x1c,
      0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09,
      0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x30};
  static constexpr std::array<unsigned char, 5> kTrailer{0xa3, 0x03, 0x02, 0x01, 0x01};
  Bytes expected = to_bytes(std::as_bytes(std::span(kImplicitTrailer)));
  const Bytes actual = ossl::to_der<X509_ALGOR>(i2d_X509_ALGOR, algorithm);
  if (actual == expected) return true;
  append(expected, std::as_bytes(std::span(kTrailer)));
  expected[1] = std::byte{0x46};  // the two enclosing lengths
  expected[14] = std::byte{0x39};
  return actual == expected;
}

/// Parses the whole input and wants it to be what the parsed object encodes to, so that one object has one spelling.
template <class Owner, class T>
Owner parse_whole(T* (*d2i)(T**, const unsigned char**, long), int (*i2d)(const T*, unsigned char**), ByteView der) {
  const unsigned char* at = ossl::data(der);
  Owner object(d2i(nullptr, &at, static_cast<long>(der.size())));
  if (!object || at != ossl::data(der) + der.size()) return nullptr;
  const Bytes again = ossl::to_der<T>(i2d, object.get());
  return std::ranges::equal(again, der) ? std::move(object) : nullptr;
}

}  // namespace

// --- Certificate ----------------------------------------------------------------------------------------------------

struct Certificate::State {
  Bytes der;
  Certificate509 x509;
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
};

Certificate::Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}

Result<Certificate> Certificate::from_der(ByteView der) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  if (der.size() > kMaxCertificateSize) return fail(Code::too_large, "certificate beyond 64 KiB");
  auto state = std::make_shared<State>();
  state->x509 = parse_whole<Certificate509, X509>(d2i_X509, i2d_X509, der);
  if (!state->x509) return fail(Code::malformed, "not a DER certificate");
  const auto not_before = seconds_of(X509_get0_notBefore(state->x509.get()));
  const auto not_after = seconds_of(X509_get0_notAfter(state->x509.get()));
  if (!not_before || !not_after) return fail(Code::malformed, "certificate with an unreadable validity");
  state->not_before = *not_before;
  state->not_after = *not_after;
  state->der = to_bytes(der);
  // Fills what OpenSSL otherwise computes at first use, so that the object is not written to once it is shared.
  X509_check_purpose(state->x509.get(), -1, 0);
  return Certificate(std::move(state));
}

Result<std::vector<Certificate>> Certificate::from_pem(std::string_view pem, std::size_t most) {
  std::vector<Certificate> certificates;
  do {
    if (certificates.size() == most) return fail(Code::too_large, "too many certificates in a PEM text");
    WAXWING_ASSIGN(const SecretBytes der, take_pem_block(pem, "CERTIFICATE"));
    WAXWING_ASSIGN(Certificate certificate, from_der(der.expose(SecretAccess())));
    certificates.push_back(std::move(certificate));
  } while (!is_blank(pem));
  return certificates;
}

ByteView Certificate::der() const {
  return state_->der;
}
Sha256Digest Certificate::fingerprint() const {
  return sha256(state_->der);
}

Sha256Digest Certificate::spki_sha256() const {
  return sha256(ossl::to_der<X509_PUBKEY>(i2d_X509_PUBKEY, X509_get_X509_PUBKEY(state_->x509.get())));
}

std::string Certificate::subject_cn() const {
  return common_name(X509_get_subject_name(state_->x509.get()));
}
std::string Certificate::issuer_cn() const {
  return common_name(X509_get_issuer_name(state_->x509.get()));
}

std::string Certificate::subject() const {
  const ossl::ErrorScope errors;
  const ossl::Bio out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), X509_get_subject_name(state_->x509.get()), 0, XN_FLAG_RFC2253) < 0)
    return {};
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string Certificate::serial_hex() const {
  const ossl::Bignum number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(state_->x509.get()), nullptr));
  ossl::must(number != nullptr);
  Bytes magnitude(static_cast<std::size_t>(std::max(1, BN_num_bytes(number.get()))));
  BN_bn2binpad(number.get(), ossl::data(magnitude), static_cast<int>(magnitude.size()));
  return (BN_is_negative(number.get()) == 1 ? "-" : "") + to_hex(magnitude);
}

WallTime Certificate::not_before() const {
  return to_wall_time(state_->not_before);
}
WallTime Certificate::not_after() const {
  return to_wall_time(state_->not_after);
}
int Certificate::version() const {
  return static_cast<int>(X509_get_version(state_->x509.get())) + 1;
}

bool Certificate::is_ca() const {
  const std::uint32_t flags = X509_get_extension_flags(state_->x509.get());
  return (flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) != 0 && (flags & EXFLAG_INVALID) == 0;
}

Result<PublicKey> Certificate::public_key() const {
  const ossl::ErrorScope errors;
  ossl::Pkey key(X509_get_pubkey(state_->x509.get()));
  if (!key) return fail(Code::malformed, "certificate without a usable public key");
  return wrap_public_key(std::move(key));
}

bool Certificate::is_signed_with_pss_sha384() const {
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, state_->x509.get());
  return is_pss_sha384(algorithm);
}

bool Certificate::is_signed_with_ecdsa_sha256() const {
  return X509_get_signature_nid(state_->x509.get()) == NID_ecdsa_with_SHA256;
}

std::vector<Bytes> Certificate::extensions(std::string_view dotted_oid) const {
  const ossl::ErrorScope errors;
  const Object object(OBJ_txt2obj(std::string(dotted_oid).c_str(), 1));
  std::vector<Bytes> values;
  if (!object) return values;
  const X509* x509 = state_->x509.get();
  for (int at = -1; (at = X509_get_ext_by_OBJ(x509, object.get(), at)) >= 0;) {
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(x509, at));
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(value));
    values.push_back(to_bytes(std::as_bytes(std::span(ASN1_STRING_get0_data(value), size))));
  }
  return values;
}

std::vector<std::string> Certificate::extension_oids() const {
  std::vector<std::string> oids;
  const int count = X509_get_ext_count(state_->x509.get());
  oids.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    oids.push_back(dotted(X509_EXTENSION_get_object(X509_get_ext(state_->x509.get(), i))));
  }
  return oids;
}

bool Certificate::has_unknown_critical_extension() const {
  return (X509_get_extension_flags(state_->x509.get()) & EXFLAG_CRITICAL) != 0;
}

// --- Crl ------------------------------------------------------------------------------------------------------------

struct Crl::State {
  Crl509 crl;
  std::int64_t this_update = 0;
  std::optional<std::int64_t> next_update;
};

Crl::Crl(std::shared_ptr<const State> state) : state_(std::move(state)) {}

namespace {

/// A critical extension narrows or shifts what a list says (issuing distribution point, delta, indirect entries); none
/// is implemented here, and a list half understood must not be used (RFC 5280 section 5.2).
bool has_critical_extension(X509_CRL* crl) {
  if (X509_CRL_get_ext_by_critical(crl, 1, -1) >= 0) return true;
  STACK_OF(X509_REVOKED)* revoked = X509_CRL_get_REVOKED(crl);
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    if (X509_REVOKED_get_ext_by_critical(sk_X509_REVOKED_value(revoked, i), 1, -1) >= 0) return true;
  }
  return false;
}

}  // namespace

Result<Crl> Crl::from_der(ByteView der) {
  const ossl::ErrorScope errors;
  static_cast<void>(ossl::library());
  if (der.size() > kMaxCrlSize) return fail(Code::too_large, "CRL beyond 1 MiB");
  auto state = std::make_shared<State>();
  state->crl = parse_whole<Crl509, X509_CRL>(d2i_X509_CRL, i2d_X509_CRL, der);
  if (!state->crl) return fail(Code::malformed, "not a DER certificate revocation list");
  if (has_critical_extension(state->crl.get())) return fail(Code::unsupported, "CRL with a critical extension");
  const auto this_update = seconds_of(X509_CRL_get0_lastUpdate(state->crl.get()));
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(state->crl.get());
  state->next_update = seconds_of(next);
  if (!this_update || (next != nullptr && !state->next_update)) {
    return fail(Code::malformed, "CRL with an unreadable time");
  }
  state->this_update = *this_update;
  return Crl(std::move(state));
}

WallTime Crl::this_update() const {
  return to_wall_time(state_->this_update);
}
std::optional<WallTime> Crl::next_update() const {
  return state_->next_update ? std::optional(to_wall_time(*state_->next_update)) : std::nullopt;
}

bool Crl::issued_by(const Certificate& issuer) const {
  const ossl::ErrorScope errors;
  return X509_NAME_cmp(X509_CRL_get_issuer(state_->crl.get()), X509_get_subject_name(issuer.state().x509.get())) == 0;
}

bool Crl::signed_by(const Certificate& issuer) const {
  const ossl::ErrorScope errors;
  EVP_PKEY* key = X509_get0_pubkey(issuer.state().x509.get());
  return key != nullptr && X509_CRL_verify(state_->crl.get(), key) == 1;
}

bool Crl::is_signed_with_pss_sha384() const {
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(state_->crl.get(), nullptr, &algorithm);
  return is_pss_sha384(algorithm);
}

bool Crl::is_signed_with_ecdsa_sha256() const {
  return X509_CRL_get_signature_nid(state_->crl.get()) == NID_ecdsa_with_SHA256;
}

bool Crl::revokes(const Certificate& certificate) const {
  const ossl::ErrorScope errors;
  X509_REVOKED* entry = nullptr;
  // Any entry counts, "remove from CRL" (2) too: that reason is for delta lists only.
  return X509_CRL_get0_by_cert(state_->crl.get(), &entry, certificate.state().x509.get()) != 0;
}

// --- chains ---------------------------------------------------------------------------------------------------------

namespace {

std::string name_of(const Certificate& certificate) {
  const std::string cn = certificate.subject_cn();
  return cn.empty() ? certificate.subject() : cn;
}

ChainError kind_of(int error) {
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return ChainError::not_to_root;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
      return ChainError::bad_signature;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return ChainError::not_a_ca;
    // The list is OpenSSL's and open-ended.
    default:
      return ChainError::other;
  }
}

BorrowedStack stack_of(std::span<const Certificate> certificates) {
  BorrowedStack stack(sk_X509_new_null());
  ossl::must(stack != nullptr);
  for (const Certificate& certificate : certificates) {
    ossl::must(sk_X509_push(stack.get(), certificate.state().x509.get()) > 0);
  }
  return stack;
}

/// Our own objects for the certificates OpenSSL chose among those it was given.
std::vector<Certificate> chosen(STACK_OF(X509) * chain, const Certificate& leaf,
                                std::span<const Certificate> intermediates, std::span<const Certificate> roots) {
  std::vector<Certificate> result;
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const X509* x509 = sk_X509_value(chain, i);
    const auto is_it = [&](const Certificate& c) { return c.state().x509.get() == x509; };
    if (is_it(leaf)) {
      result.push_back(leaf);
    } else if (const auto in = std::ranges::find_if(intermediates, is_it); in != intermediates.end()) {
      result.push_back(*in);
    } else if (const auto root = std::ranges::find_if(roots, is_it); root != roots.end()) {
      result.push_back(*root);
    }
  }
  ossl::must(std::cmp_equal(result.size(), sk_X509_num(chain)));
  return result;
}

std::unexpected<ChainFailure> chain_failure(ChainError kind, const Certificate& certificate, std::string_view what) {
  return std::unexpected(ChainFailure{kind, name_of(certificate) + ": " + std::string(what)});
}

/// Both bounds inclusive (RFC 5280 section 4.1.2.5), which X509_verify_cert's own test is not.
std::expected<void, ChainFailure> check_validity(const Certificate& certificate, std::int64_t now) {
  if (now < certificate.state().not_before) {
    return chain_failure(ChainError::not_yet_valid, certificate,
                         "not valid before " + to_rfc3339(certificate.not_before()));
  }
  if (now > certificate.state().not_after) {
    return chain_failure(ChainError::expired, certificate, "expired at " + to_rfc3339(certificate.not_after()));
  }
  return {};
}

}  // namespace

std::expected<std::vector<Certificate>, ChainFailure> verify_chain(const Certificate& leaf,
                                                                   std::span<const Certificate> intermediates,
                                                                   std::span<const Certificate> roots,
                                                                   std::size_t length, WallTime now) {
  constexpr int kSecurityLevel = 3;
  const ossl::ErrorScope errors;
  const Store store(X509_STORE_new());
  ossl::must(store != nullptr);
  for (const Certificate& root : roots) ossl::must(X509_STORE_add_cert(store.get(), root.state().x509.get()) == 1);
  const BorrowedStack untrusted = stack_of(intermediates);
  const StoreContext context(X509_STORE_CTX_new());
  ossl::must(context && X509_STORE_CTX_init(context.get(), store.get(), leaf.state().x509.get(), untrusted.get()) == 1);
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  // Times are checked below. No set_time here: it would win over the flag.
  ossl::must(X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME) == 1);
  X509_VERIFY_PARAM_set_auth_level(param, kSecurityLevel);

  if (X509_verify_cert(context.get()) != 1) {
    const int error = X509_STORE_CTX_get_error(context.get());
    const X509* at = X509_STORE_CTX_get_current_cert(context.get());
    const auto is_at = [&](const Certificate& c) { return c.state().x509.get() == at; };
    const auto in = std::ranges::find_if(intermediates, is_at);
    const auto root = std::ranges::find_if(roots, is_at);
    const Certificate& blamed = in != intermediates.end() ? *in : root != roots.end() ? *root : leaf;
    return chain_failure(kind_of(error), blamed, X509_verify_cert_error_string(error));
  }
  std::vector<Certificate> chain = chosen(X509_STORE_CTX_get0_chain(context.get()), leaf, intermediates, roots);
  // OpenSSL builds the shortest chain it finds, for instance a leaf straight under the root.
  if (chain.size() != length) {
    return chain_failure(
        ChainError::not_to_root, leaf,
        "its chain has " + std::to_string(chain.size()) + " certificates, not " + std::to_string(length));
  }
  // An issuer without basicConstraints passes as a CA when its key usage says so.
  for (const Certificate& issuer : std::span(chain).subspan(1)) {
    if (!issuer.is_ca()) return chain_failure(ChainError::not_a_ca, issuer, "is no certification authority");
  }
  for (const Certificate& certificate : chain) {
    if (auto valid = check_validity(certificate, to_unix(now)); !valid) return std::unexpected(valid.error());
  }
  return chain;
}

}  // namespace waxwing::crypto
