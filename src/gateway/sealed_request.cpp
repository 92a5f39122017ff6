// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "sealed_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/dialect/errors.hpp"

namespace waxwing::gateway {
namespace {

/// A body up to this size is held until it is whole, and then sent with its length: many engines handle that best.
constexpr std::size_t kSmallBody = std::size_t{64} << 10U;
/// Sealed bytes that are gathered before they are written, while the engine still has bytes at hand.
constexpr std::size_t kPushAt = std::size_t{64} << 10U;

constexpr std::string_view kKeyProblem =
    R"({"type":"https://iana.org/assignments/http-problem-types#ohttp-key","title":"key identifier unknown"})";
constexpr std::string_view kOpenProblem = R"({"title":"the request does not open"})";
constexpr std::string_view kDateProblem =
    R"({"type":"https://iana.org/assignments/http-problem-types#date","title":"date is not acceptable"})";
constexpr std::string_view kProblemType = "application/problem+json";

/// What goes to the engine of a request's fields. Authorization is decided apart.
constexpr std::array kRequestFields = {
    std::string_view("accept"),         std::string_view("content-type"),
    std::string_view("anthropic-beta"), std::string_view("anthropic-version"),
    std::string_view("openai-beta"),
};
constexpr std::array kCredentialFields = {std::string_view("authorization"), std::string_view("x-api-key")};
constexpr std::array kResponseFields = {std::string_view("content-type"), std::string_view("retry-after"),
                                        std::string_view("x-request-id")};
/// Of errors made here: SDKs would send every 409 and 5xx again without it.
constexpr std::string_view kRetryAdvice = "x-should-retry";

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string_view value_of(const sealed::Fields& fields, std::string_view name) {
  const std::string* value = sealed::find_field(fields, name);
  return value != nullptr ? std::string_view(*value) : std::string_view();
}

/// What an engine's failure is to the client, without telling more of the engine than that.
Error engine_error(const Error& error) {
  switch (error.code()) {
    case Code::worker_unreachable:
      return {Code::worker_unreachable, "the engine behind the gateway cannot be reached"};
    case Code::deadline:
      return {Code::deadline, "the engine behind the gateway did not answer in time"};
    case Code::forbidden:
      return {Code::malformed, "the engine behind the gateway is not where the gateway's statement says"};
    case Code::malformed:
    case Code::truncated:
    case Code::too_large:
    case Code::unsupported:
    case Code::open_failed:
    case Code::key_unknown:
    case Code::replayed:
    case Code::stale:
    case Code::policy_refused:
    case Code::evidence_rejected:
    case Code::evidence_unsupported:
    case Code::evidence_malformed:
    case Code::expired:
    case Code::collateral_unavailable:
    case Code::worker_changed:
    case Code::answer_cut:
    case Code::answer_forged:
    case Code::cancelled:
    case Code::bad_request:
    case Code::unauthorized:
    case Code::not_found:
    case Code::conflict:
    case Code::rate_limited:
    case Code::config_invalid:
    case Code::io:
    case Code::internal:
      return {Code::malformed, "the engine behind the gateway gave no usable answer"};
  }
  return {Code::internal, "unknown error"};
}

}  // namespace

SealedRequest::SealedRequest(Gateway& gateway, net::ServerConnection& client, std::string source,
                             std::shared_ptr<const exchange::WorkerKeyRing> ring, const exchange::WorkerId& worker)
    : gateway_(gateway),
      client_(client),
      source_(std::move(source)),
      arrived_(gateway.clock_.now()),
      reader_(sealed::WorkerExchange(std::move(ring), worker, arrived_,
                                     sealed::RequestReader::max_wire({.head = {}, .content = gateway.options_.body})),
              {.head = {}, .content = gateway.options_.body}) {}

net::Task<> SealedRequest::run() {
  if (auto head = co_await read_head(); !head) co_return co_await refuse(std::move(head).error());
  ++gateway_.stats_.opened;
  auto head = admit();
  if (!head) co_return co_await answer_error(std::move(head).error());
  co_return co_await relay(*std::move(head));
}

// ---- Reading the request ----

Result<sealed::MessageStep> SealedRequest::try_next() {
  for (;;) {
    auto step = reader_.next(wire_, input_);
    if (!step) {
      request_failure_ = step.error();
      return step;
    }
    if (step->event != sealed::MessageEvent::need_input) return step;
    WAXWING_ASSIGN(const net::BodyPiece piece, client_.try_read_body());
    if (piece.state == net::BodyPiece::State::blocked) return step;
    take(piece);
  }
}

net::Task<sealed::MessageStep> SealedRequest::next() {
  for (;;) {
    WAXWING_CO_ASSIGN(const sealed::MessageStep step, try_next());
    if (step.event != sealed::MessageEvent::need_input) co_return step;
    WAXWING_CO_ASSIGN(const net::BodyPiece piece,
                      co_await client_.read_body(net::Deadline::within(gateway_.options_.read_idle)));
    take(piece);
  }
}

void SealedRequest::take(const net::BodyPiece& piece) {
  if (piece.state == net::BodyPiece::State::data) wire_ = piece.bytes;
  if (piece.state == net::BodyPiece::State::end) input_ = sealed::Input::ended;
}

net::Task<> SealedRequest::read_head() {
  WAXWING_CO_ASSIGN(const sealed::MessageStep step, co_await next());
  if (step.event != sealed::MessageEvent::head)
    co_return fail(Code::internal, "a request does not begin with its head");
  co_return Result<void>();
}

net::Task<> SealedRequest::hold_small_body() {
  while (!complete_ && held_.size() < kSmallBody) {
    WAXWING_CO_ASSIGN(const sealed::MessageStep step, co_await next());
    if (step.event == sealed::MessageEvent::content) held_.append(step.content);
    complete_ = step.event == sealed::MessageEvent::end;
  }
  co_return Result<void>();
}

// ---- Deciding ----

Result<net::RequestHead> SealedRequest::admit() {
  const sealed::RequestHead& head = reader_.head();
  const bool anthropic = sealed::find_field(head.fields, "anthropic-version") != nullptr;
  dialect_ = dialect::dialect_of(head.path,
                                 anthropic ? dialect::AnthropicVersion::present : dialect::AnthropicVersion::absent);
  WAXWING_TRY(admit_once(head));
  WAXWING_TRY(admit_client(head));
  WAXWING_ASSIGN(const std::string target, route(head));
  return engine_head(head, target);
}

Result<void> SealedRequest::admit_client(const sealed::RequestHead& head) {
  const ClientKeys& clients = gateway_.options_.clients;
  if (clients.empty()) return {};
  const std::string* name = clients.find(value_of(head.fields, "authorization"));
  if (name == nullptr) name = clients.find(value_of(head.fields, "x-api-key"));
  if (name == nullptr) return fail(Code::unauthorized, "this worker does not know the API key");
  const BootTime now = gateway_.clock_.now().boot;
  if (gateway_.client_requests_.exceeded(*name, now)) {
    return fail(Code::rate_limited, "this API key has used its requests of this minute");
  }
  gateway_.client_requests_.count(*name, now);
  return {};
}

Result<void> SealedRequest::admit_once(const sealed::RequestHead& head) {
  const Now now = gateway_.clock_.now();
  const auto date = from_http_date(value_of(head.fields, "date"));
  if (!date) return fail(Code::stale, "the request has no date that can be read");
  const auto admitted = gateway_.replays_.admit(crypto::sha256(reader_.enc()), *date, source_, now);
  const auto judge = [](exchange::Admission admission) -> Result<void> {
    switch (admission) {
      case exchange::Admission::fresh:
        return {};
      case exchange::Admission::replayed:
        return fail(Code::replayed, "this request has been run before");
      case exchange::Admission::stale:
        return fail(Code::stale, "the request's date is outside the window");
      case exchange::Admission::full:
        return fail(Code::worker_unreachable, "the gateway has no room to remember another request");
    }
    return fail(Code::internal, "unknown admission");
  };
  WAXWING_TRY(judge(admitted));
  const auto id = from_base64url(value_of(head.fields, "waxwing-request-id"));
  if (!id || id->size() != sizeof(exchange::RequestId)) {
    return fail(Code::bad_request, "waxwing-request-id must be 16 bytes, base64url");
  }
  return judge(gateway_.ids_.claim(to_array<sizeof(exchange::RequestId)>(*id), source_, now));
}

Result<std::string> SealedRequest::route(const sealed::RequestHead& head) {
  auto match = dialect::find_endpoint(head.method, head.path);
  if (match) return head.path;
  if (match.error().code() != Code::not_found) return std::unexpected(std::move(match).error());
  WAXWING_ASSIGN(const dialect::Target target, dialect::parse_target(head.path));
  for (const ExtraPath& extra : gateway_.options_.extra_paths) {
    if (extra.method == head.method && extra.path == target.path) return head.path;
  }
  return fail(Code::not_found, "this worker does not serve that path");
}

net::RequestHead SealedRequest::engine_head(const sealed::RequestHead& head, std::string_view target) const {
  const EngineOptions& engine = gateway_.engine_.options();
  net::RequestHead out;
  out.method = head.method;
  out.target = engine.target.url.path_of(target);
  out.fields.add("host", engine.target.url.origin.host_field());
  // Nothing else than identity can be passed on: what seals lengths must see them.
  out.fields.add("accept-encoding", "identity");
  const bool pass_credentials = gateway_.options_.clients.empty() && engine.api_key.empty();
  for (const sealed::Field& field : head.fields) {
    const bool credential = contains(kCredentialFields, field.name);
    if (credential ? pass_credentials : contains(kRequestFields, field.name)) out.fields.add(field.name, field.value);
  }
  if (!engine.api_key.empty()) {
    out.fields.add("authorization", "Bearer " + std::string(engine.api_key.expose_text(SecretAccess())));
  }
  return out;
}

// ---- Asking the engine ----

net::Task<> SealedRequest::relay(net::RequestHead head) {
  if (auto held = co_await hold_small_body(); !held) co_return co_await refuse(std::move(held).error());
  // The client can leave at any time from here on, and then the engine must not go on working.
  client_.on_peer_gone([this] {
    if (engine_ != nullptr) engine_->abort();
  });
  for (net::Reuse reuse = net::Reuse::allowed;; reuse = net::Reuse::never) {
    auto lease = co_await gateway_.engine_.connect(reuse);
    if (!lease) {
      gateway_.log_.warn("engine not reached", {{"error", lease.error()}});
      co_return co_await answer_error(engine_error(lease.error()));
    }
    if (client_.peer_is_gone()) co_return fail(Code::cancelled, "the client left");
    engine_ = &**lease;
    asked_at_ = gateway_.clock_.now().boot;
    auto asked = co_await ask(head);
    if (asked) asked = co_await deliver();
    const bool again = !asked && may_ask_again(asked.error(), lease->reused());
    if (!asked) engine_->abort();
    engine_ = nullptr;
    if (asked || client_.response_started() || client_.peer_is_gone()) co_return asked;
    if (request_failure_) co_return co_await refuse(*std::move(request_failure_));
    if (again) continue;
    gateway_.log_.warn("engine failed before its answer", {{"error", asked.error()}});
    co_return co_await answer_error(engine_error(asked.error()));
  }
}

/// A connection from the pool can have been closed by the engine at the very moment it was lent. Only then (an engine
/// that ran the request and died took longer), and if the whole body is at hand, the request goes out on a new one.
bool SealedRequest::may_ask_again(const Error& error, bool reused) const {
  constexpr std::chrono::seconds kStaleTellsItself{1};
  if (gateway_.clock_.now().boot - asked_at_ > kStaleTellsItself) return false;
  const bool closed = error.code() == Code::io || error.code() == Code::truncated;
  return closed && reused && complete_ && !request_failure_ && engine_->response_bytes() == 0;
}

net::Task<> SealedRequest::ask(const net::RequestHead& head) {
  const bool bodyless = complete_ && held_.empty() && head.method == "GET";
  const net::BodyLength length = bodyless    ? net::BodyLength::none()
                                 : complete_ ? net::BodyLength::known(held_.size())
                                             : net::BodyLength::chunked();
  WAXWING_CO_ASSIGN(net::Sent sent, engine_->start(head, length));
  if (!held_.empty()) {
    WAXWING_CO_ASSIGN(sent, engine_->send({held_.view()}));
    if (sent == net::Sent::blocked) WAXWING_CO_TRY(co_await engine_->flush(gateway_.engine_.idle()));
  }
  if (complete_) {
    if (!engine_->answered()) WAXWING_CO_TRY(engine_->finish());
    WAXWING_CO_TRY(co_await engine_->flush(gateway_.engine_.idle()));
  } else {
    WAXWING_CO_TRY(co_await upload());
  }
  co_return co_await engine_->read_head(gateway_.engine_.first_byte());
}

/// Passes the rest of the body on until its verified end, or until the engine answers early.
net::Task<> SealedRequest::upload() {
  while (!engine_->answered()) {
    WAXWING_CO_ASSIGN(const sealed::MessageStep step, try_next());
    net::Sent sent = net::Sent::all;
    switch (step.event) {
      case sealed::MessageEvent::content: {
        WAXWING_CO_ASSIGN(sent, engine_->send({step.content}));
        break;
      }
      case sealed::MessageEvent::end: {
        WAXWING_CO_ASSIGN(sent, engine_->finish());
        if (sent == net::Sent::blocked) co_return co_await engine_->flush(gateway_.engine_.idle());
        co_return Result<void>();
      }
      case sealed::MessageEvent::need_input: {
        auto piece =
            co_await net::read_body_or_answer(client_, *engine_, net::Deadline::within(gateway_.options_.read_idle));
        if (!piece) request_failure_ = Error(Code::truncated, "the request ended early");
        if (!piece) co_return std::unexpected(std::move(piece).error());
        take(*piece);
        break;
      }
      case sealed::MessageEvent::informational:
      case sealed::MessageEvent::head:
        co_return fail(Code::internal, "a request has two heads");
    }
    if (sent == net::Sent::blocked) WAXWING_CO_TRY(co_await engine_->flush(gateway_.engine_.idle()));
  }
  co_return Result<void>();
}

// ---- Answering ----

net::Task<> SealedRequest::deliver() {
  held_.clear();
  const net::ResponseHead& response = engine_->response();
  if (engine_->response_length().kind == net::BodyLength::Kind::until_close) {
    co_return fail(Code::malformed, "the engine's answer has no length: its end would prove nothing");
  }
  const auto coding = response.fields.find("content-encoding");
  if (coding && *coding != "identity") co_return fail(Code::malformed, "the engine's answer is compressed");
  constexpr int kFirstFinalStatus = 200;
  if (response.status < kFirstFinalStatus) co_return fail(Code::malformed, "the engine wants to switch protocols");

  sealed::ResponseHead head;
  head.status = response.status;
  for (const auto& [name, value] : response.fields) {
    if (contains(kResponseFields, name)) head.fields.push_back({std::string(name), std::string(value)});
  }
  sealed::AnswerComposer composer = reader_.answer(gateway_.random_);
  WAXWING_CO_TRY(composer.head(head));
  WAXWING_CO_TRY(begin_outer());
  auto delivered = co_await deliver_body(composer);
  if (delivered) {
    ++gateway_.stats_.answered;
  } else {
    ++gateway_.stats_.cut;
    gateway_.log_.info("answer cut", {{"error", delivered.error()}});
    static_cast<void>(co_await push_rest(composer));
  }
  co_return delivered;
}

net::Task<> SealedRequest::deliver_body(sealed::AnswerComposer& composer) {
  for (;;) {
    WAXWING_CO_ASSIGN(net::BodyPiece piece, engine_->try_read_body());
    if (piece.state == net::BodyPiece::State::blocked) {
      WAXWING_CO_ASSIGN(const net::Sent sent, push(composer));
      if (sent == net::Sent::blocked) WAXWING_CO_TRY(co_await client_.flush(write_idle()));
      WAXWING_CO_ASSIGN(piece, co_await engine_->read_body(gateway_.engine_.idle()));
    }
    if (piece.state == net::BodyPiece::State::end) break;
    WAXWING_CO_TRY(composer.content(piece.bytes));
    if (composer.wire().view().size() < kPushAt) continue;
    WAXWING_CO_ASSIGN(const net::Sent sent, push(composer));
    if (sent == net::Sent::blocked) WAXWING_CO_TRY(co_await client_.flush(write_idle()));
  }
  WAXWING_CO_TRY(composer.finish());
  WAXWING_CO_ASSIGN(const net::Sent sent, push(composer));
  if (sent == net::Sent::blocked) WAXWING_CO_TRY(co_await client_.flush(write_idle()));
  WAXWING_CO_TRY(client_.finish());
  co_return co_await client_.flush(write_idle());
}

Result<net::Sent> SealedRequest::begin_outer() {
  net::ResponseHead head;
  head.status = 200;
  head.fields.add("content-type", sealed::kResponseMediaType);
  head.fields.add("cache-control", "no-store");
  head.fields.add("incremental", "?1");
  return client_.start(head, net::BodyLength::chunked());
}

Result<net::Sent> SealedRequest::push(sealed::AnswerComposer& composer) {
  if (composer.wire().empty()) return net::Sent::all;
  auto sent = client_.send({composer.wire().view()});
  composer.wire().clear();
  return sent;
}

/// Of an answer that will be cut, so that the client gets what the engine said before it failed. Without a byte of it
/// the client would take the connection for one that had died before the request arrived.
net::Task<> SealedRequest::push_rest(sealed::AnswerComposer& composer) {
  WAXWING_CO_TRY(client_.send({composer.wire().view()}));
  composer.wire().clear();
  co_return co_await client_.flush(write_idle());
}

net::Task<> SealedRequest::answer_error(Error error) {
  ++gateway_.stats_.refused;
  gateway_.log_.debug("refused inside the seal", {{"code", error.code()}});
  if (error.code() == Code::stale) {
    sealed::ResponseHead head{400, {{"content-type", std::string(kProblemType)}}};
    head.fields.push_back({"date", to_http_date(gateway_.replays_.time(gateway_.clock_.now()))});
    co_return co_await answer(std::move(head), std::string(kDateProblem));
  }
  dialect::ErrorAnswer shaped = dialect::error_answer(dialect_, error, {});
  sealed::ResponseHead head{shaped.status, {}};
  for (dialect::Field& field : shaped.fields) {
    if (contains(kResponseFields, field.name) || field.name == kRetryAdvice)
      head.fields.push_back({std::move(field.name), std::move(field.value)});
  }
  co_return co_await answer(std::move(head), std::move(shaped.body));
}

net::Task<> SealedRequest::answer(sealed::ResponseHead head, std::string body) {
  sealed::AnswerComposer composer = reader_.answer(gateway_.random_);
  WAXWING_CO_TRY(composer.head(head));
  WAXWING_CO_TRY(composer.content(as_bytes(body)));
  WAXWING_CO_TRY(composer.finish());
  WAXWING_CO_TRY(begin_outer());
  WAXWING_CO_ASSIGN(const net::Sent sent, push(composer));
  if (sent == net::Sent::blocked) WAXWING_CO_TRY(co_await client_.flush(write_idle()));
  WAXWING_CO_TRY(client_.finish());
  co_return co_await client_.flush(write_idle());
}

/// Answers a request that cannot be read (on). In the clear nothing is said that depends on decrypted bytes.
net::Task<> SealedRequest::refuse(Error error) {
  if (!request_failure_) co_return std::unexpected(std::move(error));  // the connection failed, not the request
  const net::Fields fields{{"content-type", kProblemType}, {"cache-control", "no-store"}};
  if (error.code() == Code::key_unknown) {
    constexpr int kUnprocessable = 422;
    co_return co_await client_.respond(kUnprocessable, fields, as_bytes(kKeyProblem), write_idle());
  }
  const bool says_more = error.code() == Code::bad_request || error.code() == Code::too_large;
  if (says_more && reader_.is_opened()) co_return co_await answer_error(std::move(error));
  ++gateway_.stats_.not_opened;
  gateway_.failed_opens_.count(source_, gateway_.clock_.now().boot);
  constexpr int kBadRequest = 400;
  co_return co_await client_.respond(kBadRequest, fields, as_bytes(kOpenProblem), write_idle());
}

}  // namespace waxwing::gateway
