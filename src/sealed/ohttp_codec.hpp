// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/crypto/aead.hpp"
#include "waxwing/crypto/hpke.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/sealed/ohttp.hpp"

namespace waxwing::sealed {

/// A raw private key with its id and the AEADs offered with it.
struct RawWorkerKey {
  std::uint8_t id;
  const crypto::KemPrivateKey& key;  ///< outlives the exchange
  std::vector<crypto::AeadId> aeads;
};

/// The way around the proof types, for known answers and fuzzing only: this header is private, so the rim cannot reach
/// it.
struct OhttpCodec {
  [[nodiscard]] static Result<ClientExchange> client(std::uint8_t key_id, const crypto::KemPublicKey& key,
                                                     crypto::AeadId aead, Random& random) {
    return ClientExchange::start(key_id, key, aead, random);
  }
  [[nodiscard]] static WorkerExchange worker(RawWorkerKey key, std::uint64_t max_total);
  /// `secret` = the exported secret of the exchange.
  [[nodiscard]] static ResponseOpener response_opener(crypto::AeadId aead, Bytes enc, SecretBytes secret) {
    return {aead, std::move(enc), std::move(secret), kMaxResponseBody};
  }

  // The whole-message form of RFC 9458. Nothing in the product falls back to it.
  struct WholeRequest {
    Bytes sealed;
    crypto::HpkeSender sender;
  };
  [[nodiscard]] static Result<WholeRequest> seal_request(std::uint8_t key_id, const crypto::KemPublicKey& key,
                                                         crypto::AeadId aead, ByteView request, Random& random);
  struct OpenedRequest {
    Bytes request;
    crypto::AeadId aead;
    Bytes enc;
    crypto::HpkeRecipient recipient;
  };
  [[nodiscard]] static Result<OpenedRequest> open_request(const RawWorkerKey& key, ByteView sealed);
  [[nodiscard]] static Result<Bytes> seal_response(const OpenedRequest& request, ByteView response, Random& random);
  [[nodiscard]] static Result<Bytes> open_response(const crypto::HpkeSender& sender, crypto::AeadId aead,
                                                   ByteView sealed);
};

/// The 7 bytes that open an encapsulated request (RFC 9458 section 4.3), and what HPKE's info is made of.
inline constexpr std::size_t kRequestHeaderSize = 7;
[[nodiscard]] Bytes encode_request_header(std::uint8_t key_id, crypto::KemId kem, crypto::AeadId aead);

/// HPKE info: label || 0x00 || header.
[[nodiscard]] Bytes request_info(std::string_view label, ByteView header);

/// Length of the response nonce: max(Nn, Nk).
[[nodiscard]] std::size_t response_nonce_size(crypto::AeadId aead);

inline constexpr std::string_view kChunkedResponseLabel = "message/bhttp chunked response";

/// RFC 9458 section 4.4: the answer's key and nonce from the exported secret and salt = enc || response nonce.
struct ResponseKeys {
  SecretBytes key;
  ByteArray<crypto::kAeadNonceSize> nonce{};
};
[[nodiscard]] ResponseKeys derive_response_keys(crypto::AeadId aead, const SecretBytes& secret, ByteView salt);

}  // namespace waxwing::sealed
