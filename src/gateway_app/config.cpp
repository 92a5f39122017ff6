// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway_app/config.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/net/url.hpp"

namespace waxwing::gateway_app {
namespace {

using evidence::sev_snp::Product;
using settings::Schema;

constexpr std::int64_t kMostCount = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostEntries = std::int64_t{1} << 32U;
constexpr auto kMostNonces = static_cast<std::int64_t>(exchange::kMaxNonces);

void add_listen(Schema<Config>& s) {
  s.list("listen.address", &Config::listen_address,
         "Where to listen: \"127.0.0.1:8443\", \"[::]:8443\", \"unix:/run/waxwing/gateway.sock\". Port 0 takes a free "
         "one.")
      .choice(
          "listen.tls", &Config::listen_tls,
          {{"attested", OuterTls::attested}, {"files", OuterTls::files}, {"plain", OuterTls::plain}},
          "Outer TLS. attested: with a key made at start inside this process and named by the statement. files: with "
          "certificate and key from files, also named by the statement. plain: none, on loopback addresses and unix "
          "sockets only.")
      .text("listen.certificate", &Config::listen_certificate, "With tls = \"files\": PEM file, the leaf first.")
      .text("listen.key", &Config::listen_key, "With tls = \"files\": PEM file of the unencrypted private key.")
      .integer("listen.max_connections", &Config::listen_max_connections, 1, kMostCount,
               "Connections at once; more are closed on accept.")
      .integer("listen.max_connections_per_source", &Config::listen_max_connections_per_source, 1, kMostCount,
               "The same for one address; all unix peers are one. Behind a proxy all clients are one source.")
      .integer("listen.max_requests", &Config::listen_max_requests, 1, kMostCount,
               "Sealed requests in progress; more are answered 503.")
      .integer("listen.max_requests_per_source", &Config::listen_max_requests_per_source, 1, kMostCount,
               "Sealed requests in progress of one source (an IPv4 address, an IPv6 /64, all unix peers); more are "
               "answered 429.")
      .integer(
          "listen.max_failed_opens_per_source", &Config::listen_max_failed_opens_per_source, 1, kMostCount,
          "Requests of one source that may fail to open in a minute; beyond, its requests are answered 429 unread.")
      .duration("listen.drain", &Config::listen_drain, "On SIGTERM or SIGINT: how long requests in progress may go on.")
      .duration("listen.read_idle", &Config::listen_read_idle, "Longest pause between bytes of a request.")
      .duration("listen.write_idle", &Config::listen_write_idle,
                "Longest time a client may take no bytes of its answer.");
}

void add_engine(Schema<Config>& s) {
  s.text(
       "engine.url", &Config::engine_url,
       "The OpenAI-compatible server: \"http://127.0.0.1:8000\", \"unix:/run/engine.sock\", \"https://host\", or "
       "\"builtin\", "
       "a tiny deterministic engine for demonstrations. The statement says how far away it is, and every connection is "
       "checked against that.")
      .flag("engine.allow_remote", &Config::engine_allow_remote,
            "Whether the engine may be on another machine (https only). The statement then says \"remote\", which "
            "policies "
            "refuse unless they list it.")
      .list("engine.extra_paths", &Config::engine_extra_paths,
            "What reaches the engine beside the OpenAI and Anthropic endpoints: [\"POST /tokenize\"].")
      .duration("engine.connect", &Config::engine_connect, "Longest time to connect to the engine.")
      .duration("engine.first_byte", &Config::engine_first_byte,
                "Longest time from a request's end to the first byte of the engine's answer.")
      .duration("engine.idle", &Config::engine_idle, "Longest pause between bytes of the engine's answer.")
      .text("engine.api_key_file", &Config::engine_api_key_file,
            "File with a key that the engine wants as a bearer token. Without it the client's own key passes, unless "
            "clients.keys_file is set.")
      .text("engine.ca_file", &Config::engine_ca_file,
            "PEM file of the CAs that may vouch for an https engine; empty: the machine's.");
}

void add_evidence(Schema<Config>& s) {
  s.choice("evidence.source", &Config::evidence_source,
           {{"configfs-tsm", EvidenceKind::configfs_tsm}, {"simulated", EvidenceKind::simulated}},
           "Where hardware reports come from. configfs-tsm: Linux in a SEV-SNP guest (tested on scripted directory "
           "trees only, not yet on hardware). simulated: reports under a root of "
           "this installation, which prove nothing about hardware; verdicts show the root's label.")
      .text("evidence.tsm_root", &Config::evidence_tsm_root, "With configfs-tsm: the directory of report entries.")
      .duration("evidence.report_time", &Config::evidence_report_time, "Longest time for one report.")
      .list(
          "evidence.certificates", &Config::evidence_certificates,
          "PEM files to staple instead of the certificates that the host hands out: endorsement key first, then up to "
          "the root.")
      .text("evidence.crl", &Config::evidence_crl, "DER file of a revocation list to staple.")
      .flag("evidence.require_measured_config", &Config::evidence_require_measured_config,
            "Start only if HOST_DATA of the report is the SHA-256 of the configuration file; the command line may then "
            "change nothing of it.")
      .choice("evidence.simulated_product", &Config::evidence_simulated_product,
              {{"Milan", Product::milan}, {"Genoa", Product::genoa}, {"Turin", Product::turin}},
              "Simulated only: the processor.")
      .text(
          "evidence.simulated_measurement", &Config::evidence_simulated_measurement,
          "Simulated only: launch measurement, 48 bytes in hexadecimal; empty: SHA-384 of \"waxwing simulated guest\".")
      .text("evidence.simulated_policy", &Config::evidence_simulated_policy,
            "Simulated only: guest policy, such as \"0x30000\"; empty: that. Bit 19 is the debug bit.")
      .text("evidence.simulated_host_data", &Config::evidence_simulated_host_data,
            "Simulated only: HOST_DATA, 32 bytes in hexadecimal; empty: zero.");
}

void add_protocol(Schema<Config>& s) {
  s.integer("attestation.reports_per_second", &Config::attestation_reports_per_second, 1, 1000,
            "Hardware reports per second at most; all who ask between two of them share one.")
      .integer("attestation.waiting_nonces", &Config::attestation_waiting_nonces, 1, kMostNonces,
               "Questions that may wait for a report; more are answered 429.")
      .integer("attestation.waiting_per_source", &Config::attestation_waiting_per_source, 1, kMostNonces,
               "The same for one source.")
      .list("keys.kems", &Config::keys_kems,
            "Key encapsulation offered, in order: \"x-wing\", \"x25519\". Clients use X25519 only when told to, and "
            "warn.")
      .duration("keys.rotation", &Config::keys_rotation, "Age at which worker keys are made anew.")
      .duration("keys.grace", &Config::keys_grace,
                "How long requests sealed for the keys before still open; then those are wiped.")
      .duration("requests.window", &Config::requests_window,
                "How far the date inside a request may be from the gateway's time, either way.")
      .integer(
          "requests.replay_entries", &Config::requests_replay_entries, 1, kMostEntries,
          "Requests remembered to refuse their repetition, about 40 bytes each; a full memory refuses, it does not "
          "forget.")
      .integer("requests.replay_entries_per_source", &Config::requests_replay_entries_per_source, 1, kMostEntries,
               "The share of one source in that memory.")
      .size("requests.body", &Config::requests_body, "Largest body of a request.")
      .text(
          "clients.keys_file", &Config::clients_keys_file,
          "File with one name:key a line: who may use this worker, by the Authorization or x-api-key field inside the "
          "seal. Empty: everybody.")
      .integer("clients.requests_per_minute", &Config::clients_requests_per_minute, 1, kMostCount,
               "Requests of one client key in a minute; more are answered 429 inside the seal.")
      .choice(
          "log.level", &Config::log_level,
          {{"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warn", LogLevel::warn}, {"error", LogLevel::error}},
          "Least serious events that are written.")
      .choice("log.format", &Config::log_format,
              {{"text", observe::LogFormat::text}, {"json", observe::LogFormat::json}},
              "Form of the lines on the standard error.");
}

std::unexpected<Error> refuse_key(std::string_view key, std::string_view why) {
  return fail(Code::config_invalid, std::string(key) + " " + std::string(why));
}

/// Times that may not be missing: a part of the protocol, or a limit that keeps the gateway usable.
Result<void> validate_durations(const Config& config) {
  constexpr Duration kSecond = std::chrono::seconds(1);
  constexpr Duration kDay = std::chrono::hours(24);
  struct Bounded {
    std::string_view key;
    Duration value;
    Duration least;
  };
  const Bounded bounded[] = {
      {"listen.drain", config.listen_drain, Duration(0)},
      {"listen.read_idle", config.listen_read_idle, Duration(1)},
      {"listen.write_idle", config.listen_write_idle, Duration(1)},
      {"engine.connect", config.engine_connect, Duration(1)},
      {"evidence.report_time", config.evidence_report_time, Duration(1)},
      {"keys.rotation", config.keys_rotation, kSecond},
      {"keys.grace", config.keys_grace, kSecond},
      {"requests.window", config.requests_window, kSecond},
  };
  for (const auto& [key, value, least] : bounded) {
    if (value < least || value > kDay) {
      return refuse_key(key, "must be from " + settings::to_text(least) + " to " + settings::to_text(kDay));
    }
  }
  if (config.engine_first_byte < kSecond) return refuse_key("engine.first_byte", "must be 1s or more, or none");
  if (config.engine_idle < kSecond) return refuse_key("engine.idle", "must be 1s or more, or none");
  return {};
}

Result<void> validate_listen(const Config& config) {
  if (config.listen_address.empty()) return refuse_key("listen.address", "must name at least one address");
  for (const std::string& text : config.listen_address) {
    const auto address = net::parse_listen_address(text);
    if (!address) return refuse_key("listen.address", address.error().text());
    if (config.listen_tls == OuterTls::plain && !address->is_loopback()) {
      return refuse_key("listen.tls", "\"plain\" is for loopback addresses only, not for " + text);
    }
  }
  const bool files = config.listen_tls == OuterTls::files;
  if (files == config.listen_certificate.empty() || files == config.listen_key.empty()) {
    return refuse_key("listen.tls", "\"files\" needs listen.certificate and listen.key, and nothing else takes them");
  }
  return {};
}

Result<void> validate_hex(std::string_view key, const std::string& text, std::size_t size) {
  if (text.empty()) return {};
  const auto bytes = from_hex(text);
  if (!bytes || bytes->size() != size) {
    return refuse_key(key, "must be " + std::to_string(size) + " bytes in hexadecimal");
  }
  return {};
}

Result<void> validate_evidence(const Config& config) {
  constexpr std::size_t kHostData = 32;
  WAXWING_TRY(validate_hex("evidence.simulated_measurement", config.evidence_simulated_measurement,
                           evidence::sev_snp::kMeasurementSize));
  WAXWING_TRY(validate_hex("evidence.simulated_host_data", config.evidence_simulated_host_data, kHostData));
  if (!config.evidence_simulated_policy.empty() && !simulated_policy(config)) {
    return refuse_key("evidence.simulated_policy", "must be a number such as 0x30000");
  }
  const bool knobs = !config.evidence_simulated_measurement.empty() || !config.evidence_simulated_policy.empty() ||
                     !config.evidence_simulated_host_data.empty();
  if (knobs && config.evidence_source != EvidenceKind::simulated) {
    return refuse_key("evidence.source", "is not \"simulated\", but simulated values are set");
  }
  return {};
}

}  // namespace

const Schema<Config>& schema() {
  static const Schema<Config> kSchema = [] {
    Schema<Config> s;
    add_listen(s);
    add_engine(s);
    add_evidence(s);
    add_protocol(s);
    return s;
  }();
  return kSchema;
}

std::optional<std::uint64_t> simulated_policy(const Config& config) {
  std::string_view text = config.evidence_simulated_policy;
  if (!text.starts_with("0x")) return std::nullopt;
  text.remove_prefix(2);
  std::uint64_t value = 0;
  constexpr int kHexadecimal = 16;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, kHexadecimal);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<Config> parse_config(std::string_view toml, std::string_view source) {
  if (toml.size() > Limits::local_file().document) {
    return fail(Code::config_invalid, std::string(source) + ": too large");
  }
  WAXWING_ASSIGN(const settings::Document document, settings::read(toml, source));
  Config config;
  WAXWING_TRY(schema().apply(document.entries, source, config));
  return config;
}

Result<gateway::EngineTarget> engine_target(const Config& config) {
  auto target = gateway::parse_engine(
      config.engine_url, config.engine_allow_remote ? gateway::RemoteEngine::allow : gateway::RemoteEngine::refuse);
  if (!target) return refuse_key("engine.url:", target.error().text());
  return target;
}

Result<std::vector<gateway::ExtraPath>> extra_paths(const Config& config) {
  std::vector<gateway::ExtraPath> paths;
  for (const std::string& text : config.engine_extra_paths) {
    auto path = gateway::parse_extra_path(text);
    if (!path) return refuse_key("engine.extra_paths:", path.error().text());
    paths.push_back(*std::move(path));
  }
  return paths;
}

Result<std::vector<crypto::KemId>> kems(const Config& config) {
  std::vector<crypto::KemId> ids;
  for (const std::string& text : config.keys_kems) {
    const crypto::KemId id = text == "x25519" ? crypto::KemId::x25519 : crypto::KemId::x_wing;
    if (text != crypto::to_string(id) || std::ranges::find(ids, id) != ids.end()) {
      return refuse_key("keys.kems", "may hold \"x-wing\" and \"x25519\", each once");
    }
    ids.push_back(id);
  }
  if (ids.empty()) return refuse_key("keys.kems", "must name at least one");
  return ids;
}

Result<void> validate(const Config& config) {
  WAXWING_TRY(validate_durations(config));
  WAXWING_TRY(validate_listen(config));
  WAXWING_TRY(engine_target(config));
  WAXWING_TRY(extra_paths(config));
  WAXWING_TRY(kems(config));
  constexpr std::uint64_t kLeastBody = 1024;
  constexpr std::uint64_t kMostBody = std::uint64_t{1} << 40U;
  if (config.requests_body < kLeastBody || config.requests_body > kMostBody) {
    return refuse_key("requests.body", "must be from 1KiB to 1024GiB");
  }
  return validate_evidence(config);
}

std::string canonical(const Config& config) {
  std::string out;
  for (const std::string& line : schema().lines(config)) out += line + "\n";
  return out;
}

crypto::Sha256Digest config_sha256(const Config& config) {
  return crypto::sha256(as_bytes(canonical(config)));
}

std::string reference() {
  static constexpr std::string_view kIntroduction = R"(# Configuration of waxwing-gateway

<!-- Made by `waxwing-gateway check-config --reference`; a test compares. -->

A TOML file: `--config FILE`, else `$WAXWING_GATEWAY_CONFIG`, else `/etc/waxwing/gateway.toml` where that exists, else the
defaults. Unknown keys are errors. Times are written `"250ms"`, `"10s"`, `"10m"`, `"1h"` or `"none"`, sizes `"64KiB"`,
`"128MiB"`. `waxwing-gateway check-config --canonical` prints every key with its value, sorted; the SHA-256 of that is
`config_sha256` of the statement. No key holds a secret: secrets are in files of their own.

The keys of the simulated root are kept in `--state-dir DIRECTORY`, else `$WAXWING_GATEWAY_STATE`, `$STATE_DIRECTORY`,
`$XDG_STATE_HOME/waxwing-gateway` or `~/.local/state/waxwing-gateway`.

)";
  return std::string(kIntroduction) + settings::reference_table(schema().facts());
}

std::string help_text() {
  std::string out = "Keys of the configuration file and their defaults (docs/gateway-configuration.md tells more):\n";
  for (const settings::KeyFacts& key : schema().facts()) out += "  " + key.name + " = " + key.fallback + "\n";
  return out;
}

}  // namespace waxwing::gateway_app
