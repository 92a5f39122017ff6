// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "daemon.hpp"

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "waxwing/base/clock.hpp"
#include "waxwing/net/event.hpp"
#include "waxwing/net/url.hpp"
#include "waxwing/observe/log.hpp"

namespace waxwing::app {

using nlohmann::json;

net::Task<> ProviderInference::run(listener::Call call, net::BodySource& source, net::AnswerSink& sink) {
  co_return co_await provider_.run(
      {.method = std::move(call.method), .target = std::move(call.target), .fields = call.fields}, source, sink);
}

listener::Readiness ProviderInference::readiness() const {
  const upstream::Readiness now = provider_.readiness();
  json sessions = json::array();
  for (const upstream::SessionView& session : now.sessions)
    sessions.push_back({{"worker", session.worker},
                        {"label", session.label},
                        {"statement_sha256", session.statement_sha256},
                        {"key_id", session.key_id},
                        {"not_after", to_rfc3339(session.not_after)}});
  json body{
      {"ready", !now.sessions.empty()}, {"provider", provider_.options().name}, {"sessions", std::move(sessions)}};
  if (now.last_error)
    body["error"] = {{"code", to_string(now.last_error->code())}, {"message", now.last_error->describe()}};
  return {.ready = !now.sessions.empty(), .json = body.dump()};
}

namespace {

listener::Options listener_options(const Config& config) {
  listener::Options options;
  options.admission.hosts = config.hosts;
  options.body = config.body;
  options.header = config.header;
  options.connections = config.connections;
  options.requests = config.requests;
  options.client_idle = config.client_idle;
  return options;
}

upstream::ProviderOptions provider_options(upstream::ProviderOptions options, const Config& config) {
  options.replay_buffer = config.replay_buffer;
  return options;
}

}  // namespace

Daemon::Daemon(net::Loop& loop, net::Dialer& dialer, Random& random, observe::Logger& log, const Config& config,
               LoadedProvider provider)
    : config_(config),
      loop_(loop),
      replay_{.left = config.replay_total},
      provider_({.loop = loop, .dialer = dialer, .random = random, .log = log, .replay = replay_},
                provider_options(std::move(provider.options), config), std::move(provider.policy)),
      inference_(provider_),
      api_(inference_, listener_options(config), random, log, metrics_),
      server_(loop, api_, api_.server_options()) {}

Result<std::vector<std::string>> Daemon::listen() {
  const bool defaults = config_.address == Config{}.address;
  std::vector<std::string> urls;
  for (const std::string& text : config_.address) {
    WAXWING_ASSIGN(const net::ListenAddress address, net::parse_listen_address(text));
    if (!address.is_loopback() && !config_.allow_remote)
      return fail(Code::config_invalid,
                  "listening on " + text + " needs listen.allow_remote = true: it is not this machine's alone");
    auto acceptor = net::Acceptor::listen(loop_, address);
    if (!acceptor && defaults && !acceptors_.empty()) continue;
    if (!acceptor) return std::unexpected(std::move(acceptor).error().with("listening on " + text));
    const net::ListenAddress& real = acceptor->address();
    urls.push_back(real.socket.empty() ? "http://" + real.to_string() : real.to_string());
    acceptors_.push_back(*std::move(acceptor));
  }
  return urls;
}

void Daemon::start(net::TaskGroup& tasks) {
  tasks.spawn(provider_.maintain());
  for (net::Acceptor& acceptor : acceptors_) tasks.spawn(server_.serve(std::move(acceptor), std::nullopt));
  acceptors_.clear();
}

net::Task<> Daemon::drain() {
  return server_.drain(loop_.deadline_in(config_.drain));
}

net::Task<> wait_for_stop_signal(net::Loop& loop) {
  net::Event arrived(loop);
  boost::asio::basic_signal_set<net::Executor> signals(loop.executor(), SIGINT, SIGTERM);
  signals.async_wait([&arrived](const boost::system::error_code& error, int /*signal*/) {
    if (!error) arrived.signal();
  });
  co_return net::to_result(co_await arrived.wait(net::Deadline::none()), "waiting for a signal");
}

}  // namespace waxwing::app
