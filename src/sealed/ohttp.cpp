// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/ohttp.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "ohttp_codec.hpp"
#include "varint.hpp"
#include "waxwing/base/byte_reader.hpp"

namespace waxwing::sealed {
namespace {

constexpr std::string_view kChunkedRequestLabel = "message/bhttp chunked request";
constexpr std::size_t kMinChunkSealed = crypto::kAeadTagSize + 1;

ByteView aad_of(Last last) {
  return last == Last::yes ? as_bytes("final") : ByteView{};
}

std::size_t size_of(std::span<const ByteView> parts) {
  std::size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  return size;
}

// The one place that frames what is sealed, for both directions.
template <class Sealer>
Result<void> seal_chunk(Sealer& sealer, Last& sealed_last, std::span<const ByteView> parts, Last last,
                        MutableByteView out) {
  const std::size_t size = size_of(parts);
  if (sealed_last == Last::yes) return fail(Code::internal, "chunk after the last one");
  if (size > kMaxChunkPlaintext || (size == 0 && last == Last::no)) return fail(Code::internal, "size of a chunk");
  if (out.size() != sealed_size(size, last)) return fail(Code::internal, "room for a chunk");
  sealed_last = last;
  const Varint length(last == Last::yes ? 0 : size + crypto::kAeadTagSize);
  std::ranges::copy(length.view(), out.begin());
  return sealer.seal(aad_of(last), parts, out.subspan(length.view().size()));
}

// The one place that opens what was framed.
template <class Opener>
Result<std::optional<OpenedChunk>> open_chunk(Opener& opener, ChunkFrames& frames, ByteView& wire, Input input) {
  WAXWING_ASSIGN(const auto frame, frames.next(wire, input));
  if (!frame) return std::nullopt;
  const MutableByteView room = frames.room(*frame);
  WAXWING_TRY(opener.open(aad_of(frame->last), frame->sealed, room));
  return OpenedChunk{room, frame->last};
}

// Moves bytes from the front of `wire` until `to` holds `size`. True once it does.
bool fill(Bytes& to, std::size_t size, ByteView& wire) {
  const std::size_t n = std::min(size - to.size(), wire.size());
  append(to, wire.first(n));
  wire = wire.subspan(n);
  return to.size() == size;
}

}  // namespace

std::size_t sealed_size(std::size_t plaintext, Last last) {
  const std::size_t sealed = plaintext + crypto::kAeadTagSize;
  return varint_size(last == Last::yes ? 0 : sealed) + sealed;
}

Bytes encode_request_header(std::uint8_t key_id, crypto::KemId kem, crypto::AeadId aead) {
  Bytes header;
  ByteWriter(header)
      .u8(key_id)
      .u16_be(std::to_underlying(kem))
      .u16_be(crypto::kKdfHkdfSha256)
      .u16_be(std::to_underlying(aead));
  return header;
}

std::size_t response_nonce_size(crypto::AeadId aead) {
  return std::max(crypto::kAeadNonceSize, crypto::aead_key_size(aead));
}

ResponseKeys derive_response_keys(crypto::AeadId aead, const SecretBytes& secret, ByteView salt) {
  const Secret<32> prk = crypto::hkdf_extract(salt, {secret.expose(SecretAccess{})});
  ResponseKeys keys{.key = SecretBytes(crypto::aead_key_size(aead)), .nonce = {}};
  crypto::hkdf_expand(prk, {as_bytes("key")}, keys.key.expose_mutable(SecretAccess{}));
  crypto::hkdf_expand(prk, {as_bytes("nonce")}, keys.nonce);
  return keys;
}

Bytes request_info(std::string_view label, ByteView header) {
  Bytes info;
  ByteWriter(info).bytes(as_bytes(label)).u8(0).bytes(header);
  return info;
}

// --- ChunkFrames ---

Result<std::optional<ChunkFrames::Frame>> ChunkFrames::next(ByteView& wire, Input input) {
  if (failure_) return fail(*failure_, "chunks: failed before");
  auto frame = run(wire, input);
  if (!frame) failure_ = frame.error().code();
  return frame;
}

Result<std::optional<ChunkFrames::Frame>> ChunkFrames::run(ByteView& wire, Input input) {
  const std::size_t given = wire.size();
  if (given > total_left_) return fail(Code::too_large, "chunks: body beyond its limit");
  if (state_ == State::length) WAXWING_TRY(take_length(wire));

  std::optional<Frame> frame;
  if (state_ == State::body && collected_ == 0 && wire.size() >= length_) {
    frame = Frame{wire.first(length_), Last::no};
    wire = wire.subspan(length_);
  } else if (state_ == State::body) {
    collect(wire, length_ - collected_);
    if (collected_ == length_) frame = Frame{{buffer_.get(), collected_}, Last::no};
  } else if (state_ == State::last) {
    if (wire.size() > kMaxChunkSealed - collected_) return fail(Code::too_large, "chunks: last chunk");
    if (collected_ == 0 && input == Input::ended) {
      frame = Frame{std::exchange(wire, {}), Last::yes};
    } else {
      collect(wire, wire.size());
      if (input == Input::ended) frame = Frame{{buffer_.get(), collected_}, Last::yes};
    }
  } else if (state_ == State::ended && !wire.empty()) {
    return fail(Code::open_failed, "chunks: bytes after the last one");
  }

  total_left_ -= given - wire.size();
  if (frame) {
    collected_ = 0;
    state_ = frame->last == Last::yes ? State::ended : State::length;
    if (frame->sealed.size() < crypto::kAeadTagSize) return fail(Code::truncated, "chunks: cut in the last one");
  } else if (input == Input::ended && wire.empty() && state_ != State::ended) {
    return fail(Code::truncated, "chunks: cut before the last one");
  }
  return frame;
}

Result<void> ChunkFrames::take_length(ByteView& wire) {
  while (!wire.empty()) {
    const auto byte = std::to_integer<std::uint8_t>(wire.front());
    wire = wire.subspan(1);
    if (length_left_ == 0) {
      length_left_ = static_cast<std::uint8_t>(1U << (byte >> 6U));
      length_ = byte & 0x3fU;
    } else {
      length_ = length_ << 8U | byte;
    }
    if (--length_left_ != 0) continue;

    if (length_ == 0) {
      state_ = State::last;
      return {};
    }
    if (length_ > kMaxChunkSealed) return fail(Code::too_large, "chunks: length of a chunk");
    if (length_ < kMinChunkSealed) return fail(Code::open_failed, "chunks: too short for a chunk");
    state_ = State::body;
    return {};
  }
  return {};
}

void ChunkFrames::collect(ByteView& wire, std::size_t n) {
  n = std::min(n, wire.size());
  reserve(state_ == State::body ? length_ : collected_ + n);
  if (n != 0) std::memcpy(buffer_.get() + collected_, wire.data(), n);
  collected_ += n;
  wire = wire.subspan(n);
}

// Small answers keep small memory: a stream of events never grows this to a full chunk.
void ChunkFrames::reserve(std::size_t size) {
  if (size <= capacity_) return;
  capacity_ = std::min(std::max(std::bit_ceil(size), std::size_t{512}), kMaxChunkSealed);
  auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity_);
  if (collected_ != 0) std::memcpy(grown.get(), buffer_.get(), collected_);
  buffer_ = std::move(grown);
}

MutableByteView ChunkFrames::room(const Frame& frame) {
  reserve(frame.sealed.size());
  return {buffer_.get(), frame.sealed.size() - crypto::kAeadTagSize};
}

// --- the client ---

ClientExchange::ClientExchange(Bytes header, crypto::AeadId aead, crypto::HpkeSender sender)
    : header_(std::move(header)), aead_(aead), sender_(std::move(sender)) {}

Result<ClientExchange> ClientExchange::start(std::uint8_t key_id, const crypto::KemPublicKey& key, crypto::AeadId aead,
                                             Random& random) {
  Bytes header = encode_request_header(key_id, key.id(), aead);
  const Bytes info = request_info(kChunkedRequestLabel, header);
  WAXWING_ASSIGN(auto sender, crypto::HpkeSender::setup(key, aead, info, random));
  append(header, sender.enc());
  return ClientExchange(std::move(header), aead, std::move(sender));
}

Result<ClientExchange> ClientExchange::begin(const exchange::SessionKey& key, Now now, Random& random) {
  WAXWING_TRY(key.usable(now));
  return start(key.key_id(), key.public_key(), key.aead(), random);
}

Result<void> ClientExchange::seal(std::span<const ByteView> parts, Last last, MutableByteView out) {
  return seal_chunk(sender_, sealed_last_, parts, last, out);
}

ResponseOpener ClientExchange::response(std::uint64_t max_total) const {
  return {aead_, to_bytes(sender_.enc()),
          sender_.export_secret(as_bytes(kChunkedResponseLabel), response_nonce_size(aead_)), max_total};
}

ResponseOpener::ResponseOpener(crypto::AeadId aead, Bytes enc, SecretBytes secret, std::uint64_t max_total)
    : aead_(aead),
      salt_(std::move(enc)),
      salt_size_(salt_.size() + response_nonce_size(aead)),
      secret_(std::move(secret)),
      frames_(max_total) {}

Result<std::optional<OpenedChunk>> ResponseOpener::next(ByteView& wire, Input input) {
  if (failure_) return fail(*failure_, "answer: failed before");
  auto chunk = run(wire, input);
  if (!chunk) failure_ = chunk.error().code();
  return chunk;
}

Result<std::optional<OpenedChunk>> ResponseOpener::run(ByteView& wire, Input input) {
  if (!opener_) {
    if (!fill(salt_, salt_size_, wire)) {
      if (input == Input::ended) return fail(Code::truncated, "answer: cut in its nonce");
      return std::nullopt;
    }
    const ResponseKeys keys = derive_response_keys(aead_, secret_, salt_);
    opener_.emplace(aead_, keys.key.expose(SecretAccess{}), keys.nonce);
    secret_ = {};
    salt_ = {};
  }
  return open_chunk(*opener_, frames_, wire, input);
}

ContextPool::ContextPool(std::shared_ptr<const exchange::SessionKey> key, std::size_t capacity)
    : key_(std::move(key)), capacity_(capacity) {}

Result<ClientExchange> ContextPool::begin(Now now, Random& random) {
  WAXWING_TRY(key_->usable(now));
  {
    const std::scoped_lock lock(mutex_);
    if (!ready_.empty()) {
      ClientExchange exchange = std::move(ready_.back());
      ready_.pop_back();
      return exchange;
    }
  }
  return ClientExchange::begin(*key_, now, random);
}

std::size_t ContextPool::refill(std::size_t most, Now now, Random& random) {
  std::size_t made = 0;
  while (made < most && ready() < capacity_) {
    auto exchange = ClientExchange::begin(*key_, now, random);
    if (!exchange) break;  // begin() will say why when a request asks
    const std::scoped_lock lock(mutex_);
    ready_.push_back(*std::move(exchange));
    ++made;
  }
  return made;
}

std::size_t ContextPool::ready() const {
  const std::scoped_lock lock(mutex_);
  return ready_.size();
}

// --- the worker ---

WorkerExchange::WorkerExchange(std::shared_ptr<const exchange::WorkerKeyRing> ring, const exchange::WorkerId& worker,
                               Now arrived, std::uint64_t max_total)
    : WorkerExchange(
          [ring = std::move(ring), worker, arrived](std::uint8_t id) -> Result<Key> {
            WAXWING_ASSIGN(const exchange::WorkerKeyPtr key, ring->find(worker, id, arrived));
            return Key{key, &key->private_key(), key->aeads()};
          },
          max_total) {}

WorkerExchange OhttpCodec::worker(RawWorkerKey key, std::uint64_t max_total) {
  const auto held = std::make_shared<const RawWorkerKey>(std::move(key));
  return {[held](std::uint8_t id) -> Result<WorkerExchange::Key> {
            if (id != held->id) return fail(Code::key_unknown, "no key of that id");
            return WorkerExchange::Key{held, &held->key, held->aeads};
          },
          max_total};
}

Result<std::optional<OpenedChunk>> WorkerExchange::next(ByteView& wire, Input input) {
  if (failure_) return fail(*failure_, "request: failed before");
  auto chunk = run(wire, input);
  if (!chunk) failure_ = chunk.error().code();
  return chunk;
}

Result<std::optional<OpenedChunk>> WorkerExchange::run(ByteView& wire, Input input) {
  if (!recipient_) {
    WAXWING_TRY(take_header(wire));
    if (!recipient_ && input == Input::ended) return fail(Code::truncated, "request: cut in its header");
    if (!recipient_) return std::nullopt;
  }
  return open_chunk(*recipient_, frames_, wire, input);
}

// 7 bytes name the key, and with it the length of enc, which comes next.
Result<void> WorkerExchange::take_header(ByteView& wire) {
  if (!key_) {
    if (!fill(header_, kRequestHeaderSize, wire)) return {};
    WAXWING_TRY(check_header());
    header_size_ += crypto::kem_sizes(key_->private_key->id()).enc;
  }
  if (!fill(header_, header_size_, wire)) return {};
  const Bytes info = request_info(kChunkedRequestLabel, ByteView(header_).first(kRequestHeaderSize));
  WAXWING_ASSIGN(recipient_, crypto::HpkeRecipient::setup(*key_->private_key, aead_, info, enc()));
  key_.reset();
  find_ = nullptr;
  return {};
}

Result<void> WorkerExchange::check_header() {
  ByteReader in("request header", header_);
  const std::uint8_t id = in.u8();
  const std::uint16_t kem = in.u16_be();
  const std::uint16_t kdf = in.u16_be();
  const std::uint16_t aead = in.u16_be();
  WAXWING_ASSIGN(Key key, find_(id));
  const auto offered = std::ranges::find(key.aeads, aead, [](crypto::AeadId a) { return std::to_underlying(a); });
  if (kem != std::to_underlying(key.private_key->id()) || kdf != crypto::kKdfHkdfSha256 || offered == key.aeads.end())
    return fail(Code::key_unknown, "request header: KEM or suite that was not offered");
  aead_ = *offered;
  key_ = std::move(key);
  return {};
}

ByteView WorkerExchange::enc() const {
  return ByteView(header_).subspan(kRequestHeaderSize);
}

ResponseSealer WorkerExchange::response(Random& random) const {
  const std::size_t size = response_nonce_size(aead_);
  Bytes nonce(size);
  random.fill(nonce);
  Bytes salt = to_bytes(enc());
  append(salt, nonce);
  const SecretBytes secret = recipient_->export_secret(as_bytes(kChunkedResponseLabel), size);
  const ResponseKeys keys = derive_response_keys(aead_, secret, salt);
  return {std::move(nonce), crypto::AeadSealer(aead_, keys.key.expose(SecretAccess{}), keys.nonce)};
}

Result<void> ResponseSealer::seal(std::span<const ByteView> parts, Last last, MutableByteView out) {
  return seal_chunk(sealer_, sealed_last_, parts, last, out);
}

}  // namespace waxwing::sealed
