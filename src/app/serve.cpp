// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "commands.hpp"
#include "config.hpp"
#include "daemon.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/crypto/random.hpp"
#include "waxwing/net/dialer.hpp"
#include "waxwing/observe/log.hpp"

namespace waxwing::app {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kNoConfiguration =
    "waxwing: there is no configuration. Write one to ~/.config/waxwing/waxwing.toml (or name it with --config):\n"
    "\n"
    "    [[provider]]\n"
    "    name   = \"example\"\n"
    "    url    = \"https://worker.example:8443\"\n"
    "    policy = \"example-policy.toml\"        # what you accept of that worker, see docs/policy.md\n"
    "\n"
    "Every key is in docs/configuration.md. To see the whole way on this machine first: waxwing demo\n";

struct Loaded {
  Config config;
  fs::path directory;
};

Result<Loaded> load(const std::string& from_command_line) {
  const auto path = find_config(from_command_line);
  if (!path) return fail(Code::config_invalid, "");
  WAXWING_ASSIGN(const std::string text, load_file(*path, Limits::local_file().document));
  WAXWING_ASSIGN(Config config, parse_config(text, path->string()));
  return Loaded{std::move(config), path->parent_path()};
}

/// Says "ready" once the first session lives, however long that takes; failures are in the log meanwhile.
net::Task<> announce(upstream::Provider& provider, net::Loop& loop) {
  while (true) {
    auto session = co_await provider.first_session(net::Deadline::none());
    if (session) break;
    if (session.error().code() == Code::cancelled) co_return session;
    net::Event pause(loop);
    if (co_await pause.wait(loop.deadline_in(std::chrono::milliseconds(500))) == net::Wake::cancelled)
      co_return Result<void>{};
  }
  const std::string label = provider.label();
  std::cout << "ready" << (label.empty() ? "" : " " + label) << std::endl;
  co_return Result<void>{};
}

net::Task<> stop_on_signal(net::Loop& loop, Daemon& daemon) {
  WAXWING_CO_TRY(co_await wait_for_stop_signal(loop));
  auto drained = co_await daemon.drain();
  loop.stop();
  co_return drained;
}

/// Keeps the parts together: when one fails, all end, and the program says so with its exit code.
net::Task<> supervise(net::Loop& loop, Daemon& daemon, std::optional<Error>& failure) {
  net::TaskGroup parts(loop, net::TaskGroup::OnFailure::cancel_others);
  daemon.start(parts);
  parts.spawn(announce(daemon.provider(), loop));
  parts.spawn(stop_on_signal(loop, daemon));
  auto ended = co_await parts.join(net::Deadline::none());
  if (!ended && ended.error().code() != Code::cancelled) failure = std::move(ended).error();
  loop.stop();
  co_return Result<void>{};
}

}  // namespace

int serve(const Serve& command) {
  if (!find_config(command.config)) {
    std::cerr << kNoConfiguration;
    return kExitConfig;
  }
  auto loaded = load(command.config);
  if (!loaded) return report(loaded.error());
  if (!command.listen.empty()) loaded->config.address = command.listen;
  auto provider = load_provider(loaded->config.providers.front(), loaded->directory);
  if (!provider) return report(provider.error());

  const SystemClock clock;
  crypto::SystemRandom random;
  const auto log =
      observe::make_logger({.level = loaded->config.log_level, .format = loaded->config.log_format}, clock);
  net::Loop loop(clock);
  net::DirectDialer dialer(loop);
  Daemon daemon(loop, dialer, random, *log, loaded->config, *std::move(provider));
  auto urls = daemon.listen();
  if (!urls) return report(urls.error());
  for (const std::string& url : *urls) std::cout << "listening " << url << std::endl;

  net::TaskGroup tasks(loop);
  std::optional<Error> failure;
  tasks.spawn(supervise(loop, daemon, failure));
  loop.run();
  return failure ? report(*failure) : 0;
}

int check_config(const CheckConfig& command) {
  if (command.show == Show::reference) {
    std::cout << reference();
    return 0;
  }
  auto loaded = load(command.config);
  if (!loaded && !find_config(command.config)) {
    std::cerr << kNoConfiguration;
    return kExitConfig;
  }
  if (!loaded) return report(loaded.error());
  if (command.show == Show::canonical) {
    for (const std::string& line : schema().lines(loaded->config)) std::cout << line << '\n';
    for (const ProviderConfig& provider : loaded->config.providers) {
      std::cout << "\n[[provider]]\n";
      for (const std::string& line : provider_schema().lines(provider)) std::cout << line << '\n';
    }
    return 0;
  }
  for (const ProviderConfig& provider : loaded->config.providers) {
    const auto ready = load_provider(provider, loaded->directory);
    if (!ready) return report(ready.error());
    std::cout << "provider " << provider.name << ": " << provider.url << ", policy " << ready->policy->name << '\n';
  }
  std::cout << "ok\n";
  return 0;
}

}  // namespace waxwing::app
