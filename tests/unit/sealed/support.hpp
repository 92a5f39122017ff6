// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../src/sealed/ohttp_codec.hpp"
#include "support/scripted_random.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/sealed/bhttp.hpp"
#include "waxwing/sealed/message.hpp"
#include "waxwing/sealed/ohttp.hpp"
#include "waxwing/sealed/padding.hpp"

namespace waxwing::test {

inline constexpr std::uint8_t kKeyId = 7;
inline constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40U;

/// A fixed private key of a worker with its public half.
struct TestKey {
  explicit TestKey(crypto::KemId kem = crypto::KemId::x25519, std::byte fill = std::byte{0x42})
      : private_key(crypto::KemPrivateKey::from_seed(kem, seed(fill)).value()),
        public_key(crypto::KemPublicKey::import(kem, private_key.public_key()).value()) {}

  [[nodiscard]] sealed::ClientExchange client(Random& random, crypto::AeadId aead = crypto::AeadId::aes_256_gcm) const {
    return sealed::OhttpCodec::client(kKeyId, public_key, aead, random).value();
  }
  [[nodiscard]] sealed::WorkerExchange worker(std::uint64_t max_total = kNoLimit) const {
    return sealed::OhttpCodec::worker(
        {kKeyId,
         private_key,
         {crypto::AeadId::aes_128_gcm, crypto::AeadId::aes_256_gcm, crypto::AeadId::chacha20_poly1305}},
        max_total);
  }

  crypto::KemPrivateKey private_key;
  crypto::KemPublicKey public_key;

 private:
  static Secret<32> seed(std::byte fill) {
    ByteArray<32> bytes;
    bytes.fill(fill);
    return Secret<32>(bytes);
  }
};

/// How a stream of bytes is cut into pieces: one size for all, or random sizes from a seed.
class Cutter {
 public:
  static Cutter every(std::size_t size) { return Cutter(size, 0); }
  static Cutter randomly(std::uint64_t seed, std::size_t most = 700) { return Cutter(0, seed, most); }
  static Cutter whole() { return every(static_cast<std::size_t>(-1)); }

  ByteView take(ByteView& from) {
    const std::size_t wish = size_ != 0 ? size_ : 1 + random_() % most_;
    const ByteView piece = from.first(std::min(wish, from.size()));
    from = from.subspan(piece.size());
    return piece;
  }

 private:
  Cutter(std::size_t size, std::uint64_t seed, std::size_t most = 1) : size_(size), most_(most), random_(seed) {}
  std::size_t size_;
  std::size_t most_;
  std::mt19937_64 random_;
};

/// What an opener delivered, and how it ended.
struct Opened {
  std::vector<Bytes> chunks;
  std::optional<Code> failure;
  bool complete = false;

  [[nodiscard]] Bytes plaintext() const {
    Bytes all;
    for (const Bytes& chunk : chunks) append(all, chunk);
    return all;
  }
};

template <class Opener>
Opened open_all(Opener& opener, ByteView wire, Cutter cutter = Cutter::whole()) {
  Opened opened;
  for (;;) {
    ByteView piece = cutter.take(wire);
    const auto input = wire.empty() ? sealed::Input::ended : sealed::Input::open;
    for (;;) {
      auto chunk = opener.next(piece, input);
      if (!chunk) {
        opened.failure = chunk.error().code();
        return opened;
      }
      if (!*chunk) break;
      opened.chunks.push_back(to_bytes((*chunk)->plaintext));
      if ((*chunk)->last == sealed::Last::yes) opened.complete = true;
      if (opened.complete) return opened;
    }
    if (input == sealed::Input::ended) return opened;
  }
}

template <class Sealer>
Bytes seal_all(Sealer& sealer, std::span<const Bytes> chunks) {
  Bytes wire = to_bytes(sealer.header());
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const auto last = i + 1 == chunks.size() ? sealed::Last::yes : sealed::Last::no;
    const ByteView part = chunks[i];
    const std::size_t at = wire.size();
    wire.resize(at + sealed::sealed_size(part.size(), last));
    sealer.seal(std::span(&part, 1), last, MutableByteView(wire).subspan(at)).value();
  }
  return wire;
}

inline Bytes text(std::string_view characters) {
  return to_bytes(as_bytes(characters));
}

inline Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

/// A binary HTTP message as a decoder reports it.
struct Message {
  std::vector<sealed::ResponseHead> informational;
  sealed::RequestHead request;
  sealed::ResponseHead response;
  Bytes content;
  sealed::Fields trailers;
  std::uint64_t padding = 0;
  bool known_length = false;
  friend bool operator==(const Message&, const Message&) = default;
};

inline Result<Message> decode(sealed::bhttp::Kind kind, ByteView bytes, Cutter cutter = Cutter::whole()) {
  using sealed::bhttp::Event;
  sealed::bhttp::Decoder decoder(kind);
  Message message;
  for (;;) {
    ByteView piece = cutter.take(bytes);
    const auto input = bytes.empty() ? sealed::Input::ended : sealed::Input::open;
    for (;;) {
      WAXWING_ASSIGN(const auto step, decoder.next(piece, input));
      if (step.event == Event::need_input) break;
      if (step.event == Event::informational) message.informational.push_back(decoder.response());
      if (step.event == Event::content) append(message.content, step.content);
      if (step.event == Event::end) {
        message.request = decoder.request();
        message.response = decoder.response();
        message.trailers = decoder.trailers();
        message.padding = decoder.padding();
        message.known_length = decoder.is_known_length();
        return message;
      }
    }
  }
}

/// Plaintexts of the chunks a writer made.
class ListSink final : public sealed::ChunkSink {
 public:
  Result<void> chunk(std::span<const ByteView> parts, sealed::Last last) override {
    Bytes all;
    for (const ByteView part : parts) append(all, part);
    chunks.push_back(std::move(all));
    ended = ended || last == sealed::Last::yes;
    return {};
  }
  [[nodiscard]] Bytes joined() const {
    Bytes all;
    for (const Bytes& chunk : chunks) append(all, chunk);
    return all;
  }
  std::vector<Bytes> chunks;
  bool ended = false;
};

}  // namespace waxwing::test
