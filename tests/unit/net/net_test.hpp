// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "waxwing/base/clock.hpp"
#include "waxwing/crypto/certificate_builder.hpp"
#include "waxwing/crypto/x509.hpp"
#include "waxwing/net/acceptor.hpp"
#include "waxwing/net/dialer.hpp"
#include "waxwing/net/event.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/stream.hpp"
#include "waxwing/net/task_group.hpp"
#include "waxwing/net/tls.hpp"

namespace waxwing::net {

using namespace std::chrono_literals;

/// In a coroutine of a test: the value, or the task ends with the error (which run() then shows).
#define ASSERT_CO(condition)                                                                \
  do {                                                                                      \
    if (!(condition)) co_return fail(Code::internal, std::string("not so: ") + #condition); \
  } while (false)

/// A loop whose clock stands still and whose deadlines pass only when a test says so.
class NetTest : public ::testing::Test {
 protected:
  /// Runs a task to its end, with whatever it spawns.
  Result<void> run(Task<> task) {
    Result<void> result = fail(Code::internal, "the task did not end");
    TaskGroup group(loop);
    group.spawn(keep_result(std::move(task), result));
    loop.run();
    EXPECT_EQ(group.running(), 0U);
    return result;
  }
  void expect_ok(Task<> task) {
    const auto result = run(std::move(task));
    EXPECT_TRUE(result) << result.error().describe();
  }
  /// Lets time pass, as seen by deadlines.
  void pass(std::chrono::nanoseconds time) {
    clock.advance(time);
    loop.sweep();
  }

  FakeClock clock{from_unix(1'800'000'000)};
  Loop loop{clock, {.sweep_period = 250ms, .sweep = Loop::SweepMode::manual}};

 private:
  static Task<> keep_result(Task<> task, Result<void>& result) {
    result = co_await std::move(task);
    co_return Result<void>{};
  }
};

/// One trip through the loop's queue: whatever is ready runs first.
inline Task<> turn(Loop& loop) {
  Event event(loop);
  event.signal();
  co_return to_result(co_await event.wait(Deadline::none()), "yielding");
}

/// Runs `work` while `background` goes on, which is then cancelled and joined.
inline Task<> beside(Loop& loop, Task<> background, Task<> work) {
  TaskGroup group(loop);
  group.spawn(std::move(background));
  auto result = co_await std::move(work);
  group.cancel_all();
  const auto joined = co_await group.join(Deadline::none());
  co_return result ? joined : result;
}

/// Reads everything up to the peer's end.
inline Task<std::string> read_all(Stream& stream) {
  std::string text;
  Bytes buffer(64U << 10U);
  for (;;) {
    WAXWING_CO_ASSIGN(const std::size_t n, co_await stream.read_some(buffer, Deadline::none()));
    if (n == 0) co_return text;
    text += as_text(ByteView(buffer).first(n));
  }
}

/// Reads until `text` ends in `suffix`.
inline Task<std::string> read_until(Stream& stream, std::string_view suffix) {
  std::string text;
  Bytes one(1);
  while (!text.ends_with(suffix)) {
    WAXWING_CO_ASSIGN(const std::size_t n, co_await stream.read_some(one, Deadline::none()));
    if (n == 0) co_return fail(Code::truncated, "ended after: " + text);
    text += as_text(one);
  }
  co_return text;
}

inline Task<> write_text(Stream& stream, std::string_view text) {
  co_return co_await stream.write_all(as_bytes(text), Deadline::none());
}

inline Acceptor listen_on_loopback(Loop& loop) {
  return Acceptor::listen(loop, ListenAddress{"127.0.0.1", 0, {}}).value();
}

inline Origin origin_of(const Acceptor& acceptor, Scheme scheme) {
  return Origin{scheme, acceptor.address().host, acceptor.address().port, {}};
}

/// A self-signed server certificate with its key, as PEM.
struct ServerIdentity {
  std::string chain;
  SecretBytes key;
  crypto::Sha256Digest spki;

  static ServerIdentity make(std::string name = "127.0.0.1") {
    auto key = crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p256).value();
    const crypto::DistinguishedName subject{{"CN", name}};
    const Bytes loopback{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}};
    const std::vector<std::string> dns{"gateway.test"};
    const std::vector<Bytes> addresses{loopback};
    crypto::CertificateBuilder builder;
    builder.serial(1)
        .subject(subject)
        .issuer(subject)
        .validity(from_unix(1'000'000'000), from_unix(4'000'000'000))
        .public_key(key.public_key())
        .extension(crypto::basic_constraints_ca())
        .extension(crypto::subject_alt_names(dns, addresses));
    const Bytes der = builder.sign(key, crypto::SignatureScheme::ecdsa).value();
    return {crypto::to_pem("CERTIFICATE", der), key.to_pkcs8_pem().value(),
            crypto::Certificate::from_der(der)->spki_sha256()};
  }
  [[nodiscard]] TlsServerContext server() const { return TlsServerContext::from_pem(chain, key).value(); }
};

inline TlsClientContext attested_client() {
  return TlsClientContext::make({.trust = TlsTrust::attested, .ca_pem = {}}).value();
}

}  // namespace waxwing::net
