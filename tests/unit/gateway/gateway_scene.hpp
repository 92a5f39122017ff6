// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../net/net_test.hpp"
#include "support/scripted_random.hpp"
#include "support/simulated_root.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/gateway/gateway.hpp"
#include "waxwing/net/http_client.hpp"
#include "waxwing/net/http_server.hpp"
#include "waxwing/provider/waxwing/attestation.hpp"
#include "waxwing/provider/waxwing/request.hpp"
#include "waxwing/sealed/message.hpp"

namespace waxwing::gateway {

using namespace std::chrono_literals;
using net::Deadline;
using net::Task;

/// Simulated reports, made at once on the loop's own thread.
class InlineReporter final : public Reporter {
 public:
  Task<Evidence> report(ReportData report_data) override {
    ++reports;
    simulate::Report report = chip.blank_report();
    report.report_data = report_data;
    report.report_id = report_id;
    Evidence evidence;
    WAXWING_CO_ASSIGN(evidence.item.data, chip.sign(report));
    evidence.item.kind = "sev-snp";
    evidence.item.endorsements = exchange::encode_snp_endorsements({.chain = chip.chain(), .crl = {}});
    evidence.report_id = report_id;
    co_return evidence;
  }

  simulate::SnpChip chip = simulate::SnpChip::create(test::simulated_root(), test::kEvidenceTime).value();
  ByteArray<32> report_id{std::byte{7}};
  int reports = 0;
};

/// An engine that tests write as a function.
class ScriptedEngine final : public net::RequestHandler {
 public:
  using Function = std::function<Task<>(net::ServerConnection&)>;
  explicit ScriptedEngine(Function function) : function_(std::move(function)) {}
  Task<> handle(net::ServerConnection& connection) override { return function_(connection); }

 private:
  Function function_;
};

/// What a client gets: the outer answer, and the inner one as far as it could be read.
struct Reply {
  int outer = 0;
  std::string outer_body;
  std::optional<Code> broken;  // why the outer or inner answer did not come to its end
  int status = 0;
  sealed::Fields fields;
  std::string body;
  std::vector<std::size_t> chunks;  // sizes of the outer body's pieces as sealed

  [[nodiscard]] std::string field(std::string_view name) const {
    const std::string* value = sealed::find_field(fields, name);
    return value != nullptr ? *value : "";
  }
};

class GatewayTest : public net::NetTest {
 public:
  using net::NetTest::clock;
  using net::NetTest::loop;
  using net::NetTest::pass;

  /// A gateway that serves on a loopback port, in front of `engine` ("builtin", or the URL of an engine).
  void start(std::string_view engine = "builtin", GatewayOptions options = {}) {
    engine_options.target = parse_engine(engine, RemoteEngine::refuse).value();
    engine_ = Engine::make(loop, std::move(engine_options)).value();
    StatementFacts facts;
    facts.engine_reach = engine_->reach();
    facts.build = "test";
    attestor_ =
        std::make_unique<Attestor>(loop, reporter, exchange::WorkerKeys::create({}, random, clock.now()).value(),
                                   std::move(facts), AttestorOptions{}, random, log_);
    gateway = std::make_unique<Gateway>(std::move(options), *attestor_, *engine_, random, clock, log_);
    server_ = std::make_unique<net::HttpServer>(loop, *gateway, net::ServerOptions{});
    net::Acceptor acceptor = net::listen_on_loopback(loop);
    origin_ = net::origin_of(acceptor, net::Scheme::http);
    services_.spawn(server_->serve(std::move(acceptor), std::nullopt));
    services_.spawn(attestor_->run());
  }
  /// Serves `function` as an engine; its URL.
  std::string serve_engine(ScriptedEngine::Function function) {
    engine_handlers_.push_back(std::make_unique<ScriptedEngine>(std::move(function)));
    engine_servers_.push_back(std::make_unique<net::HttpServer>(loop, *engine_handlers_.back(), net::ServerOptions{}));
    net::Acceptor acceptor = net::listen_on_loopback(loop);
    const std::string url = net::origin_of(acceptor, net::Scheme::http).to_string();
    services_.spawn(engine_servers_.back()->serve(std::move(acceptor), std::nullopt));
    return url;
  }
  /// Runs a client's task, then ends everything.
  void play(Task<> client) { expect_ok(play_to_end(std::move(client))); }

  Task<std::unique_ptr<net::ClientConnection>> connect() {
    net::DirectDialer dialer(loop);
    WAXWING_CO_ASSIGN(auto stream, co_await dialer.dial({origin_, std::nullopt}, Deadline::none()));
    co_return std::make_unique<net::ClientConnection>(std::move(stream), net::ClientOptions{});
  }

  Task<Reply> plain(std::string method, std::string target, net::Fields fields = {}) {
    WAXWING_CO_ASSIGN(auto connection, co_await connect());
    net::RequestHead head{.method = std::move(method), .target = std::move(target), .fields = std::move(fields)};
    head.fields.add("host", "gateway");
    WAXWING_CO_TRY(connection->start(head, net::BodyLength::none()));
    WAXWING_CO_TRY(connection->finish());
    co_return co_await read_outer(*connection);
  }

  /// Attests and judges as the daemon does.
  Task<std::shared_ptr<const exchange::SessionKey>> attest() {
    namespace native = provider::native;
    auto question = native::AttestationQuestion::draw(random, clock.now());
    WAXWING_CO_ASSIGN(Reply reply, co_await plain("GET", question.target()));
    if (reply.outer != 200) co_return fail(Code::worker_unreachable, "attestation: " + reply.outer_body);
    appraisal::Policy policy;
    policy.name = "simulated";
    policy.roots.certificates.push_back(
        {crypto::Certificate::from_der(test::simulated_root().ark()).value(), "SIMULATED"});
    policy.snp.measurements = appraisal::Measurements{simulate::simulated_measurement()};
    const native::ClientPolicy client;
    const auto judged = native::judge(std::move(question).answer(reply.outer_body, std::nullopt),
                                      {policy, policy.roots, client}, clock.now());
    co_return judged.key;
  }

  struct Sealed {
    Bytes wire;
    std::optional<sealed::ResponseOpener> opener;
  };
  enum class Pad : std::uint8_t { no, yes };

  /// The fields that the daemon puts inside.
  sealed::Fields inner_fields() {
    const std::string id = to_base64url(random.array<16>());
    return {{"date", to_http_date(clock.now().wall)}, {"waxwing-request-id", id}, {"content-type", "application/json"}};
  }
  Sealed seal(const exchange::SessionKey& key, const sealed::RequestHead& head, std::string_view body) {
    return std::move(seal_twice(key, head, body).first);
  }
  /// The same bytes for two sendings.
  std::pair<Sealed, Sealed> seal_twice(const exchange::SessionKey& key, const sealed::RequestHead& head,
                                       std::string_view body) {
    sealed::RequestComposer composer(sealed::ClientExchange::begin(key, clock.now(), random).value());
    composer.head(head).value();
    composer.content(as_bytes(body)).value();
    composer.finish().value();
    const Bytes wire = to_bytes(composer.wire().view());
    return {Sealed{wire, composer.response()}, Sealed{wire, composer.response()}};
  }
  sealed::RequestHead chat_head() { return {"POST", "https", "", "/v1/chat/completions", inner_fields()}; }

  net::RequestHead outer_head(const exchange::WorkerId& worker) {
    net::RequestHead head{.method = "POST", .target = exchange::request_path(worker)};
    head.fields.add("host", "gateway");
    head.fields.add("content-type", sealed::kRequestMediaType);
    return head;
  }

  Task<> upload(net::ClientConnection& connection, exchange::WorkerId worker, ByteView wire) {
    WAXWING_CO_TRY(connection.start(outer_head(worker), net::BodyLength::chunked()));
    WAXWING_CO_ASSIGN(const net::Sent sent, connection.send({wire}));
    if (sent == net::Sent::blocked) WAXWING_CO_TRY(co_await connection.flush(Deadline::none()));
    if (!connection.answered()) WAXWING_CO_TRY(connection.finish());
    co_return co_await connection.flush(Deadline::none());
  }
  /// Sends sealed bytes and reads the answer.
  Task<Reply> send(exchange::WorkerId worker, Sealed sealed, Pad pad = Pad::no) {
    WAXWING_CO_ASSIGN(auto connection, co_await connect());
    WAXWING_CO_TRY(co_await upload(*connection, worker, sealed.wire));
    WAXWING_CO_ASSIGN(Reply reply, co_await read_outer(*connection));
    if (reply.outer == 200) open_answer(reply, *std::move(sealed.opener), pad);
    co_return reply;
  }
  /// seal and send in one.
  Task<Reply> ask(std::shared_ptr<const exchange::SessionKey> key, sealed::RequestHead head, std::string body,
                  Pad pad = Pad::no) {
    if (pad == Pad::yes) head.fields.push_back({"waxwing-pad", "256"});
    co_return co_await send(key->worker(), seal(*key, std::move(head), body), pad);
  }

  static Task<Reply> read_outer(net::ClientConnection& connection) {
    Reply reply;
    WAXWING_CO_TRY(co_await connection.read_head(Deadline::none()));
    reply.outer = connection.response().status;
    for (;;) {
      const auto piece = co_await connection.read_body(Deadline::none());
      if (!piece) reply.broken = piece.error().code();
      if (!piece || piece->state == net::BodyPiece::State::end) co_return reply;
      reply.outer_body += as_text(piece->bytes);
    }
  }
  static void open_answer(Reply& reply, sealed::ResponseOpener opener, Pad pad) {
    sealed::AnswerReader reader(std::move(opener),
                                pad == Pad::yes ? sealed::AnswerPadding::padded : sealed::AnswerPadding::none);
    ByteView wire = as_bytes(reply.outer_body);
    for (;;) {
      const auto step = reader.next(wire, sealed::Input::ended);
      if (!step) {
        reply.broken = step.error().code();
        return;
      }
      if (step->event == sealed::MessageEvent::head) {
        reply.status = reader.head().status;
        reply.fields = reader.head().fields;
      }
      if (step->event == sealed::MessageEvent::content) reply.body += as_text(step->content);
      if (step->event == sealed::MessageEvent::end) return;
    }
  }

  test::CountingRandom random{11};
  InlineReporter reporter;
  EngineOptions engine_options;
  std::unique_ptr<Gateway> gateway;

 private:
  Task<> play_to_end(Task<> client) {
    auto outcome = co_await std::move(client);
    services_.cancel_all();
    static_cast<void>(co_await services_.join(Deadline::none()));
    static_cast<void>(co_await engine_->close());
    co_return outcome;
  }

  observe::NullLogger log_;
  net::TaskGroup services_{loop};
  net::Origin origin_;
  std::vector<std::unique_ptr<ScriptedEngine>> engine_handlers_;
  std::vector<std::unique_ptr<net::HttpServer>> engine_servers_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Attestor> attestor_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace waxwing::gateway
