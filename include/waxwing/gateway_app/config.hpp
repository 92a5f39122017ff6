// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/error.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/exchange/replay_guard.hpp"
#include "waxwing/gateway/engine.hpp"
#include "waxwing/gateway/gateway.hpp"
#include "waxwing/observe/log.hpp"
#include "waxwing/settings/settings.hpp"

namespace waxwing::gateway_app {

enum class OuterTls : std::uint8_t { attested, files, plain };
enum class EvidenceKind : std::uint8_t { configfs_tsm, simulated };

using Duration = std::chrono::nanoseconds;  ///< max(): none

/// Values as written; docs/gateway-configuration.md says what each means. Defaults are here and nowhere else.
struct Config {
  std::vector<std::string> listen_address{"127.0.0.1:8443"};
  OuterTls listen_tls = OuterTls::attested;
  std::string listen_certificate;
  std::string listen_key;
  std::size_t listen_max_connections = 4096;
  std::size_t listen_max_connections_per_source = 4096;
  std::size_t listen_max_requests = 512;
  std::uint32_t listen_max_requests_per_source = 512;
  std::uint32_t listen_max_failed_opens_per_source = 64;
  Duration listen_drain = std::chrono::seconds(30);
  Duration listen_read_idle = std::chrono::seconds(60);
  Duration listen_write_idle = std::chrono::seconds(60);

  std::string engine_url = "builtin";
  bool engine_allow_remote = false;
  std::vector<std::string> engine_extra_paths;
  Duration engine_connect = std::chrono::seconds(10);
  Duration engine_first_byte = Duration::max();
  Duration engine_idle = std::chrono::minutes(10);
  std::string engine_api_key_file;
  std::string engine_ca_file;

  EvidenceKind evidence_source = EvidenceKind::configfs_tsm;
  std::string evidence_tsm_root = "/sys/kernel/config/tsm/report";
  Duration evidence_report_time = std::chrono::seconds(10);
  std::vector<std::string> evidence_certificates;
  std::string evidence_crl;
  bool evidence_require_measured_config = false;
  evidence::sev_snp::Product evidence_simulated_product = evidence::sev_snp::Product::genoa;
  std::string evidence_simulated_measurement;
  std::string evidence_simulated_policy;
  std::string evidence_simulated_host_data;

  unsigned attestation_reports_per_second = 2;
  std::uint64_t attestation_waiting_nonces = 16384;
  std::uint64_t attestation_waiting_per_source = 64;

  std::vector<std::string> keys_kems{"x-wing"};
  Duration keys_rotation = std::chrono::hours(1);
  Duration keys_grace = std::chrono::minutes(10);

  Duration requests_window = std::chrono::seconds(60);
  std::uint64_t requests_replay_entries = exchange::ReplayOptions{}.entries;
  std::uint64_t requests_replay_entries_per_source = exchange::ReplayOptions{}.entries_per_source;
  std::uint64_t requests_body = std::uint64_t{128} << 20U;

  std::string clients_keys_file;
  std::uint32_t clients_requests_per_minute = 600;

  LogLevel log_level = LogLevel::info;
  observe::LogFormat log_format = observe::LogFormat::text;
};

/// Every key, once: the reader, the canonical form and the reference page are made from it.
[[nodiscard]] const settings::Schema<Config>& schema();

/// Reads a configuration file's text; keys that are not there keep their defaults. `source` names it in errors.
/// Code::config_invalid.
[[nodiscard]] Result<Config> parse_config(std::string_view toml, std::string_view source);

/// What no single key can tell: combinations, and texts with a grammar of their own. Code::config_invalid names the
/// key.
[[nodiscard]] Result<void> validate(const Config& config);

/// Every key with its value, one `section.key = value` a line, sorted; what the statement's config_sha256 is the
/// SHA-256 of. Holds no secret: secrets are in files of their own, of which only the path is a key.
[[nodiscard]] std::string canonical(const Config& config);
[[nodiscard]] crypto::Sha256Digest config_sha256(const Config& config);

/// docs/gateway-configuration.md, and the keys with their defaults for a terminal.
[[nodiscard]] std::string reference();
[[nodiscard]] std::string help_text();

/// Typed parts of a configuration; Code::config_invalid as in validate().
[[nodiscard]] Result<gateway::EngineTarget> engine_target(const Config& config);
[[nodiscard]] Result<std::vector<gateway::ExtraPath>> extra_paths(const Config& config);
[[nodiscard]] Result<std::vector<crypto::KemId>> kems(const Config& config);
/// Nothing when the text is empty or no hexadecimal number.
[[nodiscard]] std::optional<std::uint64_t> simulated_policy(const Config& config);

}  // namespace waxwing::gateway_app
