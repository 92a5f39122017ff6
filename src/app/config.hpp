// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/appraisal/policy.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/observe/log.hpp"
#include "waxwing/settings/settings.hpp"
#include "waxwing/upstream/provider.hpp"

namespace waxwing::app {

enum class Protocol : std::uint8_t { waxwing };

/// One [[provider]]. The keys are in provider_schema(), the meaning in docs/configuration.md.
struct ProviderConfig {
  std::string name = "default";
  Protocol protocol = Protocol::waxwing;
  std::string url;
  std::string policy;
  upstream::TlsMode tls = upstream::TlsMode::webpki;
  std::string ca_file;
  exchange::Demand tls_binding = exchange::Demand::if_present;
  std::vector<std::string> kem{"x-wing"};
  std::string api_key_file;
  std::size_t workers = 4;
  std::chrono::nanoseconds connect{std::chrono::seconds(10)};
  std::chrono::nanoseconds attest{std::chrono::seconds(30)};
  std::chrono::nanoseconds first_byte = std::chrono::nanoseconds::max();
  std::chrono::nanoseconds idle{std::chrono::minutes(10)};
  bool require_padding = true;
  std::chrono::nanoseconds models_cache{std::chrono::seconds(60)};
};

struct Config {
  std::vector<std::string> address{"127.0.0.1:8411", "[::1]:8411"};
  std::vector<std::string> hosts;
  bool allow_remote = false;
  std::size_t connections = 1024;
  std::size_t requests = 512;
  std::chrono::nanoseconds client_idle{std::chrono::minutes(10)};
  std::chrono::nanoseconds drain{std::chrono::seconds(30)};
  std::size_t header = std::size_t{64} << 10U;
  std::uint64_t body = std::uint64_t{128} << 20U;
  std::size_t replay_buffer = std::size_t{4} << 20U;
  std::size_t replay_total = std::size_t{256} << 20U;
  LogLevel log_level = LogLevel::info;
  observe::LogFormat log_format = observe::LogFormat::text;
  std::vector<ProviderConfig> providers;
};

[[nodiscard]] const settings::Schema<Config>& schema();
[[nodiscard]] const settings::Schema<ProviderConfig>& provider_schema();
/// docs/configuration.md's tables.
[[nodiscard]] std::string reference();

/// Reads a configuration; `source` names it in errors. Code::config_invalid.
[[nodiscard]] Result<Config> parse_config(std::string_view toml, std::string_view source);

/// The file that --config, $WAXWING_CONFIG, $XDG_CONFIG_HOME and /etc lead to, in this order; nothing when there is
/// none.
[[nodiscard]] std::optional<std::filesystem::path> find_config(const std::string& from_command_line);

/// A configuration with everything that its files say: policies, certificates, keys. Paths are relative to the file
/// that names them.
struct LoadedProvider {
  upstream::ProviderOptions options;
  std::shared_ptr<const appraisal::Policy> policy;
};
[[nodiscard]] Result<LoadedProvider> load_provider(const ProviderConfig& config,
                                                   const std::filesystem::path& directory);
[[nodiscard]] Result<appraisal::Policy> load_policy(const std::filesystem::path& path);
/// Whole file, at most `most` bytes. Code::config_invalid names the file.
[[nodiscard]] Result<std::string> load_file(const std::filesystem::path& path, std::size_t most);

}  // namespace waxwing::app
