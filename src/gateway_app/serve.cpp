// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "serve.hpp"

#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "files.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/random.hpp"
#include "waxwing/crypto/x509.hpp"
#include "waxwing/gateway/attestor.hpp"
#include "waxwing/gateway/engine.hpp"
#include "waxwing/gateway/gateway.hpp"
#include "waxwing/gateway_app/simulated_source.hpp"
#include "waxwing/net/task_group.hpp"
#include "waxwing/observe/log.hpp"
#include "waxwing/sealed/message.hpp"

namespace waxwing::gateway_app {
namespace {

namespace snp = evidence::sev_snp;
using observe::Text;

constexpr std::string_view kBuild = "waxwing-gateway " WAXWING_VERSION;

std::string default_state_directory() {
  if (const char* own = std::getenv("WAXWING_GATEWAY_STATE"); own != nullptr && *own != '\0') return own;
  if (const char* systemd = std::getenv("STATE_DIRECTORY"); systemd != nullptr && *systemd != '\0') {
    const std::string all(systemd);
    return all.substr(0, all.find(':'));
  }
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') {
    return std::string(xdg) + "/waxwing-gateway";
  }
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "") + "/.local/state/waxwing-gateway";
}

Result<std::unique_ptr<gateway::EvidenceSource>> simulated_source(const ServeOptions& options, Random& random,
                                                                  WallTime now, observe::Logger& log) {
  const Config& config = options.config;
  SimulatedOptions simulated;
  simulated.product = config.evidence_simulated_product;
  if (!config.evidence_simulated_measurement.empty()) {
    WAXWING_ASSIGN(const Bytes measurement, from_hex(config.evidence_simulated_measurement));
    simulated.measurement = to_array<snp::kMeasurementSize>(measurement);
  }
  simulated.policy = simulated_policy(config);
  if (!config.evidence_simulated_host_data.empty()) {
    WAXWING_ASSIGN(const Bytes host_data, from_hex(config.evidence_simulated_host_data));
    simulated.host_data = to_array<32>(host_data);
  }
  const std::string directory = options.state_directory.empty() ? default_state_directory() : options.state_directory;
  WAXWING_ASSIGN(const simulate::SnpRoot root, load_or_create_root(directory, simulated.product, now));
  if (!options.simulated_root_out.empty()) {
    WAXWING_TRY(write_file(options.simulated_root_out, as_bytes(root.ark_pem()), FileMode::readable));
  }
  log.warn("evidence is SIMULATED: it proves nothing about this machine", {{"state", Text(directory)}});
  WAXWING_ASSIGN(auto source, SimulatedSource::create(root, simulated, random, now));
  return std::unique_ptr<gateway::EvidenceSource>(std::move(source));
}

Result<std::unique_ptr<gateway::EvidenceSource>> configfs_source(const Config& config) {
  gateway::ConfigfsTsmOptions options;
  options.deadline = config.evidence_report_time;
  for (const std::string& path : config.evidence_certificates) {
    WAXWING_ASSIGN(const std::string pem, read_text_file(path));
    WAXWING_ASSIGN(const auto certificates, crypto::Certificate::from_pem(pem, Limits::evidence().certificates));
    for (const crypto::Certificate& certificate : certificates) {
      options.endorsements.chain.push_back(to_bytes(certificate.der()));
    }
  }
  if (!config.evidence_crl.empty()) {
    WAXWING_ASSIGN(options.endorsements.crl, read_file(config.evidence_crl));
  }
  WAXWING_ASSIGN(auto source,
                 gateway::ConfigfsTsmSource::open(std::make_unique<gateway::DirectoryTsmTree>(config.evidence_tsm_root),
                                                  std::move(options)));
  return std::unique_ptr<gateway::EvidenceSource>(std::move(source));
}

Result<std::unique_ptr<gateway::EvidenceSource>> evidence_source(const ServeOptions& options, Random& random,
                                                                 WallTime now, observe::Logger& log) {
  if (options.config.evidence_source == EvidenceKind::simulated) return simulated_source(options, random, now, log);
  auto source = configfs_source(options.config);
  if (!source) return std::unexpected(std::move(source).error().with("evidence.source = \"configfs-tsm\""));
  return source;
}

Result<std::optional<net::TlsServerContext>> listener_tls(const Config& config, WallTime now) {
  if (config.listen_tls == OuterTls::plain) return std::nullopt;
  if (config.listen_tls == OuterTls::attested) {
    WAXWING_ASSIGN(auto tls, gateway::make_attested_tls(now));
    return tls;
  }
  WAXWING_ASSIGN(const std::string chain, read_text_file(config.listen_certificate));
  WAXWING_ASSIGN(const SecretBytes key, read_secret_file(config.listen_key));
  WAXWING_ASSIGN(auto tls, net::TlsServerContext::from_pem(chain, key));
  return tls;
}

Result<std::unique_ptr<gateway::Engine>> make_engine(net::Loop& loop, const Config& config) {
  gateway::EngineOptions options;
  WAXWING_ASSIGN(options.target, engine_target(config));
  if (!config.engine_ca_file.empty()) {
    WAXWING_ASSIGN(options.ca_pem, read_text_file(config.engine_ca_file));
  }
  if (!config.engine_api_key_file.empty()) {
    WAXWING_ASSIGN(options.api_key, read_secret_file(config.engine_api_key_file));
  }
  options.connect = config.engine_connect;
  options.first_byte = config.engine_first_byte;
  options.idle = config.engine_idle;
  return gateway::Engine::make(loop, std::move(options));
}

Result<exchange::WorkerKeys> make_keys(const Config& config, Random& random, Now now) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  exchange::WorkerKeysOptions options;
  WAXWING_ASSIGN(options.kems, kems(config));
  options.rotation = duration_cast<seconds>(config.keys_rotation);
  options.grace = duration_cast<seconds>(config.keys_grace);
  return exchange::WorkerKeys::create(std::move(options), random, now);
}

Result<gateway::GatewayOptions> gateway_options(const Config& config) {
  using std::chrono::duration_cast;
  using std::chrono::seconds;
  gateway::GatewayOptions options;
  options.body = config.requests_body;
  options.replay.window = duration_cast<seconds>(config.requests_window);
  options.replay.entries = config.requests_replay_entries;
  options.replay.entries_per_source = config.requests_replay_entries_per_source;
  options.replay.key_life = duration_cast<seconds>(config.keys_rotation + config.keys_grace);
  WAXWING_ASSIGN(options.extra_paths, extra_paths(config));
  if (!config.clients_keys_file.empty()) {
    WAXWING_ASSIGN(const SecretBytes keys, read_secret_file(config.clients_keys_file));
    WAXWING_ASSIGN(options.clients, gateway::ClientKeys::parse(keys.expose_text(SecretAccess())));
  }
  options.requests_per_minute = config.clients_requests_per_minute;
  options.failed_opens_per_minute = config.listen_max_failed_opens_per_source;
  options.requests = config.listen_max_requests;
  options.requests_per_source = config.listen_max_requests_per_source;
  options.read_idle = config.listen_read_idle;
  options.write_idle = config.listen_write_idle;
  return options;
}

net::ErrorBody plain_error(int /*status*/, const Error& /*error*/, const net::RequestHead* /*request*/) {
  // What was wrong is for the log: an answer in the clear tells nothing of what was decrypted.
  return {"application/problem+json", R"({"title":"the request cannot be served"})", {{"cache-control", "no-store"}}};
}

net::ServerOptions server_options(const Config& config) {
  net::ServerOptions options;
  options.body = sealed::RequestReader::max_wire({.head = {}, .content = config.requests_body});
  options.connections = config.listen_max_connections;
  options.connections_per_source = config.listen_max_connections_per_source;
  // Attestation questions that wait have a bound of their own: they must not keep sealed requests out.
  options.requests = config.listen_max_requests + config.attestation_waiting_nonces;
  options.write_idle = config.listen_write_idle;
  options.error_body = plain_error;
  return options;
}

/// Lines for scripts, on the standard output and where --ready-fd says.
class Announcer {
 public:
  explicit Announcer(std::optional<int> descriptor) : descriptor_(descriptor) {}
  void say(const std::string& line) const {
    std::fputs((line + "\n").c_str(), stdout);
    std::fflush(stdout);
    if (!descriptor_) return;
    const std::string text = line + "\n";
    // Whoever handed us the descriptor may have gone; that is no reason to stop serving.
    [[maybe_unused]] const ssize_t wrote = ::write(*descriptor_, text.data(), text.size());
  }

 private:
  std::optional<int> descriptor_;
};

/// Everything that runs, in the order of its dependencies.
class Service {
 public:
  Service(net::Loop& loop, const ServeOptions& options, observe::Logger& log, gateway::Attestor& attestor,
          gateway::Engine& engine, const gateway::Gateway& gateway, net::HttpServer& server,
          std::optional<net::TlsServerContext> tls)
      : loop_(loop),
        options_(options),
        log_(log),
        attestor_(attestor),
        engine_(engine),
        gateway_(gateway),
        server_(server),
        tls_(std::move(tls)),
        announcer_(options.ready_fd),
        stop_(loop),
        signals_(loop.io(), SIGTERM, SIGINT),
        input_(loop.executor()) {}

  Result<void> listen() {
    for (const std::string& text : options_.config.listen_address) {
      WAXWING_ASSIGN(const net::ListenAddress address, net::parse_listen_address(text));
      WAXWING_ASSIGN(net::Acceptor acceptor, net::Acceptor::listen(loop_, address));
      acceptors_.push_back(std::move(acceptor));
    }
    return {};
  }

  net::Task<> run() {
    watch_signals();
    if (options_.lifetime == Lifetime::until_input_ends) watch_input();
    auto outcome = co_await serve();
    signals_.cancel();
    input_.close();
    co_return outcome;
  }

 private:
  net::Task<> serve() {
    auto evidence = co_await attestor_.begin();
    if (!evidence) co_return std::unexpected(std::move(evidence).error().with("the first hardware report"));
    WAXWING_CO_TRY(check_measured_config(*evidence));
    net::TaskGroup tasks(loop_);
    tasks.spawn(supervise(attestor_.run()));
    for (net::Acceptor& acceptor : acceptors_) {
      const std::string address = acceptor.address().to_string();
      const bool is_unix = !acceptor.address().socket.empty();
      announcer_.say("listening " + (is_unix ? address : (tls_ ? "https://" : "http://") + address));
      log_.info("listening", {{"address", Text(address)}});
      if (!acceptor.address().is_loopback() && options_.config.clients_keys_file.empty()) {
        log_.warn("no client keys: whoever reaches this address may use the engine", {{"address", Text(address)}});
      }
      tasks.spawn(supervise(server_.serve(std::move(acceptor), tls_)));
    }
    announcer_.say("ready");
    static_cast<void>(co_await stop_.wait(net::Deadline::none()));
    log_.info("ending", {{"requests", server_.stats().in_progress}});
    auto drained = co_await server_.drain(loop_.deadline_in(options_.config.listen_drain));
    tasks.cancel_all();
    static_cast<void>(co_await tasks.join(net::Deadline::none()));
    static_cast<void>(co_await engine_.close());
    const gateway::Gateway::Stats& served = gateway_.stats();
    log_.info("ended", {{"answered", served.answered},
                        {"cut", served.cut},
                        {"refused", served.refused},
                        {"not_opened", served.not_opened},
                        {"reports", attestor_.stats().reports}});
    if (failure_) co_return std::unexpected(*std::move(failure_));
    if (!drained && drained.error().code() != Code::cancelled) co_return drained;
    co_return Result<void>();
  }

  /// The end of one part is the end of all.
  net::Task<> supervise(net::Task<> part) {
    auto outcome = co_await std::move(part);
    if (!outcome && outcome.error().code() != Code::cancelled && !failure_) failure_ = outcome.error();
    stop_.signal();
    co_return Result<void>();
  }

  Result<void> check_measured_config(const gateway::Evidence& evidence) const {
    if (!options_.config.evidence_require_measured_config || evidence.host_data == options_.file_sha256) return {};
    return fail(Code::config_invalid,
                "evidence.require_measured_config: HOST_DATA is not the SHA-256 of the configuration file");
  }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int /*number*/) {
      if (error) return;
      if (std::exchange(asked_to_stop_, true)) return loop_.stop();
      stop_.signal();
      watch_signals();
    });
  }

  /// Whoever started us holds the other end, however it dies.
  void watch_input() {
    if (!input_.is_open()) input_.assign(::dup(STDIN_FILENO));
    input_.async_read_some(boost::asio::buffer(input_byte_),
                           [this](const boost::system::error_code& error, std::size_t /*size*/) {
                             if (error == boost::asio::error::operation_aborted) return;
                             if (error) return stop_.signal();
                             watch_input();
                           });
  }

  net::Loop& loop_;
  const ServeOptions& options_;
  observe::Logger& log_;
  gateway::Attestor& attestor_;
  gateway::Engine& engine_;
  const gateway::Gateway& gateway_;
  net::HttpServer& server_;
  std::optional<net::TlsServerContext> tls_;
  Announcer announcer_;
  std::vector<net::Acceptor> acceptors_;
  net::Event stop_;
  boost::asio::basic_signal_set<net::Executor> signals_;
  boost::asio::posix::basic_stream_descriptor<net::Executor> input_;
  std::array<std::byte, 1> input_byte_{};
  bool asked_to_stop_ = false;
  std::optional<Error> failure_;
};

net::Task<> run_service(Service& service, Result<void>& outcome) {
  outcome = co_await service.run();
  co_return Result<void>();
}

}  // namespace

Result<void> serve(const ServeOptions& options) {
  const Config& config = options.config;
  const SystemClock clock;
  const Now now = clock.now();
  crypto::SystemRandom random;
  const auto log = observe::make_logger({.level = config.log_level, .format = config.log_format}, clock);

  WAXWING_ASSIGN(const auto tls, listener_tls(config, now.wall));
  WAXWING_ASSIGN(const auto source, evidence_source(options, random, now.wall, *log));
  net::Loop loop(clock);
  WAXWING_ASSIGN(const auto engine, make_engine(loop, config));
  WAXWING_ASSIGN(exchange::WorkerKeys keys, make_keys(config, random, now));
  gateway::ThreadedReporter reporter(loop, *source, config.evidence_report_time);
  gateway::StatementFacts facts;
  if (tls) facts.tls_spki_sha256 = tls->spki_sha256();
  facts.engine_reach = engine->reach();
  facts.config_sha256 = config_sha256(config);
  facts.build = kBuild;
  gateway::AttestorOptions attestation;
  attestation.reports_per_second = config.attestation_reports_per_second;
  attestation.waiting_nonces = config.attestation_waiting_nonces;
  attestation.waiting_per_source = config.attestation_waiting_per_source;
  gateway::Attestor attestor(loop, reporter, std::move(keys), std::move(facts), attestation, random, *log);
  WAXWING_ASSIGN(gateway::GatewayOptions gateway_settings, gateway_options(config));
  gateway::Gateway gateway(std::move(gateway_settings), attestor, *engine, random, clock, *log);
  net::HttpServer server(loop, gateway, server_options(config));

  Service service(loop, options, *log, attestor, *engine, gateway, server, tls);
  WAXWING_TRY(service.listen());
  Result<void> outcome;
  net::TaskGroup root(loop);
  root.spawn(run_service(service, outcome));
  loop.run();
  return outcome;
}

}  // namespace waxwing::gateway_app
