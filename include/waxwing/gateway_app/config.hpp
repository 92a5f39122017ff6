// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/gateway/engine.hpp"
#include "waxwing/gateway/gateway.hpp"

/// The gateway's configuration. Every key is one row of the table in config.cpp, from which the TOML reader, the
/// canonical form, the help text and docs/gateway-configuration.md come.
namespace waxwing::gateway_app {

struct ByteSize {
  std::uint64_t bytes = 0;
  friend bool operator==(const ByteSize&, const ByteSize&) = default;
};

using Milliseconds = std::chrono::milliseconds;

/// Values as written; docs/gateway-configuration.md says what each means. Defaults are here and nowhere else.
struct Config {
  std::vector<std::string> listen_address{"127.0.0.1:8443"};
  std::string listen_tls = "attested";
  std::string listen_certificate;
  std::string listen_key;
  std::uint64_t listen_max_connections = 4096;
  std::uint64_t listen_max_connections_per_source = 4096;
  std::uint64_t listen_max_requests = 512;
  std::uint64_t listen_max_requests_per_source = 512;
  std::uint64_t listen_max_failed_opens_per_source = 64;
  Milliseconds listen_drain = std::chrono::seconds(30);
  Milliseconds listen_read_idle = std::chrono::seconds(60);
  Milliseconds listen_write_idle = std::chrono::seconds(60);

  std::string engine_url = "builtin";
  bool engine_allow_remote = false;
  std::vector<std::string> engine_extra_paths;
  Milliseconds engine_connect = std::chrono::seconds(10);
  Milliseconds engine_first_byte{0};
  Milliseconds engine_idle = std::chrono::minutes(10);
  std::string engine_api_key_file;
  std::string engine_ca_file;

  std::string evidence_source = "configfs-tsm";
  std::string evidence_tsm_root = "/sys/kernel/config/tsm/report";
  Milliseconds evidence_report_time = std::chrono::seconds(10);
  std::vector<std::string> evidence_certificates;
  std::string evidence_crl;
  bool evidence_require_measured_config = false;
  std::string evidence_simulated_product = "Genoa";
  std::string evidence_simulated_measurement;
  std::string evidence_simulated_policy;
  std::string evidence_simulated_host_data;

  std::uint64_t attestation_reports_per_second = 2;
  std::uint64_t attestation_waiting_nonces = 16384;
  std::uint64_t attestation_waiting_per_source = 64;

  std::vector<std::string> keys_kems{"x-wing"};
  Milliseconds keys_rotation = std::chrono::hours(1);
  Milliseconds keys_grace = std::chrono::minutes(10);

  Milliseconds requests_window = std::chrono::seconds(60);
  std::uint64_t requests_replay_entries = 4000000;
  std::uint64_t requests_replay_entries_per_source = 1000000;
  ByteSize requests_body{std::uint64_t{128} << 20U};

  std::string clients_keys_file;

  std::string log_level = "info";
  std::string log_format = "text";

  friend bool operator==(const Config&, const Config&) = default;
};

/// Reads a configuration file's text; keys that are not there keep their defaults. `source` names it in errors
/// ("gateway.toml:3:1: unknown key engine.urll; did you mean engine.url?"). Code::config_invalid.
[[nodiscard]] Result<Config> parse_config(std::string_view toml, std::string_view source);

/// What no single key can tell: combinations, and texts with a grammar of their own. Code::config_invalid names the
/// key.
[[nodiscard]] Result<void> validate(const Config& config);

/// Every key with its value, one `section.key = value` a line, sorted; what the statement's config_sha256 is the
/// SHA-256 of. Holds no secret: secrets are in files of their own, of which only the path is a key.
[[nodiscard]] std::string canonical(const Config& config);
[[nodiscard]] crypto::Sha256Digest config_sha256(const Config& config);

/// The reference page in Markdown, and the same for a terminal.
[[nodiscard]] std::string config_markdown();
[[nodiscard]] std::string config_help();

/// Typed parts of a configuration; Code::config_invalid as in validate().
[[nodiscard]] Result<gateway::EngineTarget> engine_target(const Config& config);
[[nodiscard]] Result<std::vector<gateway::ExtraPath>> extra_paths(const Config& config);
[[nodiscard]] Result<std::vector<crypto::KemId>> kems(const Config& config);
/// Nothing when the text is empty or no hexadecimal number.
[[nodiscard]] std::optional<std::uint64_t> simulated_policy(const Config& config);

}  // namespace waxwing::gateway_app
