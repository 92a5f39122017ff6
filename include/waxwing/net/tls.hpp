// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/crypto/hash.hpp"

struct ssl_ctx_st;

namespace waxwing::net {

/// TLS 1.3 only, groups X25519MLKEM768 then X25519, no early data, no compression, no renegotiation, ALPN "http/1.1",
/// no key log. Contexts are immutable and shared; reload = make a new one and give it to the acceptor.
///
///     WAXWING_ASSIGN(auto server, TlsServerContext::from_pem(chain_pem, key_pem));
///     WAXWING_ASSIGN(auto client, TlsClientContext::make({.trust = TlsTrust::attested}));
///     dialer.dial({.origin = origin, .tls = TlsPeer{client, pin}}, deadline);

/// Whom a client believes.
enum class TlsTrust : std::uint8_t {
  system_cas,  ///< web PKI with the machine's CA certificates; chain, name and dates are checked
  given_cas,   ///< web PKI with the CAs in `ca_pem` only
  attested,    ///< any certificate passes the handshake; TlsPeer::expected_spki or the caller decides before the first
               ///< byte
};

struct TlsClientOptions {
  TlsTrust trust = TlsTrust::system_cas;
  std::string ca_pem{};  ///< for given_cas: one or more certificates
};

class TlsClientContext {
 public:
  [[nodiscard]] static Result<TlsClientContext> make(const TlsClientOptions& options);
  [[nodiscard]] TlsTrust trust() const { return trust_; }
  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  TlsClientContext(std::shared_ptr<ssl_ctx_st> context, TlsTrust trust) : context_(std::move(context)), trust_(trust) {}
  std::shared_ptr<ssl_ctx_st> context_;  // owners: copies of this value and the streams made with it
  TlsTrust trust_;
};

class TlsServerContext {
 public:
  /// Leaf first, then intermediates; an unencrypted PKCS#8 or traditional key. Code::config_invalid says which does not
  /// fit.
  [[nodiscard]] static Result<TlsServerContext> from_pem(std::string_view chain_pem, const SecretBytes& key_pem);
  /// SHA-256 of the leaf's SubjectPublicKeyInfo: what a statement's tls_spki_sha256 names.
  [[nodiscard]] const crypto::Sha256Digest& spki_sha256() const { return spki_; }
  [[nodiscard]] ssl_ctx_st* native() const { return context_.get(); }

 private:
  TlsServerContext(std::shared_ptr<ssl_ctx_st> context, const crypto::Sha256Digest& spki)
      : context_(std::move(context)), spki_(spki) {}
  std::shared_ptr<ssl_ctx_st> context_;  // owners: copies of this value and the streams made with it
  crypto::Sha256Digest spki_;
};

/// How one connection is to be checked.
struct TlsPeer {
  TlsClientContext context;
  /// Compared with the peer's key after every handshake; on a difference dial() fails with Code::evidence_rejected and
  /// not one byte of the application has been written. With TlsTrust::attested and no pin, the caller must look at
  /// Stream::peer_spki() before it writes.
  std::optional<crypto::Sha256Digest> expected_spki;
};

/// What a finished handshake settled.
struct TlsFacts {
  std::string version;  ///< "TLSv1.3"
  std::string group;    ///< "X25519MLKEM768"
  std::string cipher;
  std::string alpn;  ///< empty: none
};

}  // namespace waxwing::net
