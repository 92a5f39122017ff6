// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "commands.hpp"

namespace waxwing::app {

namespace {

void add_serve(CLI::App& root, Serve& serve) {
  CLI::App* command = root.add_subcommand("serve", "Run the daemon: the local API in front of attested workers");
  command->add_option("--config", serve.config, "Configuration file (see docs/configuration.md)");
  command->add_option("--listen", serve.listen,
                      "Address instead of listen.address: host:port, [v6]:port or unix:/path");
}

void add_verify(CLI::App& root, Verify& verify) {
  const std::map<std::string, upstream::TlsMode> modes{{"webpki", upstream::TlsMode::webpki},
                                                       {"attested", upstream::TlsMode::attested},
                                                       {"plain", upstream::TlsMode::plain}};
  CLI::App* command = root.add_subcommand("verify", "Attest a worker once and print the verdict, check by check");
  command->add_option("url", verify.url, "The worker's gateway: https://host:port")->required();
  command->add_option("--policy", verify.policy, "Trust policy (TOML, see docs/policy.md)");
  command->add_flag_callback(
      "--evidence-only", [&verify] { verify.demand = Demand::evidence_only; },
      "Succeed when the evidence is valid, without a policy that names the worker");
  command->add_flag_callback("--json", [&verify] { verify.output = Output::json; }, "Print JSON (see docs/verdict.md)");
  command
      ->add_option_function<std::string>(
          "--tls", [&verify, modes](const std::string& name) { verify.tls = modes.at(name); },
          "Outer TLS: webpki (default for https), attested or plain (default otherwise)")
      ->check(CLI::IsMember(modes))
      ->type_name("MODE");
  command->add_option("--ca-file", verify.ca_file, "PEM file of CAs to use instead of the system's");
  command->add_option("--simulated-root", verify.simulated_root,
                      "Without a policy: root certificate of simulated evidence to accept as SIMULATED");
}

void add_demo(CLI::App& root, Demo& demo) {
  CLI::App* command =
      root.add_subcommand("demo", "Show the whole way on this machine, with simulated evidence and a small model");
  command->add_flag_callback("--once", [&demo] { demo.once = Once::yes; }, "End after the answer");
  command->add_option("--question", demo.question, "What to ask the model");
  command->add_option("--engine", demo.engine, "URL of an OpenAI-compatible engine, or \"builtin\"");
  command->add_option("--engine-command", demo.engine_command, "Command that starts an engine and prints its URL");
  command->add_option("--port", demo.port, "Port of the local API; the next free one if it is busy");
}

void add_check_config(CLI::App& root, CheckConfig& check) {
  CLI::App* command =
      root.add_subcommand("check-config", "Read the configuration and everything it names, and say what is wrong");
  command->add_option("--config", check.config, "Configuration file");
  command->add_flag_callback(
      "--canonical", [&check] { check.show = Show::canonical; }, "Print every key with its value");
  command->add_flag_callback(
      "--reference", [&check] { check.show = Show::reference; }, "Print the reference page of all keys");
}

}  // namespace

Action parse_command_line(int argc, const char* const* argv) {
  Serve serve;
  Verify verify;
  Demo demo;
  CheckConfig check;
  CLI::App root("waxwing: talk to confidential AI without trusting the provider, the cloud or the network");
  root.set_version_flag("--version", "waxwing " WAXWING_VERSION);
  root.require_subcommand(1);
  add_serve(root, serve);
  add_verify(root, verify);
  add_demo(root, demo);
  add_check_config(root, check);
  try {
    root.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return Exit{root.exit(success)};
  } catch (const CLI::ParseError& error) {
    root.exit(error);
    return Exit{kExitUsage};
  }
  if (root.got_subcommand("serve")) return serve;
  if (root.got_subcommand("verify")) return verify;
  if (root.got_subcommand("demo")) return demo;
  return check;
}

}  // namespace waxwing::app
