// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "tls/openssl.hpp"
#include "waxwing/net/tls.hpp"

namespace waxwing::net {
namespace tls {

std::string last_error() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "unknown" : reason;
}

Result<crypto::Sha256Digest> spki_sha256(const X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (size <= 0) return fail(Code::malformed, "unreadable key in a TLS certificate: " + last_error());
  const auto digest = crypto::sha256(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
  OPENSSL_free(der);
  return digest;
}

}  // namespace tls

namespace {

constexpr std::array<unsigned char, 9> kAlpn = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

struct Free {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> memory_bio(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::unexpected<Error> invalid(const char* what) {
  return fail(Code::config_invalid, what + (": " + tls::last_error()));
}

Result<std::shared_ptr<SSL_CTX>> make_context(const SSL_METHOD* method) {
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (context == nullptr) return fail(Code::internal, "cannot make a TLS context: " + tls::last_error());
  SSL_CTX* ctx = context.get();
  // No session tickets: psk_dhe repeats the key exchange, so a resumption saves little, and without them no ticket key
  // has to be guarded and every connection shows the peer's certificate.
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_early_data(ctx, 0);
  std::string groups = "X25519MLKEM768:X25519";
  if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 || SSL_CTX_set1_groups_list(ctx, groups.data()) != 1) {
    return fail(Code::internal, "cannot restrict TLS: " + tls::last_error());
  }
  return context;
}

/// Web PKI roots of the machine. OpenSSL's own default points into the prefix it was built for, so look where systems
/// keep it.
Result<void> load_system_cas(SSL_CTX* context) {
  const char* file = std::getenv("SSL_CERT_FILE");
  const char* dir = std::getenv("SSL_CERT_DIR");
  if (file != nullptr || dir != nullptr) {
    return SSL_CTX_load_verify_locations(context, file, dir) == 1
               ? Result<void>{}
               : invalid("cannot load the CA certificates named by SSL_CERT_FILE or SSL_CERT_DIR");
  }
  static constexpr std::array kFiles = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
  for (const char* known : kFiles) {
    std::error_code error;
    if (!std::filesystem::exists(known, error)) continue;
    if (SSL_CTX_load_verify_file(context, known) != 1) return invalid("cannot load the system's CA certificates");
    return {};
  }
  return fail(Code::config_invalid, "no CA certificates on this machine (package ca-certificates, or SSL_CERT_FILE)");
}

Result<void> load_given_cas(SSL_CTX* context, std::string_view pem) {
  const auto bio = memory_bio(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  std::size_t n = 0;
  while (const Owned<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return invalid("cannot use a CA certificate");
    ++n;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (n == 0 || !at_end) return fail(Code::config_invalid, "no CA certificate in the PEM text, or a broken one");
  return {};
}

int choose_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                unsigned offered_size, void* /*argument*/) {
  // SSL_select_next_proto wants a mutable out pointer for historical reasons.
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpn.data(), kAlpn.size(), offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int accept_any(X509_STORE_CTX* /*store*/, void* /*argument*/) {
  return 1;
}

}  // namespace

Result<TlsClientContext> TlsClientContext::make(const TlsClientOptions& options) {
  WAXWING_ASSIGN(auto context, make_context(TLS_client_method()));
  if (SSL_CTX_set_alpn_protos(context.get(), kAlpn.data(), kAlpn.size()) != 0) {  // 0 is success here
    return fail(Code::internal, "cannot set ALPN");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  switch (options.trust) {
    case TlsTrust::system_cas:
      WAXWING_TRY(load_system_cas(context.get()));
      break;
    case TlsTrust::given_cas:
      WAXWING_TRY(load_given_cas(context.get(), options.ca_pem));
      break;
    case TlsTrust::attested:
      SSL_CTX_set_cert_verify_callback(context.get(), accept_any, nullptr);
      break;
  }
  return TlsClientContext(std::move(context), options.trust);
}

Result<TlsServerContext> TlsServerContext::from_pem(std::string_view chain_pem, const SecretBytes& key_pem) {
  WAXWING_ASSIGN(auto context, make_context(TLS_server_method()));
  const auto chain = memory_bio(chain_pem);
  const Owned<X509> leaf(PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr));
  if (leaf == nullptr) return invalid("no certificate in the TLS chain");
  if (SSL_CTX_use_certificate(context.get(), leaf.get()) != 1) return invalid("cannot use the TLS certificate");
  while (Owned<X509> next{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add0_chain_cert(context.get(), next.get()) != 1)
      return invalid("cannot use a TLS intermediate certificate");
    static_cast<void>(next.release());
  }
  ERR_clear_error();

  const auto key_bio = memory_bio(key_pem.expose_text(SecretAccess{}));
  // A password prompt on the terminal is the default for encrypted keys; refuse them instead.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_password, nullptr));
  if (key == nullptr) return invalid("no usable TLS private key");
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) return invalid("TLS key and certificate do not match");

  SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_alpn, nullptr);

  WAXWING_ASSIGN(const auto spki, tls::spki_sha256(leaf.get()));
  return TlsServerContext(std::move(context), spki);
}

}  // namespace waxwing::net
