// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// What sealing costs beyond the AEAD: whole bodies, and one event of a stream.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "../../src/sealed/ohttp_codec.hpp"
#include "waxwing/crypto/random.hpp"
#include "waxwing/sealed/message.hpp"

namespace waxwing::sealed {
namespace {

constexpr std::uint8_t kKeyId = 1;
constexpr std::size_t kRead = std::size_t{64} << 10U;  // what the rim hands over at a time

struct Keys {
  crypto::SystemRandom random;
  crypto::KemPrivateKey private_key = crypto::KemPrivateKey::generate(crypto::KemId::x25519, random).value();
  crypto::KemPublicKey public_key =
      crypto::KemPublicKey::import(crypto::KemId::x25519, private_key.public_key()).value();

  ClientExchange client() {
    return OhttpCodec::client(kKeyId, public_key, crypto::AeadId::aes_256_gcm, random).value();
  }
  WorkerExchange worker() {
    return OhttpCodec::worker({kKeyId, private_key, {crypto::AeadId::aes_256_gcm}}, std::uint64_t{1} << 40U);
  }
};

Bytes sealed_request(Keys& keys, std::size_t size) {
  RequestComposer composer(keys.client());
  composer.head({"POST", "https", "a", "/v1/chat/completions", {}}).value();
  composer.content(Bytes(size)).value();
  composer.finish().value();
  return to_bytes(composer.wire().view());
}

void count_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(size));
}

/// A body as the daemon seals it; the encapsulation is outside the loop's time.
void seal_body(benchmark::State& state) {
  Keys keys;
  const Bytes body(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    state.PauseTiming();
    RequestComposer composer(keys.client());
    state.ResumeTiming();
    composer.head({"POST", "https", "a", "/v1/chat/completions", {}}).value();
    for (ByteView rest = body; !rest.empty(); rest = rest.subspan(std::min(rest.size(), kRead))) {
      composer.content(rest.first(std::min(rest.size(), kRead))).value();
      benchmark::DoNotOptimize(composer.wire().view().data());
      composer.wire().clear();
    }
    composer.finish().value();
    benchmark::DoNotOptimize(composer.wire().view().data());
  }
  count_bytes(state, body.size());
}
BENCHMARK(seal_body)->Arg(1 << 10)->Arg(1 << 20)->Arg(16 << 20);

/// A body as the worker opens it, decapsulation included.
void open_body(benchmark::State& state) {
  Keys keys;
  const auto size = static_cast<std::size_t>(state.range(0));
  const Bytes wire = sealed_request(keys, size);
  for (auto _ : state) {
    RequestReader reader(keys.worker());
    std::size_t content = 0;
    for (ByteView rest = wire; !rest.empty();) {
      ByteView piece = rest.first(std::min(rest.size(), kRead));
      rest = rest.subspan(piece.size());
      for (;;) {
        const auto step = reader.next(piece, rest.empty() ? Input::ended : Input::open).value();
        if (step.event == MessageEvent::need_input || step.event == MessageEvent::end) break;
        content += step.content.size();
      }
    }
    if (content != size) state.SkipWithError("wrong size");
  }
  count_bytes(state, size);
}
BENCHMARK(open_body)->Arg(1 << 20)->Arg(16 << 20);

/// One event of some 220 bytes: sealed at the worker and opened at the client, per event. 0 = unpadded.
void stream_event(benchmark::State& state) {
  Keys keys;
  const auto padding = state.range(0) == 0 ? AnswerPadding::none : AnswerPadding::padded;
  const ClientExchange client = keys.client();
  WorkerExchange worker = keys.worker();
  ByteView header = client.header();
  (void)worker.next(header, Input::open);
  AnswerComposer composer(worker.response(keys.random), padding);
  AnswerReader reader(client.response(std::uint64_t{1} << 50U), padding, {.head = {}, .content = ~std::uint64_t{0}});
  composer.head({200, {{"content-type", "text/event-stream"}}}).value();
  const std::string event =
      "data: {\"choices\":[{\"delta\":{\"content\":\"token\"}}]" + std::string(170, ' ') + "}\n\n";
  std::size_t content = 0;
  for (auto _ : state) {
    composer.content(as_bytes(event)).value();
    ByteView wire = composer.wire().view();
    for (;;) {
      const auto step = reader.next(wire, Input::open).value();
      if (step.event == MessageEvent::need_input) break;
      content += step.content.size();
    }
    composer.wire().clear();
  }
  if (content != static_cast<std::size_t>(state.iterations()) * event.size()) state.SkipWithError("wrong size");
}
BENCHMARK(stream_event)->Arg(0)->Arg(1);

}  // namespace
}  // namespace waxwing::sealed

BENCHMARK_MAIN();
