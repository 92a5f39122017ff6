// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "waxwing/upstream/provider.hpp"

namespace waxwing::app {

/// The command line as values; cli.cpp makes one of these.
struct Serve {
  std::string config;
  std::vector<std::string> listen;  ///< instead of listen.address
};

enum class Output : std::uint8_t { table, json };
enum class Demand : std::uint8_t { policy, evidence_only };

struct Verify {
  std::string url;
  std::string policy;  ///< empty: evidence is verified, no worker is appraised
  Demand demand = Demand::policy;
  Output output = Output::table;
  std::optional<upstream::TlsMode> tls;  ///< default: webpki for https, plain otherwise
  std::string ca_file;
  std::string simulated_root;  ///< without a policy: a certificate to accept under the label SIMULATED
};

enum class Once : std::uint8_t { no, yes };

struct Demo {
  Once once = Once::no;
  std::string question = "Why is the sky blue? Answer in one sentence.";
  std::string engine;                       ///< URL, "builtin", or empty: the engine command, else builtin
  std::vector<std::string> engine_command;  ///< prints "listening URL" and serves until its standard input ends
  std::uint16_t port = 8411;                ///< the next free one if busy
};

enum class Show : std::uint8_t { result, canonical, reference };

struct CheckConfig {
  std::string config;
  Show show = Show::result;
};

/// Nothing to do but to leave with that code: --help, --version, usage errors.
struct Exit {
  int code = 0;
};

using Action = std::variant<Serve, Verify, Demo, CheckConfig, Exit>;
/// Prints help, version and usage errors itself.
[[nodiscard]] Action parse_command_line(int argc, const char* const* argv);

/// Each returns an exit code (base/outcome.hpp, sysexits).
[[nodiscard]] int serve(const Serve& command);
[[nodiscard]] int verify(const Verify& command);
[[nodiscard]] int demo(const Demo& command);
[[nodiscard]] int check_config(const CheckConfig& command);

/// Tells an error on the standard error, with what to do about it, and returns its exit code.
[[nodiscard]] int report(const Error& error);

inline constexpr int kExitUsage = 64;
inline constexpr int kExitConfig = 78;

}  // namespace waxwing::app
