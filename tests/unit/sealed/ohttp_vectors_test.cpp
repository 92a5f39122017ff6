// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "support.hpp"
#include "support/vectors.hpp"
#include "waxwing/base/byte_reader.hpp"
#include "waxwing/crypto/key_config.hpp"

namespace waxwing::test {
namespace {

using crypto::AeadId;
using crypto::KemId;
using nlohmann::json;
using sealed::OhttpCodec;

// Different writers of these files name some members differently.
const json& member(const json& vector, std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (vector.contains(name)) return vector[name];
  throw std::out_of_range(*names.begin());
}

std::vector<Bytes> list_of(const json& values) {
  std::vector<Bytes> list;
  for (const json& value : values) list.push_back(hex(value));
  return list;
}

Bytes joined(const std::vector<Bytes>& chunks) {
  Bytes all;
  for (const Bytes& chunk : chunks) append(all, chunk);
  return all;
}

Secret<32> secret32(const json& value) {
  const Bytes bytes = hex(value);
  return Secret<32>(std::span<const std::byte, 32>(bytes));
}

// Whether every length of a chunked body is in its shortest form; what a sender can be asked to reproduce.
bool has_shortest_lengths(ByteView body) {
  ByteReader in("chunks", body);
  while (in.remaining() != 0) {
    const std::size_t before = in.position();
    const std::uint64_t length = in.varint();
    if (in.position() - before != varint_size(length)) return false;
    if (length == 0) return true;
    in.bytes(length);
  }
  return true;
}

// One case of an exchanges file, with its keys.
struct Case {
  explicit Case(const json& v)
      : vector(v),
        kem(v["kem_id"].get<KemId>()),
        aead(v["aead_id"].get<AeadId>()),
        chunked(v["form"] == "chunked"),
        config(crypto::parse_key_config(hex(v["key_config"])).value()),
        private_key(crypto::KemPrivateKey::from_seed(kem, secret32(v["skR"])).value()),
        request(hex(member(v, {"request", "enc_request"}))),
        response(hex(member(v, {"response", "enc_response"}))),
        enc(hex(v["enc"])) {
    if (v.contains("rnd") || v.contains("skE")) randomness = hex(member(v, {"rnd", "skE"}));
  }
  [[nodiscard]] sealed::RawWorkerKey worker_key() const { return {config.key_id, private_key, config.aeads}; }
  [[nodiscard]] std::size_t body_at() const { return sealed::kRequestHeaderSize + crypto::kem_sizes(kem).enc; }

  json vector;
  KemId kem;
  AeadId aead;
  bool chunked;
  crypto::KeyConfig config;
  crypto::KemPrivateKey private_key;
  Bytes request;
  Bytes response;
  Bytes enc;
  std::optional<Bytes> randomness;  ///< none: the case is for receiving only
};

std::vector<Cutter> cutters(std::size_t size) {
  std::vector<Cutter> all = {Cutter::whole(), Cutter::randomly(11), Cutter::randomly(12, 5000)};
  if (size < 6000) all.push_back(Cutter::every(1));
  return all;
}

void check_intermediate_values(const Case& c) {
  const json& v = c.vector;
  if (v.contains("info")) {
    const auto label = c.chunked ? "message/bhttp chunked request" : "message/bhttp request";
    EXPECT_EQ(sealed::request_info(label, sealed::encode_request_header(c.config.key_id, c.kem, c.aead)),
              hex(v["info"]));
  }
  if (v.contains("shared_secret")) {
    const Secret<32> shared = c.private_key.decapsulate(c.enc).value();
    EXPECT_TRUE(shared == secret32(v["shared_secret"]));
    if (v.contains("hpke_key")) {
      const auto schedule = crypto::hpke_key_schedule(c.kem, c.aead, shared, hex(v["info"]));
      EXPECT_TRUE(schedule.key == SecretBytes(ByteView(hex(v["hpke_key"]))));
      EXPECT_EQ(to_bytes(schedule.base_nonce), hex(v["hpke_base_nonce"]));
      EXPECT_TRUE(schedule.exporter == secret32(v["exporter_secret"]));
    }
  }
  Bytes salt = c.enc;
  append(salt, hex(v["response_nonce"]));
  const SecretBytes exported(ByteView(hex(v["exported_secret"])));
  EXPECT_EQ(exported.size(), sealed::response_nonce_size(c.aead));
  const auto keys = sealed::derive_response_keys(c.aead, exported, salt);
  if (v.contains("response_key") || v.contains("aead_key")) {
    EXPECT_TRUE(keys.key == SecretBytes(ByteView(hex(member(v, {"response_key", "aead_key"})))));
    EXPECT_EQ(to_bytes(keys.nonce), hex(member(v, {"response_base_nonce", "aead_nonce"})));
    EXPECT_TRUE(crypto::hkdf_extract(salt, {exported.expose(SecretAccess{})}) ==
                secret32(member(v, {"response_prk", "prk"})));
  }
}

void check_chunked(const Case& c) {
  const auto request_chunks = list_of(c.vector["request_chunks"]);
  const auto response_chunks = list_of(c.vector["response_chunks"]);
  EXPECT_EQ(joined(request_chunks), hex(c.vector["request_bhttp"]));
  const SecretBytes exported(ByteView(hex(c.vector["exported_secret"])));

  for (const Cutter& cutter : cutters(c.request.size())) {
    auto worker = OhttpCodec::worker(c.worker_key(), kNoLimit);
    const Opened opened = open_all(worker, c.request, cutter);
    EXPECT_EQ(opened.failure, std::nullopt);
    EXPECT_TRUE(opened.complete);
    EXPECT_EQ(opened.chunks, request_chunks);
    EXPECT_EQ(to_bytes(worker.enc()), c.enc);
  }
  for (const Cutter& cutter : cutters(c.response.size())) {
    auto opener = OhttpCodec::response_opener(c.aead, c.enc, SecretBytes(exported.expose(SecretAccess{})));
    const Opened opened = open_all(opener, c.response, cutter);
    EXPECT_EQ(opened.failure, std::nullopt);
    EXPECT_TRUE(opened.complete);
    EXPECT_EQ(opened.chunks, response_chunks);
  }

  // The worker's sealer: deterministic with the given nonce.
  auto worker = OhttpCodec::worker(c.worker_key(), kNoLimit);
  (void)open_all(worker, c.request);
  ScriptedRandom nonce(hex(c.vector["response_nonce"]));
  auto answer = worker.response(nonce);
  const Bytes response = seal_all(answer, response_chunks);
  EXPECT_EQ(nonce.left(), 0U);
  if (has_shortest_lengths(ByteView(c.response).subspan(sealed::response_nonce_size(c.aead))))
    EXPECT_EQ(response, c.response);

  if (!c.randomness) return;
  ScriptedRandom randomness(*c.randomness);
  auto client = OhttpCodec::client(c.config.key_id, c.config.public_key, c.aead, randomness).value();
  EXPECT_EQ(randomness.left(), 0U);
  const Bytes request = seal_all(client, request_chunks);
  EXPECT_EQ(Bytes(request.begin(), request.begin() + static_cast<std::ptrdiff_t>(c.body_at())),
            Bytes(c.request.begin(), c.request.begin() + static_cast<std::ptrdiff_t>(c.body_at())));
  if (has_shortest_lengths(ByteView(c.request).subspan(c.body_at()))) EXPECT_EQ(request, c.request);
  auto opener = client.response();
  EXPECT_EQ(open_all(opener, response).chunks, response_chunks);
}

void check_whole(const Case& c) {
  const Bytes request_bhttp = hex(c.vector["request_bhttp"]);
  const Bytes response_bhttp = hex(c.vector["response_bhttp"]);
  auto opened = OhttpCodec::open_request(c.worker_key(), c.request);
  ASSERT_TRUE(opened) << opened.error().describe();
  EXPECT_EQ(opened->request, request_bhttp);
  EXPECT_EQ(opened->enc, c.enc);
  ScriptedRandom nonce(hex(c.vector["response_nonce"]));
  EXPECT_EQ(OhttpCodec::seal_response(*opened, response_bhttp, nonce).value(), c.response);
  if (!c.randomness) return;
  ScriptedRandom randomness(*c.randomness);
  const auto sealed =
      OhttpCodec::seal_request(c.config.key_id, c.config.public_key, c.aead, request_bhttp, randomness).value();
  EXPECT_EQ(sealed.sealed, c.request);
  EXPECT_EQ(OhttpCodec::open_response(sealed.sender, c.aead, c.response).value(), response_bhttp);
}

void check_bodies(const Case& c) {
  EXPECT_TRUE(decode(sealed::bhttp::Kind::request, hex(c.vector["request_bhttp"])));
  EXPECT_TRUE(decode(sealed::bhttp::Kind::response, hex(c.vector["response_bhttp"])));
}

class Exchanges : public testing::TestWithParam<const char*> {};

TEST_P(Exchanges, OpenAndSealByteForByte) {
  WAXWING_VECTORS_OR_SKIP(file, GetParam());
  for (const json& vector : file["vectors"]) {
    SCOPED_TRACE(vector["name"].get<std::string>());
    const Case c(vector);
    check_intermediate_values(c);
    if (c.chunked)
      check_chunked(c);
    else
      check_whole(c);
    check_bodies(c);
  }
}

INSTANTIATE_TEST_SUITE_P(Ohttp, Exchanges,
                         testing::Values("ohttp/exchanges.json", "ohttp/exchanges-libraries.json",
                                         "ohttp/published.json"));

// --- negatives ---

struct Outcome {
  std::optional<Code> failure;
  std::vector<Bytes> delivered;
};

Outcome at_gateway(const json& v, ByteView input, const Cutter& cutter) {
  const auto config = crypto::parse_key_config(hex(v["key_config"])).value();
  const auto key = crypto::KemPrivateKey::from_seed(v["kem_id"].get<KemId>(), secret32(v["skR"])).value();
  const sealed::RawWorkerKey worker_key{config.key_id, key, config.aeads};
  if (v["form"] == "whole") {
    auto opened = OhttpCodec::open_request(worker_key, input);
    if (!opened) return {opened.error().code(), {}};
    return {std::nullopt, {std::move(opened->request)}};
  }
  auto worker = OhttpCodec::worker(worker_key, kNoLimit);
  Opened opened = open_all(worker, input, cutter);
  EXPECT_TRUE(opened.complete || opened.failure);
  return {opened.failure, std::move(opened.chunks)};
}

Outcome at_client(const json& v, ByteView input, const Cutter& cutter) {
  const auto config = crypto::parse_key_config(hex(v["key_config"])).value();
  const auto aead = v["aead_id"].get<AeadId>();
  ScriptedRandom randomness(hex(v["rnd"]));
  const auto sender = crypto::HpkeSender::setup(config.public_key, aead, hex(v["info"]), randomness).value();
  EXPECT_EQ(to_bytes(sender.enc()), hex(v["enc"]));
  if (v["form"] == "whole") {
    auto response = OhttpCodec::open_response(sender, aead, input);
    if (!response) return {response.error().code(), {}};
    return {std::nullopt, {*std::move(response)}};
  }
  auto secret = sender.export_secret(as_bytes(sealed::kChunkedResponseLabel), sealed::response_nonce_size(aead));
  auto opener = OhttpCodec::response_opener(aead, to_bytes(sender.enc()), std::move(secret));
  Opened opened = open_all(opener, input, cutter);
  EXPECT_TRUE(opened.complete || opened.failure);
  return {opened.failure, std::move(opened.chunks)};
}

void judge(const json& verdict, const Outcome& outcome) {
  const auto code = verdict["code"].get<std::string>();
  if (code == "ok") {
    EXPECT_EQ(outcome.failure, std::nullopt);
    EXPECT_EQ(joined(outcome.delivered), hex(verdict["plaintext"]));
    return;
  }
  ASSERT_TRUE(outcome.failure) << "accepted";
  EXPECT_EQ(*outcome.failure == Code::key_unknown, code == "key");
  const auto authentic = list_of(verdict["authenticated_chunks"]);
  ASSERT_LE(outcome.delivered.size(), authentic.size());
  EXPECT_TRUE(std::ranges::equal(outcome.delivered, std::span(authentic).first(outcome.delivered.size())));
}

TEST(OhttpNegatives, EachInputGetsItsVerdictHoweverItIsCut) {
  WAXWING_VECTORS_OR_SKIP(file, "ohttp/negatives.json");
  for (const json& vector : file["vectors"]) {
    SCOPED_TRACE(vector["name"].get<std::string>());
    const Bytes input = hex(vector["input"]);
    const bool gateway = vector["side"] == "gateway";
    for (const Cutter& cutter : cutters(input.size())) {
      const Outcome outcome = gateway ? at_gateway(vector, input, cutter) : at_client(vector, input, cutter);
      judge(vector["verdict"], outcome);
    }
  }
}

// --- key configurations ---

TEST(KeyConfigVectors, ParseOrRefuseAsEachCaseSays) {
  WAXWING_VECTORS_OR_SKIP(file, "ohttp/key-configs.json");
  CountingRandom random;
  for (const json& vector : file["vectors"]) {
    SCOPED_TRACE(vector["name"].get<std::string>());
    const Bytes data = hex(vector["data"]);
    std::vector<crypto::KeyConfig> usable;
    std::optional<Code> failure;
    if (vector["kind"] == "list") {
      auto list = crypto::parse_key_list(data);
      if (list)
        usable = *std::move(list);
      else
        failure = list.error().code();
    } else {
      auto single = crypto::parse_key_config(data);
      if (single)
        usable.push_back(*std::move(single));
      else
        failure = single.error().code();
    }
    const auto verdict = vector["verdict"].get<std::string>();
    const auto count = vector["usable"].get<std::size_t>();
    if (verdict == "ok") {
      EXPECT_EQ(failure, std::nullopt);
      EXPECT_EQ(usable.size(), count);
    } else if (verdict == "unsupported") {
      EXPECT_EQ(failure, Code::unsupported);
    } else if (verdict == "implementation-choice") {
      if (!failure) EXPECT_EQ(usable.size(), count);
    } else if (verdict == "error-at-encapsulation") {
      for (const auto& config : usable) EXPECT_FALSE(config.public_key.encapsulate(random));
    } else {
      EXPECT_TRUE(failure && *failure != Code::unsupported) << "accepted or called unsupported";
    }
    // What parsed encodes to what was read.
    for (const auto& config : usable) {
      const auto again = crypto::parse_key_config(config.encoding);
      ASSERT_TRUE(again);
      EXPECT_EQ(again->encoding, config.encoding);
    }
  }
}

}  // namespace
}  // namespace waxwing::test
