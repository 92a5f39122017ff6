// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing_vectors.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/scripted_random.hpp"
#include "support/simulated_worker.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/exchange/nonce_batch.hpp"
#include "waxwing/exchange/worker_keys.hpp"
#include "waxwing/provider/waxwing/attestation.hpp"
#include "waxwing/provider/waxwing/request.hpp"
#include "waxwing/sealed/message.hpp"

namespace waxwing::test {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
namespace native = provider::native;

/// n bytes that count up from `first`.
Bytes counting(std::size_t n, std::uint8_t first) {
  Bytes bytes(n);
  for (std::byte& b : bytes) b = static_cast<std::byte>(first++);
  return bytes;
}

template <std::size_t N>
ByteArray<N> counted(std::uint8_t first) {
  return to_array<N>(counting(N, first));
}

void add(Bytes& script, std::initializer_list<Bytes> parts) {
  for (const Bytes& part : parts) append(script, part);
}

exchange::Statement sample_statement() {
  exchange::Statement s;
  s.worker = counted<16>(0);
  s.keys = counting(49, 0x40);
  s.engine_reach = exchange::EngineReach::unix_socket;
  s.config_sha256 = counted<32>(0x80);
  s.build = "waxwing-gateway 1.0.0";
  s.features = {"pad-256"};
  s.issued_at = SimulatedWorker::time();
  s.expires_at = s.issued_at + 70min;
  return s;
}

Json statement_case(std::string_view name, const exchange::Statement& statement, const exchange::Nonce& nonce) {
  const Bytes encoded = exchange::encode_statement(statement).value();
  const auto root = exchange::nonce_root(nonce, {}).value();
  return {{"name", name},
          {"statement", as_text(encoded)},
          {"sha512", to_hex(crypto::sha512(encoded))},
          {"nonce", to_hex(nonce)},
          {"nonce_root", to_hex(root)},
          {"report_data", to_hex(exchange::report_data(root, encoded))},
          {"device_nonce", to_hex(exchange::device_nonce(root))}};
}

Json refused(std::string_view name, std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("nothing to change");
  text.replace(at, from.size(), to);
  const auto parsed = exchange::parse_statement(as_bytes(text));
  if (parsed) throw std::logic_error("a statement that should be refused is not");
  return {{"name", name}, {"statement", text}, {"code", to_string(parsed.error().code())}};
}

Json make_statements() {
  const exchange::Statement small = sample_statement();
  exchange::Statement full = small;
  full.ehbp_key = counted<32>(1);
  full.tls_spki_sha256 = counted<32>(2);
  full.devices = {{"nvidia-gpu", counted<32>(3)}, {"nvidia-gpu", counted<32>(4)}};
  full.engine_reach = exchange::EngineReach::remote;
  full.build = "with \"quotes\" and \\";
  full.features = {"pad-256", "later"};

  const std::string text(as_text(exchange::encode_statement(small).value()));
  Json out;
  out["cases"] = {statement_case("no optional member", small, counted<32>(0xc0)),
                  statement_case("every member", full, counted<32>(0x11))};
  out["refused"] = {
      refused("unknown member", text, R"("ext":[])", R"("ext":[],"more":1)"),
      refused("missing member", text, R"("devices":[],)", ""),
      refused("duplicate member", text, R"("ext":[])", R"("ext":[],"ext":[])"),
      refused("ext names a member of the version", text, R"("ext":[])", R"("ext":["keys"])"),
      refused("another version", text, "waxwing/1", "waxwing/2"),
      refused("uppercase hexadecimal", text, "9f\"", "9F\""),
      refused("fraction of a second", text, "12:00:00Z", "12:00:00.0Z"),
      refused("ends before it begins", text, "13:10:00Z", "11:10:00Z"),
      refused("unknown reach", text, "\"unix\"", "\"lan\""),
      refused("padding in base64url", text, "Dw\"", "Dw==\""),
  };
  return out;
}

Json make_tree(std::uint64_t size) {
  exchange::NonceBatch batch(size);
  for (std::uint64_t i = 0; i < size; ++i) {
    (void)batch.add(counted<32>(static_cast<std::uint8_t>(i * 7))).value();
  }
  const exchange::NonceTree tree = batch.close();
  Json out = {{"size", size}, {"nonce_root", to_hex(tree.root())}, {"leaves", Json::array()}};
  for (std::uint64_t i = 0; i < size; ++i) {
    Json nodes = Json::array();
    for (const auto& node : tree.path(i).nodes) nodes.push_back(to_hex(node));
    out["leaves"].push_back(
        {{"index", i}, {"nonce", to_hex(counted<32>(static_cast<std::uint8_t>(i * 7)))}, {"nodes", std::move(nodes)}});
  }
  return out;
}

Json make_trees() {
  Json out;
  for (const std::uint64_t size : {1U, 2U, 3U, 5U, 8U}) out["trees"].push_back(make_tree(size));
  return out;
}

/// All that goes out in one piece.
template <class Composer>
Bytes take(Composer& composer) {
  Bytes wire = to_bytes(composer.wire().view());
  composer.wire().clear();
  return wire;
}

void require(const Result<void>& result) {
  result.value();
}

/// Plaintexts of the chunks, as the worker opens them.
Json opened_chunks(const exchange::WorkerKeys& keys, Now now, ByteView wire) {
  sealed::WorkerExchange worker(keys.ring(), keys.ring()->worker(), now, wire.size());
  Json chunks = Json::array();
  for (sealed::Last last = sealed::Last::no; last == sealed::Last::no;) {
    const auto chunk = worker.next(wire, sealed::Input::ended).value().value();
    chunks.push_back(to_hex(chunk.plaintext));
    last = chunk.last;
  }
  return chunks;
}

/// Reads a request or an answer to its end.
template <class Reader>
std::string read_content(Reader& reader, ByteView wire) {
  std::string content;
  while (true) {
    const auto step = reader.next(wire, sealed::Input::ended).value();
    if (step.event == sealed::MessageEvent::end) return content;
    content += as_text(step.content);
  }
}

constexpr std::string_view kBody = R"({"model":"m","messages":[{"role":"user","content":"hello"}],"stream":true})";
constexpr std::string_view kEvents = "data: {\"choices\":[]}\n\ndata: [DONE]\n\n";

Json make_exchange() {
  const Now now{SimulatedWorker::time(), BootTime(1h)};
  const Bytes worker_id = counting(16, 0xa0);
  const Bytes first_id = counting(1, 0x2a);
  const Bytes key_seed = counting(32, 0x10);
  Bytes script;
  add(script, {worker_id, first_id, key_seed});
  ScriptedRandom worker_random(script);
  const auto keys = exchange::WorkerKeys::create({}, worker_random, now).value();

  exchange::Statement statement = sample_statement();
  statement.worker = keys.ring()->worker();
  statement.keys = keys.ring()->encoded();
  const Bytes encoded = exchange::encode_statement(statement).value();

  const Bytes nonce = counting(32, 0x60);
  const Bytes request_id = counting(16, 0xe0);
  const Bytes encapsulation = counting(64, 0x70);
  Bytes client_script;
  add(client_script, {nonce, request_id, encapsulation});
  ScriptedRandom client_random(client_script);

  auto question = native::AttestationQuestion::draw(client_random, now);
  const std::string target = question.target();
  const auto document = SimulatedWorker::shared().attest(encoded, to_array<32>(nonce));
  const auto answer = std::move(question).answer(exchange::encode_document(document), native::PeerKey{});
  const appraisal::Policy policy = SimulatedWorker::shared().policy();
  const auto attested = native::judge(answer, {.policy = policy, .roots = policy.roots, .client = {}}, now);
  const auto& session = *attested.key.value();

  const native::SealedRequest request(client_random, session.fingerprint(), sealed::AnswerPadding::padded,
                                      std::nullopt);
  sealed::RequestHead head{.method = "POST", .authority = {}, .path = "/v1/chat/completions", .fields = {}};
  head.fields.push_back({"content-type", "application/json"});
  for (auto& field : request.inner_fields(now.wall)) head.fields.push_back(std::move(field));
  sealed::RequestComposer composer(sealed::ClientExchange::begin(session, now, client_random).value());
  require(composer.head(head));
  require(composer.content(as_bytes(kBody)));
  require(composer.finish());
  const Bytes sealed_request = take(composer);

  const Bytes response_nonce = counting(32, 0x90);
  ScriptedRandom answer_random(response_nonce);
  sealed::RequestReader reader(
      sealed::WorkerExchange(keys.ring(), keys.ring()->worker(), now, sealed::RequestReader::max_wire({})));
  if (read_content(reader, sealed_request) != kBody) throw std::logic_error("the request changed on its way");
  sealed::AnswerComposer answer_composer = reader.answer(answer_random);
  require(answer_composer.head({.status = 200, .fields = {{"content-type", "text/event-stream"}}}));
  require(answer_composer.content(as_bytes(kEvents)));
  require(answer_composer.finish());
  const Bytes sealed_answer = take(answer_composer);

  sealed::AnswerReader answer_reader(composer.response(), sealed::AnswerPadding::padded);
  if (read_content(answer_reader, sealed_answer) != kEvents) throw std::logic_error("the answer changed on its way");

  return {
      {"worker", to_hex(worker_id)},
      {"key_id", 0x2a},
      {"key_seed", to_hex(key_seed)},
      {"key_list", to_hex(keys.ring()->encoded())},
      {"statement", as_text(encoded)},
      {"nonce", to_hex(nonce)},
      {"attestation_target", target},
      {"report_data", to_hex(exchange::report_data(exchange::nonce_root(to_array<32>(nonce), {}).value(), encoded))},
      {"request_path", exchange::request_path(session.worker())},
      {"encapsulation_randomness", to_hex(encapsulation)},
      {"request_id", to_hex(request_id)},
      {"request_body", kBody},
      {"request_chunks", opened_chunks(keys, now, sealed_request)},
      {"sealed_request", to_hex(sealed_request)},
      {"response_nonce", to_hex(response_nonce)},
      {"answer_body", kEvents},
      {"sealed_answer", to_hex(sealed_answer)}};
}

}  // namespace

std::map<std::string, Json> make_waxwing_vectors() {
  return {
      {"statements.json", make_statements()}, {"nonce-trees.json", make_trees()}, {"exchange.json", make_exchange()}};
}

}  // namespace waxwing::test
