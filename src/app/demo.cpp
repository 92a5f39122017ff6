// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "commands.hpp"
#include "config.hpp"
#include "daemon.hpp"
#include "process.hpp"
#include "waxwing/appraisal/verdict.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/random.hpp"
#include "waxwing/dialect/sse.hpp"
#include "waxwing/net/dialer.hpp"
#include "waxwing/net/http_client.hpp"
#include "waxwing/observe/log.hpp"

namespace waxwing::app {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr std::chrono::seconds kStartTime{120};  // an engine may have to load a model, the gateway to make RSA keys
constexpr std::chrono::minutes kAnswerTime{10};

/// A directory of our own that goes with the demo.
class ScratchDirectory {
 public:
  [[nodiscard]] static Result<ScratchDirectory> make() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    std::error_code error;
    const fs::path base =
        runtime != nullptr && fs::is_directory(runtime, error) ? fs::path(runtime) : fs::temp_directory_path(error);
    std::string name = (base / "waxwing-demo-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return fail(Code::io, "no directory can be made below " + base.string());
    return ScratchDirectory(name);
  }
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  [[nodiscard]] Result<void> write(const std::string& name, const std::string& text) const {
    std::ofstream out(path_ / name, std::ios::binary);
    out << text;
    out.close();
    if (!out) return fail(Code::io, (path_ / name).string() + " cannot be written");
    return {};
  }

 private:
  explicit ScratchDirectory(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

void step(std::string_view text) {
  std::cout << "==> " << text << std::endl;
}

class Demonstration {
 public:
  Demonstration(const Demo& command, net::Loop& loop, const ScratchDirectory& scratch)
      : command_(command), loop_(loop), scratch_(scratch), dialer_(loop), tasks_(loop) {}

  /// The whole way, in order; leaves the loop stopped.
  [[nodiscard]] net::Task<> run() {
    auto shown = co_await show();
    if (!shown && shown.error().code() != Code::cancelled) error_ = shown.error();
    if (daemon_) (void)co_await daemon_->drain();
    tasks_.cancel_all();
    (void)co_await tasks_.join(net::Deadline::none());
    loop_.stop();
    co_return Result<void>{};
  }
  [[nodiscard]] net::Task<> stop_on_signal() {
    WAXWING_CO_TRY(co_await wait_for_stop_signal(loop_));
    std::cout << "\nstopping" << std::endl;
    stopped_.signal();
    loop_.stop();
    co_return Result<void>{};
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  net::Task<> show() {
    WAXWING_CO_ASSIGN(const std::string engine, co_await start_engine());
    WAXWING_CO_ASSIGN(const std::string gateway, co_await start_gateway(engine));
    WAXWING_CO_TRY(start_daemon(gateway));
    WAXWING_CO_TRY(co_await show_verdict());
    WAXWING_CO_TRY(co_await ask());
    show_how_to_use();
    if (command_.once == Once::yes) co_return Result<void>{};
    std::cout << "\nCtrl-C ends everything." << std::endl;
    co_return net::to_result(co_await stopped_.wait(net::Deadline::none()), "serving");
  }

  net::Task<std::string> start_engine() {
    if (command_.engine == "builtin" || (command_.engine.empty() && command_.engine_command.empty())) {
      step("engine: the gateway's built-in one. It is no language model: its answers are made of your question.");
      co_return std::string("builtin");
    }
    if (!command_.engine.empty()) {
      step("engine: " + command_.engine + " (yours)");
      co_return command_.engine;
    }
    step("engine: starting a small language model on this machine");
    WAXWING_CO_ASSIGN(engine_, ChildProcess::start(loop_, command_.engine_command));
    WAXWING_CO_ASSIGN(std::string url, co_await read_address(*engine_, "the engine"));
    step("engine: " + url);
    co_return url;
  }

  net::Task<std::string> start_gateway(const std::string& engine) {
    step("gateway: the worker's half, with SIMULATED SEV-SNP evidence (this machine need not be a confidential VM)");
    crypto::SystemRandom random;
    measurement_ = to_hex(random.array<48>());
    const std::string config =
        "[listen]\naddress = [\"127.0.0.1:0\"]\ntls = \"attested\"\n\n[engine]\nurl = " + settings::quote(engine) +
        "\n\n[evidence]\nsource = \"simulated\"\nsimulated_measurement = \"" + measurement_ + "\"\n";
    WAXWING_CO_TRY(scratch_.write("gateway.toml", config));
    WAXWING_CO_ASSIGN(
        gateway_, ChildProcess::start(
                      loop_, {(own_directory() / "waxwing-gateway").string(), "serve", "--config",
                              (scratch_.path() / "gateway.toml").string(), "--simulated-root-out",
                              (scratch_.path() / "root.pem").string(), "--log-level", "warn", "--until-input-ends"}));
    WAXWING_CO_ASSIGN(std::string url, co_await read_address(*gateway_, "waxwing-gateway"));
    step("gateway: " + url);
    co_return url;
  }

  /// "listening URL" is the line we wait for.
  net::Task<std::string> read_address(ChildProcess& child, std::string_view who) {
    constexpr std::string_view kListening = "listening ";
    const net::Deadline deadline = loop_.deadline_in(kStartTime);
    while (true) {
      auto line = co_await child.read_line(deadline);
      if (!line) co_return std::unexpected(std::move(line).error().with("starting " + std::string(who)));
      if (line->starts_with(kListening)) co_return line->substr(kListening.size());
      std::cout << "    " << *line << std::endl;
    }
  }

  Result<void> start_daemon(const std::string& gateway) {
    const std::string policy =
        "version = 1\nname = \"demo\"\n\n[[roots]]\nlabel = \"SIMULATED\"\nfile = \"root.pem\"\n\n"
        "[snp]\nmeasurements = [\"" +
        measurement_ + "\"]\n\n[engine]\nreach = [\"builtin\", \"unix\", \"loopback\"]\n";
    WAXWING_TRY(scratch_.write("policy.toml", policy));
    config_.address = {"127.0.0.1:" + std::to_string(command_.port)};
    config_.log_level = LogLevel::warn;
    ProviderConfig provider;
    provider.name = "demo";
    provider.url = gateway;
    provider.policy = "policy.toml";
    provider.tls = upstream::TlsMode::attested;
    config_.providers = {provider};
    log_ = observe::make_logger({.level = config_.log_level, .format = config_.log_format}, loop_.clock());

    WAXWING_ASSIGN(LoadedProvider loaded, load_provider(provider, scratch_.path()));
    daemon_.emplace(loop_, dialer_, random_, *log_, config_, std::move(loaded));
    auto urls = daemon_->listen();
    if (!urls) {
      step("port " + std::to_string(command_.port) + " is busy, taking a free one");
      config_.address = {"127.0.0.1:0"};
      urls = daemon_->listen();
    }
    if (!urls) return std::unexpected(std::move(urls).error());
    url_ = urls->front();
    daemon_->start(tasks_);
    step("daemon: " + url_);
    return {};
  }

  net::Task<> show_verdict() {
    WAXWING_CO_TRY(co_await daemon_->provider().first_session(loop_.deadline_in(kStartTime)));
    const auto verdict = daemon_->provider().last_verdict();
    if (verdict) std::cout << '\n' << appraisal::to_table(*verdict) << std::endl;
    co_return Result<void>{};
  }

  net::Task<> ask() {
    WAXWING_CO_ASSIGN(const std::string models, co_await daemon_->provider().models({}));
    const json parsed = json::parse(models, nullptr, false);
    model_ = "default";
    if (parsed.is_object() && parsed.contains("data") && parsed["data"].is_array() && !parsed["data"].empty())
      model_ = parsed["data"][0].value("id", model_);
    step("asking " + model_ + " through the local API: " + command_.question);
    std::cout << '\n';
    const json body{{"model", model_},
                    {"stream", true},
                    {"max_tokens", 200},
                    {"messages", json::array({{{"role", "user"}, {"content", command_.question}}})}};
    auto answered = co_await stream_answer(body.dump(-1, ' ', false, json::error_handler_t::replace));
    std::cout << '\n' << std::endl;
    co_return answered;
  }

  /// As an app would: over HTTP to the local API.
  net::Task<> stream_answer(std::string body) {
    WAXWING_CO_ASSIGN(const net::Url url, net::parse_url(url_));
    const net::Deadline deadline = loop_.deadline_in(kAnswerTime);
    WAXWING_CO_ASSIGN(net::StreamPtr stream,
                      co_await dialer_.dial({.origin = url.origin, .tls = std::nullopt}, deadline));
    net::ClientConnection client(std::move(stream), {});
    net::RequestHead head;
    head.method = "POST";
    head.target = "/v1/chat/completions";
    head.fields = net::Fields{{"host", url.origin.host_field()}, {"content-type", "application/json"}};
    WAXWING_CO_TRY(client.start(head, net::BodyLength::known(body.size())));
    WAXWING_CO_TRY(client.send({as_bytes(body)}));
    WAXWING_CO_TRY(client.finish());
    WAXWING_CO_TRY(co_await client.flush(deadline));
    WAXWING_CO_TRY(co_await client.read_head(deadline));
    if (client.response().status != 200) {
      constexpr std::size_t kMostError = 65536;
      WAXWING_CO_ASSIGN(const Bytes error, co_await client.read_whole_body(kMostError, deadline));
      co_return fail(Code::internal, "the local API answered " + std::string(as_text(error)));
    }
    dialect::SseSplitter events(dialect::SseLimits::answer());
    while (true) {
      WAXWING_CO_ASSIGN(const net::BodyPiece piece, co_await client.read_body(deadline));
      if (piece.state == net::BodyPiece::State::end) co_return Result<void>{};
      events.feed(piece.bytes);
      while (true) {
        WAXWING_CO_ASSIGN(const auto event, events.next());
        if (!event) break;
        WAXWING_CO_TRY(print(as_text(event->bytes)));
      }
    }
  }

  static Result<void> print(std::string_view event) {
    constexpr std::string_view kData = "data: ";
    const std::size_t at = event.find(kData);
    if (at == std::string_view::npos) return {};
    const json chunk = json::parse(event.substr(at + kData.size()), nullptr, false);
    if (!chunk.is_object()) return {};
    if (chunk.contains("error")) return fail(Code::answer_cut, chunk["error"].value("message", "the answer was cut"));
    if (!chunk.contains("choices") || chunk["choices"].empty()) return {};
    const json& choice = chunk["choices"][0];
    if (choice.contains("delta") && choice["delta"].contains("content") && choice["delta"]["content"].is_string())
      std::cout << choice["delta"]["content"].get<std::string>() << std::flush;
    return {};
  }

  void show_how_to_use() const {
    std::cout << "The same from Python, with the stock OpenAI package:\n\n"
                 "    from openai import OpenAI\n"
                 "    client = OpenAI(base_url=\""
              << url_ << "/v1\", api_key=\"unused\")\n"
              << "    print(client.chat.completions.create(model=\"" << model_
              << "\", messages=[{\"role\": \"user\", \"content\": \"Hello\"}]).choices[0].message.content)"
              << std::endl;
  }

  const Demo& command_;
  net::Loop& loop_;
  const ScratchDirectory& scratch_;
  net::DirectDialer dialer_;
  crypto::SystemRandom random_;
  std::unique_ptr<observe::Logger> log_;
  Config config_;
  std::string measurement_;
  std::optional<ChildProcess> engine_;
  std::optional<ChildProcess> gateway_;
  std::optional<Daemon> daemon_;
  net::TaskGroup tasks_;
  net::Event stopped_{loop_};
  std::string url_;
  std::string model_;
  std::optional<Error> error_;
};

}  // namespace

int demo(const Demo& command) {
  auto scratch = ScratchDirectory::make();
  if (!scratch) return report(scratch.error());
  const SystemClock clock;
  net::Loop loop(clock);
  Demonstration demonstration(command, loop, *scratch);
  net::TaskGroup tasks(loop);
  tasks.spawn(demonstration.run());
  tasks.spawn(demonstration.stop_on_signal());
  loop.run();
  if (demonstration.error()) return report(*demonstration.error());
  return 0;
}

}  // namespace waxwing::app
