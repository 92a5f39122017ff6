// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "relay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "waxwing/base/encoding.hpp"

namespace waxwing::upstream {

namespace native = provider::native;
using net::BodyPiece;
using net::Deadline;
using net::Sent;
using sealed::Input;
using sealed::MessageEvent;

namespace {

/// Opened pieces up to this many bytes are joined before they are sent: a copy that small is cheaper than a system
/// call.
constexpr std::size_t kBatch = std::size_t{16} << 10U;
/// How long an answer may take that an edge has sent before it closed the connection.
constexpr std::chrono::seconds kLastWords{1};

/// How much of a request had left when its connection failed.
enum class RequestOut : std::uint8_t { part, whole };

Error stopped(native::Stop stop) {
  if (!stop.retry_after) return std::move(stop.error);  // which may bring a wait of its own
  return std::move(stop.error).with_retry_after(stop.retry_after);
}

/// retry-after in seconds; a date there is no use to anyone with another clock.
std::optional<std::chrono::seconds> retry_after(const net::Fields& fields) {
  const auto value = fields.find("retry-after");
  if (!value) return std::nullopt;
  int seconds = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), seconds);
  if (error != std::errc() || end != value->data() + value->size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

/// What a failure of the connection means once an answer is on its way: it is incomplete, whatever the reason.
Error answer_error(Error error) {
  constexpr auto kTold = std::to_array(
      {Code::deadline, Code::cancelled, Code::answer_cut, Code::answer_forged, Code::worker_changed, Code::internal});
  if (std::ranges::find(kTold, error.code()) != kTold.end()) return error;
  return Error(Code::answer_cut, "the worker's answer ended early");
}

/// What a failure of the connection means before any byte of an answer.
Error connection_error(Error error, RequestOut out) {
  if (error.code() != Code::io && error.code() != Code::truncated && error.code() != Code::malformed) return error;
  if (out == RequestOut::whole)
    return Error(Code::answer_cut, "the connection to the worker ended before its answer; the request may have run");
  return Error(Code::worker_unreachable, "the connection to the worker ended before the request was sent");
}

bool has_no_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

void KeptBody::expect(net::BodyLength length) {
  if (length.kind != net::BodyLength::Kind::known) return;
  if (length.size > most_) return give_up();
  // No more than a few pieces' worth on the word of a head; growing from there is cheap.
  constexpr std::uint64_t kAhead = std::uint64_t{256} << 10U;
  bytes_.reserve(static_cast<std::size_t>(std::min(length.size, kAhead)));
}

void KeptBody::keep(ByteView piece) {
  if (!keeping_) return;
  if (bytes_.size() + piece.size() > most_ || piece.size() > budget_.left) {
    give_up();
    return;
  }
  budget_.left -= piece.size();
  bytes_.append(piece);
}

void KeptBody::give_up() {
  budget_.left += bytes_.size();
  bytes_ = Plaintext();
  keeping_ = false;
}

RelayedRequest::RelayedRequest(Provider::Sessions& sessions, const Request& request, net::BodySource& source,
                               net::AnswerSink& sink)
    : sessions_(sessions),
      options_(sessions.options()),
      request_(request),
      source_(source),
      sink_(sink),
      kept_(sessions.environment().replay, options_.replay_buffer) {
  kept_.expect(source.length());
}

net::Task<> RelayedRequest::run() {
  const Deadline attest = sessions_.environment().loop.deadline_in(options_.attest);
  WAXWING_CO_ASSIGN(session_, co_await sessions_.acquire(attest));
  const auto padding = session_->key->statement().has_feature(exchange::kFeaturePad256) ? native::AnswerPadding::padded
                                                                                        : native::AnswerPadding::none;
  sealed_.emplace(sessions_.environment().random, session_->key->fingerprint(), padding, std::nullopt);
  while (true) {
    WAXWING_CO_ASSIGN(const Step step, co_await attempt());
    if (step == Step::done) co_return Result<void>{};
  }
}

net::Task<RelayedRequest::Step> RelayedRequest::attempt() {
  wire_ = {};
  wire_input_ = Input::open;
  auto lease = co_await session_->connections->acquire(reuse_);
  if (!lease && lease.error().code() == Code::evidence_rejected) co_return co_await after_other_tls_key();
  WAXWING_CO_ASSIGN(lease_, std::move(lease));
  WAXWING_CO_ASSIGN(sealed::RequestComposer composer, seal_head());

  auto sent = co_await upload(composer);
  if (!sent && source_failed_) co_return std::unexpected(std::move(sent).error());
  const RequestOut out = sent ? RequestOut::whole : RequestOut::part;
  if (sent) {
    sent = co_await lease_->read_head(options_.first_byte ? Deadline::within(*options_.first_byte) : Deadline::none());
  } else if (sent.error().code() == Code::io) {
    // An edge that refuses early may close while we still send. What it said before counts.
    if (co_await lease_->read_head(Deadline::within(kLastWords))) sent = {};
  }
  if (!sent) {
    if (connection_was_stale(sent.error())) {
      reuse_ = net::Reuse::never;
      co_return Step::again;
    }
    co_return std::unexpected(connection_error(std::move(sent).error(), out));
  }

  const net::ResponseHead& outer = lease_->response();
  native::OuterAnswer answer{.status = outer.status,
                             .content_type = outer.fields.find("content-type").value_or(""),
                             .retry_after = retry_after(outer.fields)};
  auto decision = sealed_->outer(answer, body_kept());
  if (auto* stop = std::get_if<native::Stop>(&decision)) co_return std::unexpected(stopped(std::move(*stop)));
  if (std::holds_alternative<native::Reattest>(decision)) co_return co_await after_hint();

  auto step = co_await read_answer(composer.response());
  if (!step) co_return std::unexpected(answer_error(std::move(step).error()));
  co_return *step;
}

Result<sealed::RequestComposer> RelayedRequest::seal_head() {
  const Now now = sessions_.now();
  WAXWING_ASSIGN(auto exchange, session_->contexts.begin(now, sessions_.environment().random));
  sealed::RequestComposer composer(std::move(exchange));

  sealed::RequestHead head{.method = request_.method, .authority = {}, .path = request_.target, .fields = {}};
  const bool own_key = !options_.api_key.empty();
  for (const auto& [name, value] : request_.fields) {
    const bool credential = name == "authorization" || name == "x-api-key";
    if (native::forwards_request_field(name) && !(own_key && credential))
      head.fields.push_back({std::string(name), std::string(value)});
  }
  if (own_key)
    head.fields.push_back({"authorization", "Bearer " + std::string(options_.api_key.expose_text(SecretAccess{}))});
  for (native::Field& field : sealed_->inner_fields(now.wall))
    head.fields.push_back({std::move(field.name), std::move(field.value)});
  WAXWING_TRY(composer.head(head));

  net::RequestHead outer;
  outer.method = "POST";
  outer.target = options_.url.path_of(exchange::request_path(session_->key->worker()));
  outer.fields = net::Fields{{"host", options_.url.origin.host_field()},
                             {"content-type", sealed::kRequestMediaType},
                             {"accept", sealed::kResponseMediaType},
                             {"incremental", "?1"}};
  WAXWING_TRY(lease_->start(outer, net::BodyLength::chunked()));
  return composer;
}

Result<Sent> RelayedRequest::send_sealed(sealed::RequestComposer& composer) {
  if (composer.wire().empty()) return Sent::all;
  auto sent = lease_->send({composer.wire().view()});
  composer.wire().clear();
  return sent;
}

net::Task<> RelayedRequest::upload(sealed::RequestComposer& composer) {
  const Deadline idle = Deadline::within(options_.idle);
  WAXWING_CO_TRY(composer.content(kept_.view()));
  while (!source_ended_) {
    auto read = source_.try_read();
    if (read && read->state == BodyPiece::State::blocked) {
      WAXWING_CO_ASSIGN(const Sent sent, send_sealed(composer));
      if (sent == Sent::blocked) WAXWING_CO_TRY(co_await lease_->flush(idle));
      read = co_await source_.read_or_answer(*lease_, idle);
      if (read && read->state == BodyPiece::State::blocked) co_return Result<void>{};
    }
    source_failed_ = !read;
    WAXWING_CO_ASSIGN(const BodyPiece piece, std::move(read));
    if (piece.state == BodyPiece::State::end) {
      source_ended_ = true;
      break;
    }
    kept_.keep(piece.bytes);
    WAXWING_CO_TRY(composer.content(piece.bytes));
    WAXWING_CO_ASSIGN(const Sent sent, send_sealed(composer));
    if (sent == Sent::blocked) WAXWING_CO_TRY(co_await lease_->flush(idle));
    if (lease_->answered()) co_return Result<void>{};
  }
  WAXWING_CO_TRY(composer.finish());
  WAXWING_CO_ASSIGN(Sent sent, send_sealed(composer));
  if (sent == Sent::blocked) WAXWING_CO_TRY(co_await lease_->flush(idle));
  if (lease_->answered()) co_return Result<void>{};
  WAXWING_CO_ASSIGN(sent, lease_->finish());
  if (sent == Sent::blocked) WAXWING_CO_TRY(co_await lease_->flush(idle));
  co_return Result<void>{};
}

native::BodyKept RelayedRequest::body_kept() const {
  return kept_.whole() ? native::BodyKept::yes : native::BodyKept::no;
}

bool RelayedRequest::connection_was_stale(const Error& error) const {
  // A pooled connection that the edge had closed in the same moment: not one byte came back. The inner id stays the
  // same, so a gateway that did get the request will not run it twice.
  const bool connection_failed = error.code() == Code::io || error.code() == Code::truncated;
  return connection_failed && lease_.reused() && lease_->response_bytes() == 0 && kept_.whole();
}

/// Another TLS key than the worker's statement names: perhaps another worker at this address, which is what a 421 says.
net::Task<RelayedRequest::Step> RelayedRequest::after_other_tls_key() {
  constexpr int kMisdirected = 421;
  auto decision = sealed_->outer({.status = kMisdirected, .content_type = {}, .retry_after = {}}, body_kept());
  if (auto* stop = std::get_if<native::Stop>(&decision)) co_return std::unexpected(stopped(std::move(*stop)));
  co_return co_await after_hint();
}

net::Task<RelayedRequest::Step> RelayedRequest::after_hint() {
  lease_ = {};
  const Deadline attest = sessions_.environment().loop.deadline_in(options_.attest);
  auto fresh = co_await sessions_.reattest(session_, attest);
  Result<const exchange::SessionKey*> key = nullptr;
  if (fresh)
    key = (*fresh)->key.get();
  else
    key = std::unexpected(fresh.error());
  auto decision = sealed_->reattested(key);
  if (auto* stop = std::get_if<native::Stop>(&decision)) co_return std::unexpected(stopped(std::move(*stop)));
  session_ = *std::move(fresh);
  reuse_ = net::Reuse::allowed;
  co_return Step::again;
}

net::Task<> RelayedRequest::more_wire() {
  WAXWING_CO_ASSIGN(BodyPiece piece, lease_->try_read_body());
  if (piece.state == BodyPiece::State::blocked) {
    WAXWING_CO_ASSIGN(piece, co_await lease_->read_body(Deadline::within(options_.idle)));
  }
  wire_ = piece.bytes;
  wire_input_ = piece.state == BodyPiece::State::end ? Input::ended : Input::open;
  co_return Result<void>{};
}

net::Task<sealed::MessageStep> RelayedRequest::next_step(sealed::AnswerReader& reader) {
  while (true) {
    WAXWING_CO_ASSIGN(const sealed::MessageStep step, reader.next(wire_, wire_input_));
    if (step.event != MessageEvent::need_input) co_return step;
    WAXWING_CO_TRY(co_await more_wire());
  }
}

net::Task<RelayedRequest::Step> RelayedRequest::read_answer(sealed::ResponseOpener opener) {
  const auto padding = session_->key->statement().has_feature(exchange::kFeaturePad256) ? sealed::AnswerPadding::padded
                                                                                        : sealed::AnswerPadding::none;
  sealed::AnswerReader reader(std::move(opener), padding);
  while (true) {
    WAXWING_CO_ASSIGN(const sealed::MessageStep step, co_await next_step(reader));
    if (step.event == MessageEvent::head) break;
    if (step.event != MessageEvent::informational)
      co_return fail(Code::answer_forged, "the worker's answer has no head");
  }
  const sealed::ResponseHead& head = reader.head();
  const auto text = [&](std::string_view name) {
    const std::string* value = sealed::find_field(head.fields, name);
    return value != nullptr ? std::string_view(*value) : std::string_view();
  };
  const auto decision =
      sealed_->inner({.status = head.status, .content_type = text("content-type"), .date = text("date")}, body_kept());
  if (std::holds_alternative<native::ReadProblem>(decision)) co_return co_await on_problem(reader);
  // The worker has this id from our first sending, whose connection was not as stale as it looked.
  constexpr int kConflict = 409;
  if (reuse_ == net::Reuse::never && head.status == kConflict)
    co_return fail(Code::answer_cut, "the connection ended before the answer; the request may have run");

  kept_.give_up();
  WAXWING_CO_ASSIGN(const Sent sent, start_answer(head));
  if (sent == Sent::blocked) WAXWING_CO_TRY(co_await sink_.flush(Deadline::within(options_.idle)));
  WAXWING_CO_TRY(co_await deliver_rest(reader));
  co_return Step::done;
}

net::Task<RelayedRequest::Step> RelayedRequest::on_problem(sealed::AnswerReader& reader) {
  const sealed::ResponseHead head = reader.head();
  std::string problem;
  while (true) {
    WAXWING_CO_ASSIGN(const sealed::MessageStep step, co_await next_step(reader));
    if (step.event == MessageEvent::end) break;
    if (problem.size() + step.content.size() > native::SealedRequest::kMaxProblemSize)
      co_return fail(Code::answer_forged, "the worker's problem report is too long");
    problem += as_text(step.content);
  }
  auto decision = sealed_->problem(problem);
  if (std::holds_alternative<native::Resend>(decision)) {
    lease_ = {};
    co_return Step::again;
  }
  WAXWING_CO_TRY(start_answer(head));
  WAXWING_CO_TRY(send_batch(as_bytes(problem)));
  WAXWING_CO_TRY(sink_.finish());
  WAXWING_CO_TRY(co_await sink_.flush(Deadline::within(options_.idle)));
  co_return Step::done;
}

Result<Sent> RelayedRequest::start_answer(const sealed::ResponseHead& head) {
  net::ResponseHead out;
  out.status = head.status;
  for (const sealed::Field& field : head.fields)
    if (native::forwards_response_field(field.name)) out.fields.add(field.name, field.value);
  // Whose word this answer rests on: the label of the very session that sealed it.
  if (const std::string& label = session_->key->label(); !label.empty())
    out.fields.add("waxwing-verdict", "accepted; label=\"" + label + "\"");
  return sink_.start(out, has_no_body(head.status) ? net::BodyLength::none() : net::BodyLength::chunked());
}

Result<Sent> RelayedRequest::send_batch(ByteView piece) {
  if (batch_.empty() && piece.empty()) return Sent::all;
  const std::array<ByteView, 2> parts{batch_.view(), piece};
  auto sent = sink_.send(parts);
  batch_.clear();
  return sent;
}

net::Task<> RelayedRequest::deliver_rest(sealed::AnswerReader& reader) {
  const Deadline idle = Deadline::within(options_.idle);
  while (true) {
    const auto step = reader.next(wire_, wire_input_);
    if (!step || step->event == MessageEvent::need_input || step->event == MessageEvent::end ||
        batch_.size() + step->content.size() > kBatch) {
      WAXWING_CO_ASSIGN(const Sent sent, send_batch(step ? step->content : ByteView{}));
      if (sent == Sent::blocked) WAXWING_CO_TRY(co_await sink_.flush(idle));
      if (!step) co_return std::unexpected(step.error());
      if (step->event == MessageEvent::end) break;
      if (step->event == MessageEvent::need_input) WAXWING_CO_TRY(co_await more_wire());
    } else {
      batch_.append(step->content);
    }
  }
  WAXWING_CO_TRY(sink_.finish());
  co_return co_await sink_.flush(idle);
}

}  // namespace waxwing::upstream
