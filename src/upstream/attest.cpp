// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "sessions.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/net/http_client.hpp"

namespace waxwing::upstream {

namespace native = provider::native;

namespace {

net::TlsTrust trust_of(const ProviderOptions& options) {
  if (options.tls == TlsMode::attested) return net::TlsTrust::attested;
  return options.ca_pem.empty() ? net::TlsTrust::system_cas : net::TlsTrust::given_cas;
}

}  // namespace

Result<void> check(const ProviderOptions& options) {
  const net::Origin& origin = options.url.origin;
  const bool clear = origin.scheme == net::Scheme::http || origin.scheme == net::Scheme::unix_socket;
  if (options.tls == TlsMode::plain && !origin.is_loopback())
    return fail(Code::config_invalid, "tls = \"plain\" is for a gateway on this machine only");
  if (options.tls == TlsMode::plain && !clear)
    return fail(Code::config_invalid, "an https:// URL needs tls = \"webpki\" or \"attested\"");
  if (options.tls != TlsMode::plain && clear)
    return fail(Code::config_invalid, "an http:// or unix: URL needs tls = \"plain\", and is for this machine only");
  if (options.workers == 0) return fail(Code::config_invalid, "workers must be at least 1");
  if (options.client.kems.empty()) return fail(Code::config_invalid, "kem must name at least one key encapsulation");
  return {};
}

native::ClientPolicy client_policy(const ProviderOptions& options) {
  native::ClientPolicy policy = options.client;
  if (options.tls == TlsMode::attested) policy.tls_binding = exchange::Demand::required;
  return policy;
}

Result<std::optional<net::TlsClientContext>> make_tls(const ProviderOptions& options) {
  if (options.tls == TlsMode::plain) return std::optional<net::TlsClientContext>{};
  WAXWING_ASSIGN(auto context, net::TlsClientContext::make({.trust = trust_of(options), .ca_pem = options.ca_pem}));
  return std::optional<net::TlsClientContext>{std::move(context)};
}

namespace {

/// What a failure of HTTP means for an attestation.
Error attestation_error(Error error) {
  const Code code = error.code();
  if (code == Code::io || code == Code::truncated)
    return Error(Code::worker_unreachable, error.text()).with("asking for the evidence");
  if (code == Code::malformed || code == Code::too_large)
    return Error(Code::evidence_malformed, error.text()).with("asking for the evidence");
  return error;
}

net::Task<std::string> ask(net::ClientConnection& client, const net::Url& url, std::string target,
                           net::Deadline deadline) {
  net::RequestHead head;
  head.target = url.path_of(target);
  head.fields = net::Fields{{"host", url.origin.host_field()}, {"accept", "application/json"}};
  WAXWING_CO_TRY(client.start(head, net::BodyLength::none()));
  WAXWING_CO_TRY(co_await client.flush(deadline));
  WAXWING_CO_TRY(co_await client.read_head(deadline));
  const int status = client.response().status;
  if (status != 200) {
    const Code code = status == 429 || status >= 500 ? Code::worker_unreachable : Code::evidence_malformed;
    co_return fail(code, "the address answered the attestation request with status " + std::to_string(status));
  }
  WAXWING_CO_ASSIGN(const Bytes body, co_await client.read_whole_body(exchange::kMaxDocumentSize, deadline));
  co_return std::string(as_text(body));
}

net::Task<native::AttestationAnswer> fetch(const Environment& environment, const ProviderOptions& options,
                                           const net::TlsClientContext* tls) {
  const net::Deadline deadline = environment.loop.deadline_in(options.attest);
  net::DialTarget target{.origin = options.url.origin, .tls = std::nullopt};
  if (tls != nullptr) target.tls = net::TlsPeer{*tls, std::nullopt};
  const net::Deadline connect =
      options.connect < options.attest ? environment.loop.deadline_in(options.connect) : deadline;
  WAXWING_CO_ASSIGN(net::StreamPtr stream, co_await environment.dialer.dial(std::move(target), connect));
  const native::PeerKey peer{stream->peer_spki()};

  // The connection carries this one request, so that nothing else can come before the verdict.
  net::ClientConnection client(std::move(stream), {});
  auto question = native::AttestationQuestion::draw(environment.random, environment.loop.clock().now());
  auto document = co_await ask(client, options.url, question.target(), deadline);
  if (!document) co_return std::unexpected(attestation_error(std::move(document).error()));
  co_return std::move(question).answer(*std::move(document), peer);
}

}  // namespace

net::Task<Attestation> fetch_and_judge(const Environment& environment, const ProviderOptions& options,
                                       const net::TlsClientContext* tls, const appraisal::Policy& policy) {
  WAXWING_CO_ASSIGN(const native::AttestationAnswer answer, co_await fetch(environment, options, tls));
  const native::ClientPolicy client = client_policy(options);
  const native::Trust trust{.policy = policy, .roots = policy.roots, .client = client};
  native::Attested attested = native::judge(answer, trust, environment.loop.clock().now());
  attested.verdict.worker_url = options.url.to_string();
  co_return Attestation{std::move(attested), answer.drawn.boot};
}

net::Task<native::Attested> attest(const Environment& environment, const ProviderOptions& options,
                                   const appraisal::Policy& policy) {
  WAXWING_CO_TRY(check(options));
  WAXWING_CO_ASSIGN(const std::optional<net::TlsClientContext> tls, make_tls(options));
  WAXWING_CO_ASSIGN(Attestation attestation,
                    co_await fetch_and_judge(environment, options, tls ? &*tls : nullptr, policy));
  co_return std::move(attestation.attested);
}

net::Task<appraisal::Verdict> attest_evidence(const Environment& environment, const ProviderOptions& options,
                                              const native::EvidenceRoots& roots) {
  WAXWING_CO_TRY(check(options));
  WAXWING_CO_ASSIGN(const std::optional<net::TlsClientContext> tls, make_tls(options));
  WAXWING_CO_ASSIGN(const native::AttestationAnswer answer,
                    co_await fetch(environment, options, tls ? &*tls : nullptr));
  appraisal::Verdict verdict =
      native::judge_evidence(answer, roots, evidence::sev_snp::CrlPolicy::if_present, environment.loop.clock().now());
  verdict.worker_url = options.url.to_string();
  co_return verdict;
}

}  // namespace waxwing::upstream
