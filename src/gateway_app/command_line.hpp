// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "serve.hpp"

namespace waxwing::gateway_app {

/// What the command line changes of the configuration file; empty: nothing.
struct Overrides {
  std::vector<std::string> listen;
  std::string engine;
  std::string evidence;
  std::string log_level;
  std::string log_format;
  [[nodiscard]] bool any() const {
    return !listen.empty() || !engine.empty() || !evidence.empty() || !log_level.empty() || !log_format.empty();
  }
};

struct ServeCommand {
  std::string config_file;  ///< empty: the default places
  Overrides overrides;
  std::string simulated_root_out;
  std::string state_directory;
  std::optional<int> ready_fd;
  Lifetime lifetime = Lifetime::until_signal;
};

enum class ConfigOutput : std::uint8_t { summary, canonical, reference };

struct CheckConfigCommand {
  std::string config_file;
  Overrides overrides;
  ConfigOutput output = ConfigOutput::summary;
};

/// Nothing is left to do: help, the version or an error has been printed.
struct Exit {
  int code;
};

[[nodiscard]] std::variant<ServeCommand, CheckConfigCommand, Exit> parse_command_line(int argc, char** argv);

}  // namespace waxwing::gateway_app
