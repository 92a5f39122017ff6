// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/http_client.hpp"

#include <string>
#include <utility>

#include "http_exchange.hpp"

namespace waxwing::net {

ClientConnection::ClientConnection(StreamPtr stream, ClientOptions options)
    : state_(std::make_unique<State>(std::move(stream), options)) {}
ClientConnection::~ClientConnection() = default;

void ClientConnection::State::watch() {
  if (answered || !stream->is_open()) return;
  stream->watch_readable([this] { on_readable(); });
}

void ClientConnection::State::on_readable() {
  const auto seen = stream->peek();
  if (seen && *seen == ReadResult::State::blocked) return watch();  // records without content
  note_answer();
}

void ClientConnection::State::note_answer() {
  answered = true;
  stream->wake_writer();
  if (listener != nullptr) listener->signal_now();
}

Result<Sent> ClientConnection::start(const RequestHead& head, BodyLength body) {
  State& state = *state_;
  if (state.writer.started() && !reusable()) return fail(Code::internal, "exchange begun before the last was over");
  state.writer.reset();
  state.method = head.method;
  state.answered = state.have_head = false;
  state.response_bytes = 0;
  state.reader.begin(BodyLength::none());
  WAXWING_TRY(encode_head(head, body, Persist::keep_alive, state.writer.head()));
  state.writer.begin(body, MessageWriter::Carries::body);
  if (body.kind != BodyLength::Kind::none) return Sent::all;
  return state.writer.finish({});
}

Result<Sent> ClientConnection::send(std::span<const ByteView> parts) {
  auto sent = state_->writer.send(parts);
  // The wait this arms is the one that reading the answer would need anyway.
  if (sent) state_->watch();
  return sent;
}

Result<Sent> ClientConnection::finish(std::span<const ByteView> parts) {
  return state_->writer.finish(parts);
}

Task<> ClientConnection::flush(Deadline deadline) {
  State& state = *state_;
  for (;;) {
    WAXWING_CO_ASSIGN(const Sent sent, state.stream->try_flush());
    if (sent == Sent::all || state.answered) co_return Result<void>{};
    state.watch();
    WAXWING_CO_TRY(co_await state.stream->writable(deadline));
  }
}

bool ClientConnection::answered() const {
  return state_->answered || state_->have_head;
}

Task<> ClientConnection::answer_begins(Deadline deadline) {
  State& state = *state_;
  while (!answered()) {
    if (!state.stream->is_open()) co_return fail(Code::cancelled, "connection closed on this side");
    Event begun(state.stream->loop());
    state.listener = &begun;
    state.watch();
    const Wake wake = co_await begun.wait(deadline);
    state.listener = nullptr;
    WAXWING_CO_TRY(to_result(wake, "waiting for an answer"));
  }
  co_return Result<void>{};
}

Result<bool> ClientConnection::State::parse_head() {
  for (;;) {
    WAXWING_ASSIGN(const auto end, find_head_end(input.view(), options.head, scanned));
    if (!end) return false;
    WAXWING_TRY(parse_response_head(input.view().first(*end), options.head, response));
    input.consume(*end);
    scanned = 0;
    if (response.status >= 200) break;
    if (response.status == 101) return fail(Code::malformed, "switch of protocols that nobody asked for");
    if (++informational > options.informational) return fail(Code::malformed, "too many informational responses");
  }
  WAXWING_ASSIGN(const BodyLength length, response_body_length(response, method));
  reader.begin(length);
  have_head = true;
  return true;
}

Task<> ClientConnection::read_head(Deadline deadline) {
  State& state = *state_;
  deadline = state.stream->loop().fixed(deadline);
  state.scanned = state.informational = 0;
  for (;;) {
    WAXWING_CO_ASSIGN(const bool complete, state.parse_head());
    if (complete) co_return Result<void>{};
    WAXWING_CO_ASSIGN(const ReadResult got, state.receive());
    if (got.state == ReadResult::State::end) co_return fail(Code::truncated, "peer closed before it answered");
    if (got.state == ReadResult::State::blocked) {
      state.input.rest();
      WAXWING_CO_TRY(co_await state.stream->readable(deadline));
      state.starved = false;
    }
  }
}

Result<ReadResult> ClientConnection::State::receive() {
  WAXWING_ASSIGN(const ReadResult got, stream->read_next(input.space()));
  input.commit(got.size);
  response_bytes += got.size;
  if (got.size != 0) answered = true;
  starved = got.state == ReadResult::State::blocked;
  return got;
}

const ResponseHead& ClientConnection::response() const {
  return state_->response;
}
BodyLength ClientConnection::response_length() const {
  return state_->reader.length();
}

Result<BodyPiece> ClientConnection::try_read_body() {
  State& state = *state_;
  if (!state.have_head) return fail(Code::internal, "body read before the head");
  for (;;) {
    WAXWING_ASSIGN(const BodyPiece piece, state.reader.take(state.input));
    if (piece.state != BodyPiece::State::blocked) return piece;
    WAXWING_ASSIGN(const ReadResult got, state.receive());
    if (got.state == ReadResult::State::end) return state.reader.take_end();
    if (got.state == ReadResult::State::blocked) return BodyPiece{};
  }
}

Task<BodyPiece> ClientConnection::read_body(Deadline deadline) {
  State& state = *state_;
  for (;;) {
    if (!std::exchange(state.starved, false)) {
      WAXWING_CO_ASSIGN(const BodyPiece piece, try_read_body());
      if (piece.state != BodyPiece::State::blocked) co_return piece;
    }
    state.input.rest();
    WAXWING_CO_TRY(co_await state.stream->readable(deadline));
    state.starved = false;
  }
}

Task<Bytes> ClientConnection::read_whole_body(std::size_t most, Deadline deadline) {
  return collect_body(*this, response_length(), most, deadline);
}

std::uint64_t ClientConnection::response_bytes() const {
  return state_->response_bytes;
}

bool ClientConnection::reusable() const {
  const State& state = *state_;
  return state.stream->is_open() && state.writer.finished() && !state.stream->has_kept() && state.have_head &&
         state.reader.at_end() && state.reader.length().kind != BodyLength::Kind::until_close && state.input.empty() &&
         keeps_alive(state.response.minor_version, state.response.fields);
}

bool ClientConnection::is_stale() {
  state_->input.rest();
  const auto seen = state_->stream->peek();
  return !seen || *seen != ReadResult::State::blocked;
}

void ClientConnection::abort() {
  state_->stream->abort();
  if (state_->listener != nullptr) state_->listener->signal();
}

void ClientConnection::close() {
  state_->stream->close();
}

Stream& ClientConnection::stream() {
  return *state_->stream;
}

}  // namespace waxwing::net
