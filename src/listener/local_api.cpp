// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/listener/local_api.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "exchange.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/dialect/errors.hpp"
#include "waxwing/net/task_group.hpp"
#include "waxwing/observe/log.hpp"
#include "waxwing/observe/metrics.hpp"

namespace waxwing::listener {

using dialect::Dialect;
using observe::Text;

namespace {

Dialect dialect_for(const net::RequestHead& request) {
  const auto version =
      request.fields.find("anthropic-version") ? dialect::AnthropicVersion::present : dialect::AnthropicVersion::absent;
  return dialect::dialect_of(request.path(), version);
}

net::Fields to_fields(const std::vector<dialect::Field>& fields) {
  net::Fields out;
  for (const dialect::Field& field : fields) out.add(field.name, field.value);
  return out;
}

/// Errors that the server tells by itself, in the client's shape.
net::ErrorBody error_body(int /*status*/, const Error& error, const net::RequestHead* request) {
  const Dialect dialect = request != nullptr ? dialect_for(*request) : Dialect::openai;
  const dialect::ErrorContext context{.request_id = {}, .retry_after = error.retry_after()};
  net::ErrorBody body{
      .content_type = "application/json", .text = dialect::error_body(dialect, error, context), .fields = {}};
  for (const dialect::Field& field : dialect::error_fields(error, context))
    if (field.name != "content-type") body.fields.add(field.name, field.value);
  return body;
}

}  // namespace

struct LocalApi::Counters {
  explicit Counters(observe::Registry& metrics)
      : requests(metrics.counter("waxwing_local_requests_total", "Requests to the local API.")),
        refused(metrics.counter("waxwing_local_refused_total", "Requests refused before anything was sent.")),
        failed(metrics.counter("waxwing_local_failed_total", "Requests that ended with an error of our own.")),
        cut(metrics.counter("waxwing_local_cut_total", "Answers that ended early.")),
        in_progress(metrics.gauge("waxwing_local_requests_in_progress", "Requests being answered.")) {}
  observe::Counter& requests;
  observe::Counter& refused;
  observe::Counter& failed;
  observe::Counter& cut;
  observe::Gauge& in_progress;
};

LocalApi::LocalApi(Inference& inference, Options options, Random& random, observe::Logger& log,
                   observe::Registry& metrics)
    : inference_(inference),
      options_(std::move(options)),
      random_(random),
      log_(log),
      counters_(std::make_unique<Counters>(metrics)) {}

LocalApi::~LocalApi() = default;

net::ServerOptions LocalApi::server_options() const {
  net::ServerOptions options;
  options.head.bytes = options_.header;
  options.body = options_.body;
  options.connections = options_.connections;
  options.connections_per_source = options_.connections;
  options.requests = options_.requests;
  options.write_idle = options_.client_idle;
  options.error_body = error_body;
  return options;
}

net::Task<> LocalApi::handle(net::ServerConnection& connection) {
  counters_->requests.add();
  const observe::GaugeHold in_progress(counters_->in_progress);
  const std::string request_id = "req_" + to_hex(random_.array<12>());
  auto done = co_await route(connection, request_id);
  if (done || connection.response_started()) co_return done;
  if (done.error().code() == Code::cancelled) co_return done;
  counters_->failed.add();
  log_.log(outcome_of(done.error().code()).level, "request failed",
           {{"id", Text(request_id)}, {"error", done.error()}});
  co_return co_await answer_error(connection, dialect_for(connection.request()), done.error(), request_id);
}

net::Task<> LocalApi::route(net::ServerConnection& connection, std::string_view request_id) {
  const net::RequestHead& request = connection.request();
  const Transport transport = connection.peer().is_unix() ? Transport::unix_socket : Transport::tcp;
  if (auto admitted = options_.admission.admit(request, transport); !admitted) {
    counters_->refused.add();
    co_return admitted;
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (reads && (request.path() == "/healthz" || request.path() == "/livez"))
    co_return co_await answer_json(connection, 200, R"({"status":"ok"})", request_id);
  if (reads && request.path() == "/readyz") {
    Readiness readiness = inference_.readiness();
    co_return co_await answer_json(connection, readiness.ready ? 200 : 503, std::move(readiness.json), request_id);
  }

  WAXWING_CO_ASSIGN(const dialect::Match match,
                    dialect::find_endpoint(request.method, request.target, dialect::EncodedSlash::in_parameter));
  WAXWING_CO_TRY(check_content_type(request, *match.endpoint));
  if (match.endpoint->kind == dialect::Kind::models) {
    WAXWING_CO_ASSIGN(std::string list, co_await inference_.models(connection.request().fields));
    co_return co_await answer_json(connection, 200, std::move(list), request_id);
  }
  if (match.endpoint->kind == dialect::Kind::model)
    co_return co_await one_model(connection, match.parameter, request_id);
  co_return co_await relay(connection, match, request_id);
}

net::Task<> LocalApi::relay(net::ServerConnection& connection, const dialect::Match& match,
                            std::string_view request_id) {
  const net::RequestHead& request = connection.request();
  ClientBody source(connection, *match.endpoint);
  ClientAnswer sink(connection, request_id);
  net::TaskGroup call(connection.loop());
  connection.on_peer_gone([&call] { call.cancel_all(); });
  call.spawn(
      inference_.run({.method = request.method, .target = request.target, .fields = request.fields}, source, sink));
  auto done = co_await call.join(net::Deadline::none());
  connection.on_peer_gone(nullptr);
  if (connection.peer_is_gone()) co_return fail(Code::cancelled, "the client has left");
  if (done || !sink.started()) co_return done;

  counters_->cut.add();
  log_.warn("answer cut", {{"id", Text(request_id)}, {"error", done.error()}});
  if (sink.in_event_stream()) {
    const std::string event = dialect::error_event(
        match.endpoint->dialect, done.error(), {.request_id = request_id, .retry_after = done.error().retry_after()});
    const net::Deadline soon = net::Deadline::within(options_.client_idle);
    WAXWING_CO_TRY(co_await sink.flush(soon));
    WAXWING_CO_TRY(connection.send({as_bytes(sink.closing()), as_bytes(event)}));
    WAXWING_CO_TRY(co_await connection.flush(soon));
  }
  co_return done;
}

net::Task<> LocalApi::one_model(net::ServerConnection& connection, std::string_view id, std::string_view request_id) {
  WAXWING_CO_ASSIGN(const std::string list, co_await inference_.models(connection.request().fields));
  const auto parsed = nlohmann::json::parse(list, nullptr, false);
  if (parsed.is_object() && parsed.contains("data") && parsed["data"].is_array())
    for (const auto& model : parsed["data"])
      if (model.is_object() && model.contains("id") && model["id"] == id)
        co_return co_await answer_json(connection, 200, model.dump(), request_id);
  co_return fail(Code::not_found, "no model of that name is served");
}

net::Task<> LocalApi::answer_json(net::ServerConnection& connection, int status, std::string body,
                                  std::string_view request_id) {
  net::Fields fields{{"content-type", "application/json"}, {"cache-control", "no-store"}};
  add_own_fields(fields, request_id);
  if (const std::string label = inference_.label(); !label.empty())
    fields.add("waxwing-verdict", "accepted; label=\"" + label + "\"");
  co_return co_await connection.respond(status, std::move(fields), as_bytes(body),
                                        net::Deadline::within(options_.client_idle));
}

net::Task<> LocalApi::answer_error(net::ServerConnection& connection, Dialect dialect, const Error& error,
                                   std::string_view request_id) {
  const dialect::ErrorAnswer answer =
      dialect::error_answer(dialect, error, {.request_id = request_id, .retry_after = error.retry_after()});
  co_return co_await connection.respond(answer.status, to_fields(answer.fields), as_bytes(answer.body),
                                        net::Deadline::within(options_.client_idle));
}

}  // namespace waxwing::listener
