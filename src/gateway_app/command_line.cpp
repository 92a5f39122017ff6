// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "waxwing/base/outcome.hpp"
#include "waxwing/gateway_app/config.hpp"

namespace waxwing::gateway_app {
namespace {

void add_configuration(CLI::App& command, std::string& file, Overrides& overrides) {
  command.add_option("--config", file, "configuration file (TOML)")->type_name("FILE");
  command.add_option("--listen", overrides.listen, "listen.address; may be repeated")->type_name("ADDRESS:PORT");
  command.add_option("--engine", overrides.engine, "engine.url")->type_name("URL|builtin");
  command.add_option("--evidence", overrides.evidence, "evidence.source")->type_name("configfs-tsm|simulated");
  command.add_option("--log-level", overrides.log_level, "log.level")->type_name("LEVEL");
  command.add_option("--log-format", overrides.log_format, "log.format")->type_name("text|json");
}

}  // namespace

std::variant<ServeCommand, CheckConfigCommand, Exit> parse_command_line(int argc, char** argv) {
  CLI::App app{
      "waxwing-gateway: the worker's half of Waxwing. Answers attestation questions, opens sealed requests, "
      "asks the engine, seals the answers.",
      "waxwing-gateway"};
  app.set_version_flag("--version", "waxwing-gateway " WAXWING_VERSION);
  app.require_subcommand(1);

  ServeCommand serve;
  CLI::App* serve_command = app.add_subcommand("serve", "run the gateway");
  add_configuration(*serve_command, serve.config_file, serve.overrides);
  serve_command
      ->add_option("--simulated-root-out", serve.simulated_root_out,
                   "use simulated evidence and write its root certificate (PEM) here, for a policy to name")
      ->type_name("FILE");
  serve_command->add_option("--state-dir", serve.state_directory, "where the simulated root's keys are kept")
      ->type_name("DIRECTORY");
  serve_command
      ->add_option("--ready-fd", serve.ready_fd,
                   "also write the lines \"listening ...\" and \"ready\" to this descriptor")
      ->type_name("N");
  serve_command->add_flag_callback(
      "--until-input-ends", [&serve] { serve.lifetime = Lifetime::until_input_ends; },
      "also end when the standard input does, for whoever starts this as a child");
  serve_command->footer(help_text());

  CheckConfigCommand check;
  CLI::App* check_command = app.add_subcommand("check-config", "read the configuration and say what is wrong with it");
  add_configuration(*check_command, check.config_file, check.overrides);
  bool print_canonical = false;
  bool print_reference = false;
  check_command->add_flag("--canonical", print_canonical, "print every key with its value: what config_sha256 is of");
  check_command->add_flag("--reference", print_reference, "print docs/gateway-configuration.md")->group("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    app.exit(error);
    return Exit{asked ? 0 : outcome_of(Code::bad_request).exit_code};
  }
  if (serve_command->parsed()) return serve;
  if (print_canonical) check.output = ConfigOutput::canonical;
  if (print_reference) check.output = ConfigOutput::reference;
  return check;
}

}  // namespace waxwing::gateway_app
