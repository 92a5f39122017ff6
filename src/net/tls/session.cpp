// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "tls/session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "tls/openssl.hpp"

namespace waxwing::net::tls {
namespace {

Session& session_of(BIO* bio) {
  return *static_cast<Session*>(BIO_get_data(bio));
}

int on_write(BIO* bio, const char* from, int size) {
  return session_of(bio).bio_write(from, size);
}

int on_read(BIO* bio, char* into, int size) {
  return session_of(bio).bio_read(bio, into, size);
}

long on_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

/// Records pass through memory of ours: no second buffer, and the socket calls stay in one place.
const BIO_METHOD* memory_method() {
  static const BIO_METHOD* const kMethod = [] {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "waxwing records");
    BIO_meth_set_write(method, on_write);
    BIO_meth_set_read(method, on_read);
    BIO_meth_set_ctrl(method, on_control);
    BIO_meth_set_create(method, [](BIO* bio) {
      BIO_set_init(bio, 1);
      return 1;
    });
    return method;
  }();
  return kMethod;
}

bool is_ip_literal(const std::string& name) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  const bool parsed = address != nullptr;
  ASN1_OCTET_STRING_free(address);
  return parsed;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::make(ssl_ctx_st* context) {
  SSL* ssl = SSL_new(context);
  BIO* bio = BIO_new(memory_method());
  if (ssl == nullptr || bio == nullptr) {
    SSL_free(ssl);
    BIO_free(bio);
    return fail(Code::internal, "cannot make a TLS session: " + last_error());
  }
  std::unique_ptr<Session> session(new Session(ssl));
  BIO_set_data(bio, session.get());
  SSL_set_bio(ssl, bio, bio);
  return session;
}

Result<std::unique_ptr<Session>> Session::client(const TlsPeer& peer, const std::string& server_name) {
  WAXWING_ASSIGN(auto session, make(peer.context.native()));
  session->expected_spki_ = peer.expected_spki;
  SSL* ssl = session->ssl_;
  SSL_set_connect_state(ssl);
  const bool named = !server_name.empty() && !is_ip_literal(server_name);
  if (named && SSL_set_tlsext_host_name(ssl, server_name.c_str()) != 1) {
    return fail(Code::config_invalid, "unusable TLS server name");
  }
  if (peer.context.trust() == TlsTrust::attested) return session;

  if (server_name.empty()) return fail(Code::config_invalid, "web PKI needs a server name");
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int set = named ? X509_VERIFY_PARAM_set1_host(param, server_name.data(), server_name.size())
                        : X509_VERIFY_PARAM_set1_ip_asc(param, server_name.c_str());
  if (set != 1) return fail(Code::config_invalid, "unusable TLS server name");
  return session;
}

Result<std::unique_ptr<Session>> Session::server(const TlsServerContext& context) {
  WAXWING_ASSIGN(auto session, make(context.native()));
  SSL_set_accept_state(session->ssl_);
  return session;
}

Session::~Session() {
  SSL_free(ssl_);
}

int Session::bio_read(bio_st* bio, char* into, int size) {
  BIO_clear_retry_flags(bio);
  if (input_.empty()) {
    if (input_ended_) return 0;
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t n = std::min(input_.size(), static_cast<std::size_t>(size));
  std::memcpy(into, input_.data(), n);
  input_ = input_.subspan(n);
  return static_cast<int>(n);
}

int Session::bio_write(const char* from, int size) {
  append(*output_, as_bytes(std::string_view(from, static_cast<std::size_t>(size))));
  return size;
}

void Session::save() {
  if (input_.empty()) {
    if (!saved_.empty()) Bytes().swap(saved_);
    return;
  }
  // `input_` may be the end of saved_ itself.
  Bytes rest = to_bytes(input_);
  saved_.swap(rest);
  input_ = saved_;
}

Result<Session::Step> Session::outcome(int result, const char* doing) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Step::wants_input;
    case SSL_ERROR_ZERO_RETURN:
      return Step::ended;
    case SSL_ERROR_SYSCALL:
      return fail(Code::truncated, std::string("TLS connection cut while ") + doing);
    default:
      break;
  }
  const std::string why = last_error();
  if (input_ended_ && !has_input()) return fail(Code::truncated, std::string("TLS connection cut while ") + doing);
  return fail(Code::malformed, std::string("TLS failed while ") + doing + ": " + why);
}

Result<Session::Step> Session::handshake(Bytes& records) {
  output_ = &records;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) {
    const long verified = SSL_get_verify_result(ssl_);
    auto step = outcome(result, "shaking hands");
    if (!step && verified != X509_V_OK) {
      ERR_clear_error();
      return fail(Code::evidence_rejected,
                  std::string("TLS certificate refused: ") + X509_verify_cert_error_string(verified));
    }
    if (step && *step == Step::ended) return fail(Code::truncated, "TLS ended while shaking hands");
    return step;
  }
  WAXWING_TRY(check_peer());
  return Step::done;
}

Result<void> Session::check_peer() {
  if (SSL_is_server(ssl_) == 1) return {};
  const unsigned char* alpn = nullptr;
  unsigned alpn_size = 0;
  SSL_get0_alpn_selected(ssl_, &alpn, &alpn_size);
  if (alpn_size != 0 && (alpn_size != 8 || std::memcmp(alpn, "http/1.1", 8) != 0)) {
    return fail(Code::unsupported, "TLS peer chose another application protocol");
  }
  // Present after resumption too, which does not call the verify callback: this is the place that cannot be skipped.
  const X509* certificate = SSL_get0_peer_certificate(ssl_);
  if (certificate == nullptr) return fail(Code::evidence_rejected, "TLS peer without a certificate");
  WAXWING_ASSIGN(peer_spki_, spki_sha256(certificate));
  if (expected_spki_ && !constant_time_equal(*expected_spki_, *peer_spki_)) {
    return fail(Code::evidence_rejected, "TLS peer's key is not the pinned one");
  }
  return {};
}

Result<Session::Step> Session::read(MutableByteView into, std::size_t& size, Bytes& records) {
  output_ = &records;
  size = 0;
  while (size < into.size()) {
    std::size_t n = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_, into.data() + size, into.size() - size, &n);
    if (result != 1) return outcome(result, "reading");
    size += n;
  }
  return Step::done;
}

Result<Session::Step> Session::peek(Bytes& records) {
  output_ = &records;
  std::byte one{};
  std::size_t n = 0;
  ERR_clear_error();
  const int result = SSL_peek_ex(ssl_, &one, 1, &n);
  return result == 1 ? Result<Step>(Step::done) : outcome(result, "reading");
}

Result<void> Session::write(ByteView plaintext, Bytes& records) {
  output_ = &records;
  if (plaintext.empty()) return {};
  std::size_t n = 0;
  ERR_clear_error();
  const int result = SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &n);
  if (result == 1 && n == plaintext.size()) return {};
  return fail(Code::io, "TLS failed while writing: " + last_error());
}

void Session::shut_down(Bytes& records) {
  output_ = &records;
  ERR_clear_error();
  if (SSL_is_init_finished(ssl_) == 1) SSL_shutdown(ssl_);
  ERR_clear_error();
}

TlsFacts Session::facts() const {
  TlsFacts facts;
  facts.version = SSL_get_version(ssl_);
  if (const char* group = SSL_get0_group_name(ssl_)) facts.group = group;
  if (const char* cipher = SSL_get_cipher_name(ssl_)) facts.cipher = cipher;
  const unsigned char* alpn = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &alpn, &size);
  facts.alpn.assign(as_text(std::as_bytes(std::span(alpn, size))));
  return facts;
}

}  // namespace waxwing::net::tls
