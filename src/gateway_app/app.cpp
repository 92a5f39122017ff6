// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway_app/app.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "command_line.hpp"
#include "files.hpp"
#include "serve.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/crypto/library.hpp"
#include "waxwing/gateway_app/config.hpp"

namespace waxwing::gateway_app {
namespace {

constexpr const char* kSystemConfig = "/etc/waxwing/gateway.toml";

struct LoadedConfig {
  Config config;
  crypto::Sha256Digest file_sha256{};
};

std::string config_path(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* named = std::getenv("WAXWING_GATEWAY_CONFIG"); named != nullptr && *named != '\0') return named;
  return exists(kSystemConfig) ? kSystemConfig : "";
}

/// The command line says its values as a file would, so the same rules hold.
Result<void> apply(const Overrides& overrides, Config& config) {
  std::vector<settings::Entry> entries;
  const auto add = [&entries](std::string key, const std::string& value) {
    if (!value.empty()) entries.push_back({std::move(key), value, {}});
  };
  if (!overrides.listen.empty()) entries.push_back({"listen.address", overrides.listen, {}});
  add("engine.url", overrides.engine);
  add("evidence.source", overrides.evidence);
  add("log.level", overrides.log_level);
  add("log.format", overrides.log_format);
  return schema().apply(entries, "command line", config);
}

Result<LoadedConfig> load_config(const std::string& given, const Overrides& overrides) {
  LoadedConfig loaded;
  if (const std::string path = config_path(given); !path.empty()) {
    WAXWING_ASSIGN(const std::string text, read_text_file(path));
    WAXWING_ASSIGN(loaded.config, parse_config(text, path));
    loaded.file_sha256 = crypto::sha256(as_bytes(text));
  }
  if (loaded.config.evidence_require_measured_config && overrides.any()) {
    return fail(Code::config_invalid,
                "evidence.require_measured_config: the command line may not change a measured configuration");
  }
  WAXWING_TRY(apply(overrides, loaded.config));
  WAXWING_TRY(validate(loaded.config));
  return loaded;
}

/// Prompts and keys must not reach a core file or a debugger of the same user.
void harden_process() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

Result<void> run_command(const ServeCommand& command) {
  Overrides overrides = command.overrides;
  // Asking for the simulated root is asking for simulated evidence.
  if (!command.simulated_root_out.empty() && overrides.evidence.empty()) overrides.evidence = "simulated";
  WAXWING_ASSIGN(LoadedConfig loaded, load_config(command.config_file, overrides));
  ServeOptions options;
  options.config = std::move(loaded.config);
  options.file_sha256 = loaded.file_sha256;
  options.simulated_root_out = command.simulated_root_out;
  options.state_directory = command.state_directory;
  options.ready_fd = command.ready_fd;
  options.lifetime = command.lifetime;
  return serve(options);
}

Result<void> run_command(const CheckConfigCommand& command) {
  if (command.output == ConfigOutput::reference) {
    std::fputs(reference().c_str(), stdout);
    return {};
  }
  WAXWING_ASSIGN(const LoadedConfig loaded, load_config(command.config_file, command.overrides));
  if (command.output == ConfigOutput::canonical) {
    std::fputs(canonical(loaded.config).c_str(), stdout);
  } else {
    std::printf("configuration ok\nconfig_sha256 %s\n", to_hex(config_sha256(loaded.config)).c_str());
  }
  return {};
}

int report(const Result<void>& outcome) {
  if (outcome || outcome.error().code() == Code::cancelled) return 0;
  std::fprintf(stderr, "waxwing-gateway: %s\n", outcome.error().describe().c_str());
  return outcome_of(outcome.error().code()).exit_code;
}

}  // namespace

int run(int argc, char** argv) {
  harden_process();
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads our standard output may leave
  try {
    crypto::initialize_library();
    const auto command = parse_command_line(argc, argv);
    if (const auto* exit = std::get_if<Exit>(&command)) return exit->code;
    if (const auto* check = std::get_if<CheckConfigCommand>(&command)) return report(run_command(*check));
    return report(run_command(std::get<ServeCommand>(command)));
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "waxwing-gateway: unexpected: %s\n", bug.what());
    return outcome_of(Code::internal).exit_code;
  }
}

}  // namespace waxwing::gateway_app
