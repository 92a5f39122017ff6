// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway/gateway.hpp"

#include <optional>
#include <utility>

#include "sealed_request.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/certificate_builder.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/crypto/signing_key.hpp"
#include "waxwing/dialect/endpoints.hpp"

namespace waxwing::gateway {
namespace {

/// Sources whose failures are counted one by one.
constexpr std::size_t kCountedSources = 65536;

enum Status : int {
  ok = 200,
  bad_request = 400,
  not_found = 404,
  method_not_allowed = 405,
  unsupported_media_type = 415,
  misdirected = 421,
  too_many_requests = 429,
  unavailable = 503,
};

/// An answer in the clear, which says nothing but its status and how to go on.
net::Task<> plain(net::ServerConnection& connection, Status status, std::string_view title, net::Fields fields,
                  net::Deadline deadline) {
  fields.add("content-type", "application/problem+json");
  fields.add("cache-control", "no-store");
  const std::string body = R"({"title":")" + std::string(title) + R"("})";
  co_return co_await connection.respond(status, std::move(fields), as_bytes(body), deadline);
}

std::optional<exchange::Nonce> nonce_of(std::string_view query) {
  constexpr std::string_view kName = "nonce=";
  if (!query.starts_with(kName)) return std::nullopt;
  const auto nonce = exchange::parse_nonce(query.substr(kName.size()));
  if (!nonce) return std::nullopt;
  return *nonce;
}

std::string_view bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) ? authorization.substr(kScheme.size()) : authorization;
}

}  // namespace

Result<ExtraPath> parse_extra_path(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || space == 0) {
    return fail(Code::config_invalid, "must be a method, a space and a path: \"POST /tokenize\"");
  }
  const std::string_view method = text.substr(0, space);
  for (const char c : method) {
    if (c < 'A' || c > 'Z') return fail(Code::config_invalid, "the method must be in capital letters");
  }
  const auto target = dialect::parse_target(text.substr(space + 1));
  if (!target) return fail(Code::config_invalid, "the path is not normalised: " + target.error().text());
  if (target->path.size() != text.size() - space - 1) return fail(Code::config_invalid, "the path must have no query");
  return ExtraPath{std::string(method), std::string(target->path)};
}

Result<ClientKeys> ClientKeys::parse(std::string_view text) {
  ClientKeys keys;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    constexpr std::size_t kShortest = 16;
    if (colon == std::string_view::npos || colon == 0 || line.size() - colon - 1 < kShortest) {
      return fail(Code::config_invalid,
                  "line " + std::to_string(line_number) +
                      " of the client keys is not \"name:key\" with a key of 16 characters or more");
    }
    keys.entries_.push_back({std::string(line.substr(0, colon)), crypto::sha256(as_bytes(line.substr(colon + 1)))});
  }
  if (keys.empty()) return fail(Code::config_invalid, "the file of client keys holds none");
  return keys;
}

const std::string* ClientKeys::find(std::string_view authorization) const {
  const crypto::Sha256Digest given = crypto::sha256(as_bytes(bearer_of(authorization)));
  const std::string* name = nullptr;
  for (const Entry& entry : entries_) {
    if (constant_time_equal(entry.sha256, given)) name = &entry.name;
  }
  return name;
}

Gateway::Gateway(GatewayOptions options, Attestor& attestor, Engine& engine, Random& random, const Clock& clock,
                 observe::Logger& log)
    : options_(std::move(options)),
      attestor_(attestor),
      engine_(engine),
      random_(random),
      clock_(clock),
      log_(log),
      replays_(options_.replay, random, clock.now()),
      ids_(options_.replay, random),
      failed_opens_(options_.failed_opens_per_minute, kCountedSources),
      client_requests_(options_.requests_per_minute, options_.clients.size()),
      running_(options_.requests_per_source) {}

net::Task<> Gateway::handle(net::ServerConnection& connection) {
  const std::string_view path = connection.request().path();
  if (path == exchange::kAttestationPath) co_return co_await attestation(connection);
  if (path.starts_with(exchange::kRequestPathPrefix)) co_return co_await request(connection);
  co_return co_await plain(connection, Status::not_found, "not found", {}, net::Deadline::within(options_.write_idle));
}

net::Task<> Gateway::attestation(net::ServerConnection& connection) {
  const net::Deadline deadline = net::Deadline::within(options_.write_idle);
  if (connection.request().method != "GET") {
    co_return co_await plain(connection, Status::method_not_allowed, "method not allowed", {{"allow", "GET"}},
                             deadline);
  }
  const auto nonce = nonce_of(connection.request().query());
  if (!nonce) {
    co_return co_await plain(connection, Status::bad_request, "nonce must be 32 bytes, base64url", {}, deadline);
  }
  auto document = co_await attestor_.attest(*nonce, source_of(connection.peer()));
  if (document) {
    co_return co_await connection.respond(Status::ok,
                                          {{"content-type", "application/json"}, {"cache-control", "no-store"}},
                                          as_bytes(*document), deadline);
  }
  if (document.error().code() == Code::cancelled) co_return std::unexpected(std::move(document).error());
  if (document.error().code() == Code::rate_limited) {
    co_return co_await plain(connection, Status::too_many_requests, "too many questions wait", {{"retry-after", "1"}},
                             deadline);
  }
  co_return co_await plain(connection, Status::unavailable, "no hardware report", {{"retry-after", "1"}}, deadline);
}

net::Task<> Gateway::request(net::ServerConnection& connection) {
  const net::Deadline deadline = net::Deadline::within(options_.write_idle);
  const net::RequestHead& head = connection.request();
  if (head.method != "POST") {
    co_return co_await plain(connection, Status::method_not_allowed, "method not allowed", {{"allow", "POST"}},
                             deadline);
  }
  const auto worker = exchange::parse_request_path(head.target);
  if (!worker) co_return co_await plain(connection, Status::not_found, "not found", {}, deadline);
  if (head.fields.find("content-type") != sealed::kRequestMediaType) {
    co_return co_await plain(connection, Status::unsupported_media_type, "unsupported media type", {}, deadline);
  }
  const Now now = clock_.now();
  const auto ring = attestor_.ring();
  if (!ring->knows(*worker, now)) {
    co_return co_await plain(connection, Status::misdirected, "another worker", {}, deadline);
  }
  if (running_.total() >= options_.requests) {
    co_return co_await plain(connection, Status::unavailable, "too many requests", {{"retry-after", "1"}}, deadline);
  }
  const std::string source = source_of(connection.peer());
  const RunningCounter::Hold hold = running_.enter(source);
  if (!hold || failed_opens_.exceeded(source, now.boot)) {
    co_return co_await plain(connection, Status::too_many_requests, "too many requests", {{"retry-after", "1"}},
                             deadline);
  }
  SealedRequest sealed(*this, connection, source, ring, *worker);
  co_return co_await sealed.run();
}

Result<net::TlsServerContext> make_attested_tls(WallTime now) {
  WAXWING_ASSIGN(const crypto::SigningKey key, crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p256));
  const crypto::DistinguishedName name{{"CN", "waxwing-gateway"}};
  constexpr std::chrono::hours kDay{24};
  constexpr std::chrono::hours kLife{24 * 3650};
  crypto::CertificateBuilder builder;
  builder.serial(1).subject(name).issuer(name).validity(now - kDay, now + kLife).public_key(key.public_key());
  WAXWING_ASSIGN(const Bytes der, builder.sign(key, crypto::SignatureScheme::ecdsa));
  WAXWING_ASSIGN(const SecretBytes pem, key.to_pkcs8_pem());
  return net::TlsServerContext::from_pem(crypto::to_pem("CERTIFICATE", der), pem);
}

}  // namespace waxwing::gateway
