// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config.hpp"
#include "waxwing/listener/local_api.hpp"
#include "waxwing/net/http_server.hpp"
#include "waxwing/net/task_group.hpp"
#include "waxwing/observe/metrics.hpp"
#include "waxwing/upstream/provider.hpp"

namespace waxwing::app {

/// Joins the local API to a provider.
class ProviderInference final : public listener::Inference {
 public:
  explicit ProviderInference(upstream::Provider& provider) : provider_(provider) {}
  [[nodiscard]] net::Task<> run(listener::Call call, net::BodySource& source, net::AnswerSink& sink) override;
  [[nodiscard]] net::Task<std::string> models(const net::Fields& caller) override { return provider_.models(caller); }
  [[nodiscard]] listener::Readiness readiness() const override;
  [[nodiscard]] std::string label() const override { return provider_.label(); }

 private:
  upstream::Provider& provider_;
};

/// The daemon on one loop: listening sockets, local API, provider.
class Daemon {
 public:
  Daemon(net::Loop& loop, net::Dialer& dialer, Random& random, observe::Logger& log, const Config& config,
         LoadedProvider provider);

  /// Binds every address and returns their URLs. Where the addresses are the defaults, IPv6 may be missing.
  [[nodiscard]] Result<std::vector<std::string>> listen();
  /// Serves until drained or cancelled.
  void start(net::TaskGroup& tasks);
  [[nodiscard]] net::Task<> drain();
  [[nodiscard]] upstream::Provider& provider() { return provider_; }

 private:
  const Config& config_;
  net::Loop& loop_;
  observe::Registry metrics_;
  upstream::ReplayBudget replay_;
  upstream::Provider provider_;
  ProviderInference inference_;
  listener::LocalApi api_;
  net::HttpServer server_;
  std::vector<net::Acceptor> acceptors_;
};

/// Waits for SIGINT or SIGTERM.
[[nodiscard]] net::Task<> wait_for_stop_signal(net::Loop& loop);

}  // namespace waxwing::app
