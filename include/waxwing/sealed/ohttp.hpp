// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/crypto/aead.hpp"
#include "waxwing/crypto/hpke.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/exchange/session.hpp"
#include "waxwing/exchange/worker_keys.hpp"
#include "waxwing/sealed/bhttp.hpp"

/// Chunked Oblivious HTTP (RFC 9458, draft-ietf-ohai-chunked-ohttp-08), both ends of one exchange. A chunk on the wire
/// is varint(length) || sealed, or 0 || sealed for the last one, which runs to the end of the body.
namespace waxwing::sealed {

inline constexpr std::size_t kMaxChunkPlaintext = 16384;
/// Without the length prefix; a receiver takes exactly this much and not a byte more.
inline constexpr std::size_t kMaxChunkSealed = kMaxChunkPlaintext + crypto::kAeadTagSize;

inline constexpr std::string_view kRequestMediaType = "message/ohttp-chunked-req";
inline constexpr std::string_view kResponseMediaType = "message/ohttp-chunked-res";

enum class Last : std::uint8_t { no, yes };

/// Bytes of a chunk on the wire, prefix included.
[[nodiscard]] std::size_t sealed_size(std::size_t plaintext, Last last);

/// A chunk whose tag verified. The view lives until the next call of its opener.
struct OpenedChunk {
  ByteView plaintext;
  Last last;
};

/// Cuts a chunked body into sealed chunks. A chunk that lies whole in what is given is not copied; only a cut one is
/// collected, in memory that grows to what its (checked) length needs.
class ChunkFrames {
 public:
  explicit ChunkFrames(std::uint64_t max_total) : total_left_(max_total) {}

  struct Frame {
    ByteView sealed;
    Last last;
  };
  /// Nothing: more input is needed. Code::too_large, Code::open_failed (too short for a chunk), Code::truncated.
  [[nodiscard]] Result<std::optional<Frame>> next(ByteView& wire, Input input);
  /// Where the frame just returned is to be opened to. May be the frame's own memory.
  [[nodiscard]] MutableByteView room(const Frame& frame);

 private:
  enum class State : std::uint8_t { length, body, last, ended };
  Result<std::optional<Frame>> run(ByteView& wire, Input input);
  Result<void> take_length(ByteView& wire);
  void collect(ByteView& wire, std::size_t n);
  void reserve(std::size_t size);

  std::uint64_t total_left_;
  State state_ = State::length;
  std::optional<Code> failure_;
  std::uint8_t length_left_ = 0;
  std::uint64_t length_ = 0;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t collected_ = 0;
};

/// Opens one answer. Moved out of the client's exchange, and usable before its request is complete.
class ResponseOpener {
 public:
  /// Takes from the front of `wire`. Nothing: more input is needed (never with Input::ended before the last chunk).
  /// Code::truncated, Code::open_failed or Code::too_large; after a failure it is dead.
  [[nodiscard]] Result<std::optional<OpenedChunk>> next(ByteView& wire, Input input);

 private:
  friend class ClientExchange;
  friend struct OhttpCodec;
  ResponseOpener(crypto::AeadId aead, Bytes enc, SecretBytes secret, std::uint64_t max_total);
  Result<std::optional<OpenedChunk>> run(ByteView& wire, Input input);

  crypto::AeadId aead_;
  std::optional<Code> failure_;
  Bytes salt_;  ///< enc || response nonce
  std::size_t salt_size_;
  SecretBytes secret_;
  std::optional<crypto::AeadOpener> opener_;
  ChunkFrames frames_;
};

/// Bound on one answer's body: far below what AES-GCM takes under one key.
inline constexpr std::uint64_t kMaxResponseBody = std::uint64_t{1} << 30U;

/// The client's end of one exchange: a fresh encapsulation, so it serves one request and is never repeated.
///
///     WAXWING_ASSIGN(auto exchange, ClientExchange::begin(session_key, now, random));
///     write(exchange.header());
///     WAXWING_ASSIGN(auto size, exchange.seal(parts, Last::yes, out));
class ClientExchange {
 public:
  /// Code::expired for a key past its end; Code::open_failed for an X25519 key of low order.
  [[nodiscard]] static Result<ClientExchange> begin(const exchange::SessionKey& key, Now now, Random& random);

  /// key id, KEM, KDF, AEAD (7 bytes) || enc: the first bytes of the body.
  [[nodiscard]] ByteView header() const { return header_; }
  /// Seals the concatenation of `parts` (at most 16384 bytes; not empty unless it is the last) as the next chunk.
  /// Precondition: out.size() == sealed_size(their sum, last). Code::internal after the last one.
  [[nodiscard]] Result<void> seal(std::span<const ByteView> parts, Last last, MutableByteView out);
  [[nodiscard]] ResponseOpener response(std::uint64_t max_total = kMaxResponseBody) const;

 private:
  friend struct OhttpCodec;
  ClientExchange(Bytes header, crypto::AeadId aead, crypto::HpkeSender sender);
  static Result<ClientExchange> start(std::uint8_t key_id, const crypto::KemPublicKey& key, crypto::AeadId aead,
                                      Random& random);

  Bytes header_;
  crypto::AeadId aead_;
  crypto::HpkeSender sender_;
  Last sealed_last_ = Last::no;
};

/// Exchanges begun ahead of requests, since an encapsulation (about 0.1 ms) does not depend on one. Belongs to one
/// attested key and goes with it. May be used by several threads.
class ContextPool {
 public:
  /// Owners of the key: the session, its pool.
  ContextPool(std::shared_ptr<const exchange::SessionKey> key, std::size_t capacity);

  [[nodiscard]] const exchange::SessionKey& key() const { return *key_; }
  /// A ready exchange or else one made now; each is handed out once. Code::expired.
  [[nodiscard]] Result<ClientExchange> begin(Now now, Random& random);
  /// Makes at most `most` and never more than fit. For idle moments; returns how many were made.
  std::size_t refill(std::size_t most, Now now, Random& random);
  [[nodiscard]] std::size_t ready() const;

 private:
  std::shared_ptr<const exchange::SessionKey> key_;
  std::size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<ClientExchange> ready_;
};

/// Seals one answer.
class ResponseSealer {
 public:
  /// The response nonce (16 or 32 bytes): the first bytes of the body.
  [[nodiscard]] ByteView header() const { return nonce_; }
  /// As ClientExchange::seal.
  [[nodiscard]] Result<void> seal(std::span<const ByteView> parts, Last last, MutableByteView out);

 private:
  friend class WorkerExchange;
  ResponseSealer(Bytes nonce, crypto::AeadSealer sealer) : nonce_(std::move(nonce)), sealer_(std::move(sealer)) {}
  Bytes nonce_;
  crypto::AeadSealer sealer_;
  Last sealed_last_ = Last::no;
};

/// The worker's end of one exchange: opens the request as its bytes arrive, then makes the answer's sealer.
class WorkerExchange {
 public:
  /// `worker` is the one named by the path. The key is looked up as of `arrived`, when the header has come.
  WorkerExchange(std::shared_ptr<const exchange::WorkerKeyRing> ring, const exchange::WorkerId& worker, Now arrived,
                 std::uint64_t max_total);

  /// As ResponseOpener::next, and Code::key_unknown: the key id is not open, or the KEM or the suite was not offered
  /// with it. No other key is tried.
  [[nodiscard]] Result<std::optional<OpenedChunk>> next(ByteView& wire, Input input);

  /// Whether the header has come and its key opened it (no chunk has proven anything yet).
  [[nodiscard]] bool is_keyed() const { return recipient_.has_value(); }
  /// The encapsulated key. Precondition: is_keyed().
  [[nodiscard]] ByteView enc() const;
  /// Precondition: is_keyed(). Independent of how far the request has come.
  [[nodiscard]] ResponseSealer response(Random& random) const;

 private:
  friend struct OhttpCodec;
  struct Key {
    std::shared_ptr<const void> owner;  ///< keeps the two below alive
    const crypto::KemPrivateKey* private_key;
    std::span<const crypto::AeadId> aeads;
  };
  using FindKey = std::function<Result<Key>(std::uint8_t id)>;
  WorkerExchange(FindKey find, std::uint64_t max_total) : find_(std::move(find)), frames_(max_total) {}

  Result<std::optional<OpenedChunk>> run(ByteView& wire, Input input);
  Result<void> take_header(ByteView& wire);
  Result<void> check_header();

  FindKey find_;
  std::optional<Key> key_;  ///< held from the header's first 7 bytes until enc is complete
  std::optional<Code> failure_;
  Bytes header_;
  std::size_t header_size_ = 7;
  crypto::AeadId aead_ = crypto::AeadId::aes_256_gcm;
  std::optional<crypto::HpkeRecipient> recipient_;
  ChunkFrames frames_;
};

}  // namespace waxwing::sealed
