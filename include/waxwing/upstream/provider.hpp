// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/appraisal/policy.hpp"
#include "waxwing/appraisal/verdict.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/net/dialer.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/relay.hpp"
#include "waxwing/net/url.hpp"
#include "waxwing/provider/waxwing/attestation.hpp"

namespace waxwing::observe {
class Logger;
}

namespace waxwing::upstream {

/// How the way to the worker's edge is protected beside the seal (docs/protocols/waxwing.md section 9).
enum class TlsMode : std::uint8_t {
  webpki,    ///< certificate, name and dates by the machine's CAs, or the given ones
  attested,  ///< any certificate whose key the worker's statement names
  plain,     ///< none; loopback only
};

/// Bytes of request bodies kept for a possible second sending, over all providers. Shared by those that draw on it.
struct ReplayBudget {
  std::size_t left = std::size_t{256} << 20U;
};

struct ProviderOptions {
  std::string name = "default";
  net::Url url;
  TlsMode tls = TlsMode::webpki;
  std::string ca_pem;  ///< webpki: these CAs instead of the machine's; empty: the machine's
  provider::native::ClientPolicy client;
  std::size_t workers = 4;  ///< attested sessions kept per URL
  SecretBytes api_key;      ///< goes inside the seal; empty: what the caller sent does
  std::chrono::nanoseconds connect{std::chrono::seconds(10)};
  std::chrono::nanoseconds attest{std::chrono::seconds(30)};
  std::optional<std::chrono::nanoseconds> first_byte;  ///< of an answer; none: as long as it takes
  std::chrono::nanoseconds idle{std::chrono::minutes(10)};
  std::size_t replay_buffer = std::size_t{4} << 20U;  ///< of one request's body
  std::size_t contexts = 16;                          ///< ready encapsulations per key
  std::chrono::nanoseconds models_cache{std::chrono::seconds(60)};
  std::size_t models_size = std::size_t{4} << 20U;  ///< of a model list
};

/// Code::config_invalid when the options contradict each other (plain to another machine, https with plain, ...).
[[nodiscard]] Result<void> check(const ProviderOptions& options);

/// One request of an app, head only. `fields` may hold anything: only what the provider's list names is sealed and
/// sent.
struct Request {
  std::string method;
  std::string target;  ///< path and query
  const net::Fields& fields;
};

/// What a status surface shows of one session.
struct SessionView {
  std::string worker;  ///< base64url
  std::string label;   ///< of the anchor; empty for a vendor's
  std::string statement_sha256;
  std::uint8_t key_id = 0;
  WallTime not_after;
};
struct Readiness {
  std::vector<SessionView> sessions;  ///< live ones; ready = not empty
  std::optional<Error> last_error;    ///< of the last attestation, when it failed
};

/// Everything a provider borrows; all of it outlives the provider.
struct Environment {
  net::Loop& loop;
  net::Dialer& dialer;
  Random& random;
  observe::Logger& log;
  ReplayBudget& replay;
};

/// Attests one URL once. The verdict is there in every case in which a document arrived; an Error says that none did
/// (Code::worker_unreachable, Code::deadline, Code::evidence_malformed, ...).
[[nodiscard]] net::Task<provider::native::Attested> attest(const Environment& environment,
                                                           const ProviderOptions& options,
                                                           const appraisal::Policy& policy);
/// The same where no policy names the worker: its evidence alone is judged, under these roots.
[[nodiscard]] net::Task<appraisal::Verdict> attest_evidence(const Environment& environment,
                                                            const ProviderOptions& options,
                                                            const provider::native::EvidenceRoots& roots);

/// A provider that speaks waxwing/1: its attested sessions, and requests sealed to them. Lives on one loop.
///
///     Provider provider(environment, std::move(options), std::move(policy));
///     tasks.spawn(provider.maintain());                         // sessions before they are needed, until cancelled
///     WAXWING_CO_TRY(co_await provider.run(request, source, sink));
class Provider {
 public:
  Provider(const Environment& environment, ProviderOptions options, std::shared_ptr<const appraisal::Policy> policy);
  ~Provider();

  [[nodiscard]] const ProviderOptions& options() const;
  /// Makes sessions ahead of need and renews them before they end; one attestation at a time.
  [[nodiscard]] net::Task<> maintain();
  /// Waits until the first session lives, or its attestation has failed.
  [[nodiscard]] net::Task<> first_session(net::Deadline deadline);
  /// Seals the request to an attested worker and relays the answer. An error before sink.started() has left nothing
  /// with the app; one after it means that the answer is incomplete.
  [[nodiscard]] net::Task<> run(Request request, net::BodySource& source, net::AnswerSink& sink);
  /// The worker's GET /v1/models, cached; an old list is better than none when the worker is away. `caller` brings the
  /// credential where the provider has none of its own, and sees only what was fetched with the same one.
  [[nodiscard]] net::Task<std::string> models(const net::Fields& caller);
  [[nodiscard]] Readiness readiness() const;
  /// Of the anchor behind the live sessions; "" for a vendor's, or when none lives.
  [[nodiscard]] std::string label() const;
  /// Of the newest live session.
  [[nodiscard]] std::optional<appraisal::Verdict> last_verdict() const;

  class Sessions;

 private:
  std::unique_ptr<Sessions> sessions_;
  struct Models;
  std::unique_ptr<Models> models_;
};

}  // namespace waxwing::upstream
