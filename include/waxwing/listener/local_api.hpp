// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/dialect/endpoints.hpp"
#include "waxwing/listener/admission.hpp"
#include "waxwing/net/http_server.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/relay.hpp"

namespace waxwing::observe {
class Logger;
class Registry;
}  // namespace waxwing::observe

namespace waxwing::listener {

struct Call {
  std::string method;
  std::string target;  ///< path and query as sent; what would need repair was refused
  const net::Fields& fields;
};

struct Readiness {
  bool ready = false;
  std::string json;  ///< body of /readyz
};

/// What stands behind the local API; the app joins it to a provider.
class Inference {
 public:
  virtual ~Inference() = default;
  /// Relays one call. An error before sink.started() becomes an error answer, one after it an error event and an
  /// abnormal end.
  [[nodiscard]] virtual net::Task<> run(Call call, net::BodySource& source, net::AnswerSink& sink) = 0;
  /// The model list in OpenAI's form, as the caller with these fields may see it.
  [[nodiscard]] virtual net::Task<std::string> models(const net::Fields& caller) = 0;
  [[nodiscard]] virtual Readiness readiness() const = 0;
  /// Of the trust anchor behind the live sessions: "" for a vendor's. Shown with answers made here; a relayed answer
  /// brings its own session's.
  [[nodiscard]] virtual std::string label() const = 0;
};

struct Options {
  Admission admission;
  std::uint64_t body = std::uint64_t{128} << 20U;  ///< bytes of a request body
  std::size_t header = std::size_t{64} << 10U;     ///< bytes of a request head
  std::size_t connections = 1024;
  std::size_t requests = 512;                                      ///< in progress
  std::chrono::nanoseconds client_idle{std::chrono::minutes(10)};  ///< a client that neither sends nor takes bytes
};

/// The OpenAI and Anthropic API on this machine, as the handler of a net::HttpServer.
///
///     LocalApi api(inference, options, random, log, metrics);
///     net::HttpServer server(loop, api, api.server_options());
///     tasks.spawn(server.serve(std::move(acceptor), std::nullopt));
///
/// Routes: the endpoint table of `dialect`, /healthz (also /livez), /readyz. Everything else is 404 and goes nowhere.
class LocalApi final : public net::RequestHandler {
 public:
  LocalApi(Inference& inference, Options options, Random& random, observe::Logger& log, observe::Registry& metrics);
  ~LocalApi() override;

  [[nodiscard]] net::ServerOptions server_options() const;
  [[nodiscard]] net::Task<> handle(net::ServerConnection& connection) override;

 private:
  struct Counters;
  [[nodiscard]] net::Task<> route(net::ServerConnection& connection, std::string_view request_id);
  [[nodiscard]] net::Task<> relay(net::ServerConnection& connection, const dialect::Match& match,
                                  std::string_view request_id);
  [[nodiscard]] net::Task<> one_model(net::ServerConnection& connection, std::string_view id,
                                      std::string_view request_id);
  [[nodiscard]] net::Task<> answer_json(net::ServerConnection& connection, int status, std::string body,
                                        std::string_view request_id);
  [[nodiscard]] net::Task<> answer_error(net::ServerConnection& connection, dialect::Dialect dialect,
                                         const Error& error, std::string_view request_id);

  Inference& inference_;
  Options options_;
  Random& random_;
  observe::Logger& log_;
  std::unique_ptr<Counters> counters_;
};

}  // namespace waxwing::listener
