// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/ohttp.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace waxwing::test {
namespace {

using crypto::AeadId;
using crypto::KemId;
using sealed::Input;
using sealed::kMaxChunkPlaintext;
using sealed::kMaxChunkSealed;
using sealed::Last;

std::vector<Bytes> random_chunks(std::mt19937_64& random) {
  std::vector<Bytes> chunks;
  for (std::uint64_t left = random() % 5; left > 0; --left)
    chunks.push_back(random_bytes(random, random() % 4 == 0 ? kMaxChunkPlaintext : 1 + random() % 900));
  chunks.push_back(random_bytes(random, random() % 300));
  return chunks;
}

TEST(Ohttp, SealThenOpenIsIdentityForAnyChunksAndAnyCuts) {
  std::mt19937_64 seeds(5);
  CountingRandom random;
  for (const KemId kem : {KemId::x25519, KemId::x_wing}) {
    const TestKey key(kem);
    for (const AeadId aead : {AeadId::aes_128_gcm, AeadId::aes_256_gcm, AeadId::chacha20_poly1305}) {
      for (int round = 0; round < 15; ++round) {
        auto client = key.client(random, aead);
        auto worker = key.worker();
        const auto request = random_chunks(seeds);
        const auto response = random_chunks(seeds);
        const Opened at_worker = open_all(worker, seal_all(client, request), Cutter::randomly(seeds(), 20000));
        EXPECT_EQ(at_worker.chunks, request);
        EXPECT_TRUE(at_worker.complete);
        auto answer = worker.response(random);
        auto opener = client.response();
        const Opened at_client = open_all(opener, seal_all(answer, response), Cutter::randomly(seeds(), 300));
        EXPECT_EQ(at_client.chunks, response);
        EXPECT_TRUE(at_client.complete);
      }
    }
  }
}

TEST(Ohttp, SealsFromSeveralPartsAsFromOne) {
  const TestKey key;
  const Bytes data = text("one two three");
  const std::array<ByteView, 4> parts = {ByteView(data).first(3), ByteView{}, ByteView(data).subspan(3, 4),
                                         ByteView(data).subspan(7)};
  CountingRandom same(9);
  CountingRandom again(9);
  auto a = key.client(same);
  auto b = key.client(again);
  Bytes from_parts(sealed::sealed_size(data.size(), Last::no));
  a.seal(parts, Last::no, from_parts).value();
  Bytes from_one(from_parts.size());
  const ByteView one = data;
  b.seal(std::span(&one, 1), Last::no, from_one).value();
  EXPECT_EQ(from_parts, from_one);
}

TEST(Ohttp, AnswersMayBeginBeforeTheRequestIsComplete) {
  const TestKey key;
  CountingRandom random;
  auto client = key.client(random);
  auto worker = key.worker();
  ByteView header = client.header();
  EXPECT_FALSE(worker.next(header, Input::open).value());
  ASSERT_TRUE(worker.is_keyed());
  auto answer = worker.response(random);
  const std::vector<Bytes> early = {text("early"), {}};
  auto opener = client.response();
  EXPECT_EQ(open_all(opener, seal_all(answer, early)).chunks, early);
}

TEST(Ohttp, RefusesAnyFlippedBitOfARequest) {
  const TestKey key;
  CountingRandom random;
  auto client = key.client(random);
  const std::vector<Bytes> chunks = {text("first"), text("second"), text("last")};
  const Bytes wire = seal_all(client, chunks);
  for (std::size_t bit = 0; bit < 8 * wire.size(); ++bit) {
    Bytes flipped = wire;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    auto worker = key.worker();
    const Opened opened = open_all(worker, flipped);
    EXPECT_TRUE(opened.failure) << bit;
    EXPECT_FALSE(opened.complete) << bit;
    // Whatever was delivered is what was sealed.
    ASSERT_LE(opened.chunks.size(), chunks.size());
    for (std::size_t i = 0; i < opened.chunks.size(); ++i) EXPECT_EQ(opened.chunks[i], chunks[i]);
  }
}

TEST(Ohttp, RefusesAnyFlippedBitOfAnAnswer) {
  const TestKey key;
  CountingRandom random;
  auto client = key.client(random);
  auto worker = key.worker();
  ByteView header = client.header();
  (void)worker.next(header, Input::open);
  auto sealer = worker.response(random);
  const std::vector<Bytes> chunks = {text("first"), text("last")};
  const Bytes wire = seal_all(sealer, chunks);
  for (std::size_t bit = 0; bit < 8 * wire.size(); ++bit) {
    Bytes flipped = wire;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    auto opener = client.response();
    const Opened opened = open_all(opener, flipped);
    EXPECT_TRUE(opened.failure) << bit;
  }
}

TEST(Ohttp, RefusesTruncationAtEveryByte) {
  const TestKey key;
  CountingRandom random;
  auto client = key.client(random);
  const std::vector<Bytes> chunks = {text("first"), text("second"), {}};
  const Bytes request = seal_all(client, chunks);
  for (std::size_t size = 0; size < request.size(); ++size)
    for (const Cutter& cutter : {Cutter::whole(), Cutter::every(1), Cutter::every(50)}) {
      auto worker = key.worker();
      const Opened opened = open_all(worker, ByteView(request).first(size), cutter);
      EXPECT_FALSE(opened.complete);
      EXPECT_TRUE(opened.failure == Code::truncated || opened.failure == Code::open_failed) << size;
    }

  auto worker = key.worker();
  (void)open_all(worker, request);
  auto sealer = worker.response(random);
  const Bytes answer = seal_all(sealer, chunks);
  for (std::size_t size = 0; size < answer.size(); ++size) {
    auto opener = client.response();
    const Opened opened = open_all(opener, ByteView(answer).first(size));
    EXPECT_FALSE(opened.complete);
    EXPECT_TRUE(opened.failure == Code::truncated || opened.failure == Code::open_failed) << size;
  }
}

TEST(Ohttp, TakesAFullChunkAndNotOneByteMore) {
  sealed::ChunkFrames frames(kNoLimit);
  Bytes wire = {std::byte{0x80}, std::byte{0}, std::byte{kMaxChunkSealed >> 8U}, std::byte{kMaxChunkSealed & 0xffU}};
  wire.resize(4 + kMaxChunkSealed);
  ByteView in = wire;
  EXPECT_EQ(frames.next(in, Input::open).value()->sealed.size(), kMaxChunkSealed);

  wire[3] |= std::byte{1};
  in = wire;
  sealed::ChunkFrames other(kNoLimit);
  EXPECT_EQ(other.next(in, Input::open).error().code(), Code::too_large);

  // The last chunk has no length: the limit falls on its bytes, one by one or together.
  Bytes last = {std::byte{0}};
  last.resize(1 + kMaxChunkSealed + 1);
  for (const std::size_t piece : {std::size_t{1000}, last.size()}) {
    sealed::ChunkFrames ended(kNoLimit);
    ByteView rest = last;
    Result<std::optional<sealed::ChunkFrames::Frame>> frame = std::nullopt;
    while (!rest.empty() && frame) {
      ByteView part = rest.first(std::min(piece, rest.size()));
      rest = rest.subspan(part.size());
      frame = ended.next(part, rest.empty() ? Input::ended : Input::open);
    }
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code(), Code::too_large);
  }
}

TEST(Ohttp, StopsAtTheTotalLimit) {
  const TestKey key;
  CountingRandom random;
  auto client = key.client(random);
  const std::vector<Bytes> chunks(10, Bytes(1000));
  const Bytes wire = seal_all(client, chunks);
  const std::size_t body = wire.size() - client.header().size();
  auto enough = key.worker(body);
  EXPECT_TRUE(open_all(enough, wire, Cutter::every(100)).complete);
  auto short_by_one = key.worker(body - 1);
  EXPECT_EQ(open_all(short_by_one, wire, Cutter::every(100)).failure, Code::too_large);
}

TEST(Ohttp, IsDeadAfterAFailure) {
  const TestKey key;
  CountingRandom random;
  auto client = key.client(random);
  const std::vector<Bytes> chunks = {text("first"), text("second"), {}};
  Bytes wire = seal_all(client, chunks);
  wire[client.header().size() + 3] ^= std::byte{1};
  auto worker = key.worker();
  EXPECT_EQ(open_all(worker, wire).failure, Code::open_failed);
  // The rest would open with the right sequence number; it is not tried.
  ByteView rest = ByteView(wire).subspan(client.header().size() + 1 + 5 + 16);
  EXPECT_FALSE(worker.next(rest, Input::ended));
}

TEST(Ohttp, ReportsAKeyErrorForWhatWasNotOfferedOnly) {
  const TestKey key;
  CountingRandom random;
  const std::vector<Bytes> chunks = {{}};
  auto client = key.client(random);
  const Bytes wire = seal_all(client, chunks);
  const auto failure_with = [&](std::size_t at, std::byte value, std::vector<AeadId> offered) {
    Bytes changed = wire;
    changed[at] = value;
    auto worker = sealed::OhttpCodec::worker({kKeyId, key.private_key, std::move(offered)}, kNoLimit);
    return open_all(worker, changed, Cutter::every(1)).failure;
  };
  const std::vector<AeadId> both = {AeadId::aes_256_gcm, AeadId::chacha20_poly1305};
  EXPECT_EQ(failure_with(0, std::byte{kKeyId}, both), std::nullopt);
  EXPECT_EQ(failure_with(0, std::byte{kKeyId + 1}, both), Code::key_unknown);
  EXPECT_EQ(failure_with(2, std::byte{0x10}, both), Code::key_unknown);  // another KEM
  EXPECT_EQ(failure_with(4, std::byte{3}, both), Code::key_unknown);     // another KDF
  EXPECT_EQ(failure_with(6, std::byte{1}, both), Code::key_unknown);     // an AEAD not offered
  EXPECT_EQ(failure_with(6, std::byte{3}, both), Code::open_failed);     // another one that was
  EXPECT_EQ(failure_with(6, std::byte{2}, {AeadId::chacha20_poly1305}), Code::key_unknown);
}

TEST(Ohttp, EveryExchangeHasItsOwnEncapsulation) {
  const TestKey key;
  CountingRandom random;
  const auto a = key.client(random);
  const auto b = key.client(random);
  EXPECT_NE(to_bytes(a.header()), to_bytes(b.header()));
}

TEST(Ohttp, SealsNothingAfterTheLastChunkAndNoEmptyOneBefore) {
  const TestKey key;
  CountingRandom random;
  auto client = key.client(random);
  Bytes room(sealed::sealed_size(0, Last::no));
  EXPECT_EQ(client.seal({}, Last::no, room).error().code(), Code::internal);
  const Bytes big(kMaxChunkPlaintext + 1);
  const ByteView part = big;
  Bytes big_room(sealed::sealed_size(big.size(), Last::no));
  EXPECT_FALSE(client.seal(std::span(&part, 1), Last::no, big_room));
  Bytes last(sealed::sealed_size(0, Last::yes));
  EXPECT_TRUE(client.seal({}, Last::yes, last));
  EXPECT_FALSE(client.seal({}, Last::yes, last));
}

}  // namespace
}  // namespace waxwing::test
