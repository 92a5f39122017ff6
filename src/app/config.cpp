// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "waxwing/base/limits.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/net/url.hpp"

namespace waxwing::app {

namespace fs = std::filesystem;
using settings::Schema;

const Schema<Config>& schema() {
  static const Schema<Config> kSchema = [] {
    Schema<Config> s;
    s.list("listen.address", &Config::address,
           "Addresses of the local API: \"host:port\", \"[v6]:port\" or \"unix:/path\". Port 0 takes a free one.")
        .list("listen.hosts", &Config::hosts,
              "Values of the Host field accepted beside localhost, 127.0.0.1 and ::1, without a port.")
        .flag(
            "listen.allow_remote", &Config::allow_remote,
            "Whether an address may be one that other machines reach. What they send crosses the network in clear, and "
            "whoever reaches it may use the provider's key.")
        .integer("listen.max_connections", &Config::connections, 1, 1'000'000,
                 "Connections at a time; more are closed.")
        .integer("listen.max_requests", &Config::requests, 1, 1'000'000, "Requests at a time; more are answered 503.")
        .duration("listen.client_idle", &Config::client_idle, "How long a client may neither send nor take a byte.")
        .duration("listen.drain", &Config::drain,
                  "How long requests in progress may take to end when the daemon stops.")
        .size("limits.header", &Config::header, "Bytes of a request's head.")
        .size("limits.body", &Config::body, "Bytes of a request's body; more is answered 413.")
        .size("limits.replay_buffer", &Config::replay_buffer,
              "Bytes of a request's body kept until its answer begins, so that a change of the worker's keys goes "
              "unnoticed.")
        .size("limits.replay_total", &Config::replay_total, "The same, over all requests in progress.")
        .choice("log.level", &Config::log_level,
                {{"debug", LogLevel::debug},
                 {"info", LogLevel::info},
                 {"warn", LogLevel::warn},
                 {"error", LogLevel::error}},
                "Least serious events that are written.")
        .choice("log.format", &Config::log_format,
                {{"text", observe::LogFormat::text}, {"json", observe::LogFormat::json}},
                "Form of the lines on the standard error.");
    return s;
  }();
  return kSchema;
}

const Schema<ProviderConfig>& provider_schema() {
  static const Schema<ProviderConfig> kSchema = [] {
    Schema<ProviderConfig> s;
    s.text("name", &ProviderConfig::name, "Name in logs and metrics.")
        .choice("protocol", &ProviderConfig::protocol, {{"waxwing", Protocol::waxwing}},
                "How the provider's workers are spoken to.")
        .text("url", &ProviderConfig::url, "Where the worker's gateway is reached: https://host:port. Required.")
        .text("policy", &ProviderConfig::policy, "The trust policy: a TOML file, see docs/policy.md. Required.")
        .choice("tls", &ProviderConfig::tls,
                {{"webpki", upstream::TlsMode::webpki},
                 {"attested", upstream::TlsMode::attested},
                 {"plain", upstream::TlsMode::plain}},
                "Outer TLS: certificates of public CAs, a key that the worker's evidence names, or none (this machine "
                "only).")
        .text("ca_file", &ProviderConfig::ca_file,
              "PEM file of CAs to use instead of the system's, with tls = \"webpki\".")
        .choice("tls_binding", &ProviderConfig::tls_binding,
                {{"if-present", exchange::Demand::if_present}, {"required", exchange::Demand::required}},
                "Whether the worker's evidence must name the key of the outer TLS connection.")
        .list("kem", &ProviderConfig::kem,
              "Key encapsulations accepted: \"x-wing\", \"x25519\" (the latter warns in every verdict).")
        .text("api_key_file", &ProviderConfig::api_key_file,
              "File with the provider's API key, sent inside the seal. Without it, the caller's own key is.")
        .integer("workers", &ProviderConfig::workers, 1, 64, "Attested sessions kept behind the URL.")
        .duration("connect", &ProviderConfig::connect, "Time for a connection, TLS included.")
        .duration("attest", &ProviderConfig::attest, "Time for an attestation.")
        .duration("first_byte", &ProviderConfig::first_byte, "Time until an answer begins.")
        .duration("idle", &ProviderConfig::idle, "Time between two bytes of a body.")
        .flag("require_padding", &ProviderConfig::require_padding,
              "Whether a worker that does not pad streamed answers is refused.")
        .duration("models_cache", &ProviderConfig::models_cache,
                  "How long a model list is served without asking again.");
    return s;
  }();
  return kSchema;
}

std::string reference() {
  return "# Configuration of waxwing\n\n"
         "<!-- Made by `waxwing check-config --reference`; a test compares. -->\n\n"
         "A TOML file: `--config FILE`, else `$WAXWING_CONFIG`, else `$XDG_CONFIG_HOME/waxwing/waxwing.toml`, else\n"
         "`/etc/waxwing/waxwing.toml`. Unknown keys are errors. Sizes are written `"
         "\"64KiB\"`, `\"4MiB\"`, times `\"250ms\"`, `\"10s\"`, `\"10m\"`, `\"1h\"` or\n`\"none\"`. Relative paths "
         "start at the "
         "directory of the file that holds them.\n\n" +
         settings::reference_table(schema().facts()) + "\n## [[provider]]\n\n" +
         settings::reference_table(provider_schema().facts());
}

namespace {

/// A wait of no length is a mistake: it would end everything before it begins.
Result<void> check_times(const Config& config, std::string_view source) {
  std::vector<std::pair<std::string, std::chrono::nanoseconds>> times{{"listen.client_idle", config.client_idle},
                                                                      {"listen.drain", config.drain}};
  for (const ProviderConfig& provider : config.providers)
    for (const auto& [name, time] : {std::pair("connect", provider.connect), std::pair("attest", provider.attest),
                                     std::pair("first_byte", provider.first_byte), std::pair("idle", provider.idle)})
      times.emplace_back(provider.name + ": " + name, time);
  for (const auto& [name, time] : times)
    if (time.count() <= 0)
      return fail(Code::config_invalid, std::string(source) + ": " + name + " must be longer than 0");
  return {};
}

}  // namespace

Result<Config> parse_config(std::string_view toml, std::string_view source) {
  constexpr auto kGroups = std::to_array<std::string_view>({"provider"});
  WAXWING_ASSIGN(const settings::Document document, settings::read(toml, source, kGroups));
  Config config;
  WAXWING_TRY(schema().apply(document.entries, source, config));
  for (const settings::Document::Group& group : document.groups) {
    ProviderConfig provider;
    WAXWING_TRY(provider_schema().apply(group.entries, source, provider));
    for (const auto& [name, value] : {std::pair("url", &provider.url), std::pair("policy", &provider.policy)})
      if (value->empty())
        return std::unexpected(
            settings::error_at(source, group.where, "[[provider]] \"" + provider.name + "\" has no " + name));
    config.providers.push_back(std::move(provider));
  }
  WAXWING_TRY(check_times(config, source));
  if (config.providers.empty())
    return fail(Code::config_invalid, std::string(source) + ": no [[provider]] is configured");
  if (config.providers.size() > 1)
    return fail(Code::config_invalid, std::string(source) + ": this version serves one [[provider]]");
  return config;
}

std::optional<fs::path> find_config(const std::string& from_command_line) {
  if (!from_command_line.empty()) return from_command_line;
  if (const char* named = std::getenv("WAXWING_CONFIG"); named != nullptr && *named != '\0') return named;
  fs::path home;
  if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg != nullptr && *xdg != '\0')
    home = xdg;
  else if (const char* user = std::getenv("HOME"); user != nullptr && *user != '\0')
    home = fs::path(user) / ".config";
  std::error_code ignored;
  for (const fs::path& candidate : {home / "waxwing" / "waxwing.toml", fs::path("/etc/waxwing/waxwing.toml")})
    if (candidate.is_absolute() && fs::exists(candidate, ignored)) return candidate;
  return std::nullopt;
}

Result<std::string> load_file(const fs::path& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::array<char, 16384> block;
  while (in.read(block.data(), block.size()) || in.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > most)
      return fail(Code::config_invalid, path.string() + " is larger than " + std::to_string(most) + " bytes");
  }
  if (!in.eof()) return fail(Code::config_invalid, path.string() + " cannot be read");
  return text;
}

Result<appraisal::Policy> load_policy(const fs::path& path) {
  WAXWING_ASSIGN(const std::string text, load_file(path, Limits::local_file().document));
  WAXWING_ASSIGN(appraisal::Policy policy, appraisal::parse_policy(text, path.string()));
  while (!policy.root_files.empty()) {
    const fs::path root = path.parent_path() / policy.root_files.front().path;
    WAXWING_ASSIGN(const std::string certificate, load_file(root, Limits::local_file().certificate));
    if (auto added = policy.add_root(as_bytes(certificate)); !added)
      return std::unexpected(std::move(added).error().with(root.string()));
  }
  return policy;
}

namespace {

Result<SecretBytes> load_key(const fs::path& path) {
  constexpr std::size_t kMostKey = 16384;
  WAXWING_ASSIGN(std::string text, load_file(path, kMostKey));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  if (text.empty()) return fail(Code::config_invalid, path.string() + " holds no key");
  return SecretBytes::take(text);
}

Result<std::vector<crypto::KemId>> parse_kems(const std::vector<std::string>& names) {
  std::vector<crypto::KemId> kems;
  for (const std::string& name : names) {
    if (name == crypto::to_string(crypto::KemId::x_wing))
      kems.push_back(crypto::KemId::x_wing);
    else if (name == crypto::to_string(crypto::KemId::x25519))
      kems.push_back(crypto::KemId::x25519);
    else
      return fail(Code::config_invalid, "kem: \"" + name + "\" is not one of x-wing, x25519");
  }
  return kems;
}

}  // namespace

Result<LoadedProvider> load_provider(const ProviderConfig& config, const fs::path& directory) {
  upstream::ProviderOptions options;
  options.name = config.name;
  WAXWING_ASSIGN(options.url, net::parse_url(config.url));
  options.tls = config.tls;
  if (!config.ca_file.empty()) {
    WAXWING_ASSIGN(options.ca_pem, load_file(directory / config.ca_file, Limits::local_file().certificate));
  }
  options.client.tls_binding = config.tls_binding;
  options.client.padding = config.require_padding ? exchange::Demand::required : exchange::Demand::if_present;
  WAXWING_ASSIGN(options.client.kems, parse_kems(config.kem));
  if (!config.api_key_file.empty()) {
    WAXWING_ASSIGN(options.api_key, load_key(directory / config.api_key_file));
  }
  options.workers = config.workers;
  options.connect = config.connect;
  options.attest = config.attest;
  if (config.first_byte != std::chrono::nanoseconds::max()) options.first_byte = config.first_byte;
  options.idle = config.idle;
  options.models_cache = config.models_cache;
  WAXWING_TRY(upstream::check(options));
  WAXWING_ASSIGN(appraisal::Policy policy, load_policy(directory / config.policy));
  return LoadedProvider{std::move(options), std::make_shared<const appraisal::Policy>(std::move(policy))};
}

}  // namespace waxwing::app
