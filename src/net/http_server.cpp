// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/http_server.hpp"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http_exchange.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/net/task_group.hpp"

namespace waxwing::net {
namespace {

/// The Date field's value, written anew at most once a second (RFC 9110 section 6.6.1).
class DateCache {
 public:
  [[nodiscard]] std::string_view text(const Clock& clock) {
    const WallTime now = clock.now().wall;
    if (const std::int64_t second = to_unix(now); second != second_) {
      second_ = second;
      text_ = to_http_date(now);
    }
    return text_;
  }

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

/// What a client is told about a head that cannot be served.
int status_of_bad_head(const Error& error) {
  if (error.code() == Code::too_large) return 431;
  if (error.code() == Code::unsupported) return 505;
  return 400;
}

/// Whether the failure is the connection's own end: there is nobody to answer.
bool is_connection_loss(const Error& error) {
  return error.code() == Code::io || error.code() == Code::cancelled;
}

}  // namespace

// ---- one connection ----

struct ServerConnection::State {
  State(StreamPtr on, const ServerOptions& with, DateCache& date_cache)
      : stream(std::move(on)), options(with), dates(date_cache), input(stream->loop()), writer(*stream) {}
  ~State() { stream->abort(); }

  enum class Next : std::uint8_t { request, closed, refused };

  /// refused: `status` and `refusal` say why; the connection serves nothing more.
  [[nodiscard]] awaitable<Next> next_request();
  [[nodiscard]] Result<bool> parse_head();
  [[nodiscard]] Next refuse(int with_status, Error error);
  [[nodiscard]] Result<ReadResult> receive();
  [[nodiscard]] Result<void> send_continue();

  void watch();
  void on_readable();
  void end_exchange();

  /// Reads what is left of the request so that the next one can be found; no: the connection cannot be kept.
  [[nodiscard]] awaitable<bool> skip_rest_of_body();
  /// Ends our side and reads until the client ends its own, because closing with unread bytes would make the kernel
  /// destroy the answer on its way (RFC 9112 section 9.6).
  [[nodiscard]] awaitable<void> linger();

  StreamPtr stream;
  const ServerOptions& options;
  DateCache& dates;
  InputBuffer input;
  BodyReader reader;
  MessageWriter writer;
  RequestHead request;
  std::size_t scanned = 0;
  std::uint64_t body_bytes = 0;
  bool expects_continue = false;
  bool close_after = false;
  bool idle = true;  // nothing of a request has arrived
  bool peer_gone = false;
  bool starved = false;  // the last read found nothing: wait before the next
  std::function<void()> when_gone;
  Event* listener = nullptr;  // of the task that waits for a body or an answer
  int status = 0;
  std::optional<Error> refusal;
};

Result<ReadResult> ServerConnection::State::receive() {
  auto got = stream->read_next(input.space());
  if (got) {
    input.commit(got->size);
    starved = got->state == ReadResult::State::blocked;
  } else {
    peer_gone = true;
  }
  return got;
}

ServerConnection::State::Next ServerConnection::State::refuse(int with_status, Error error) {
  status = with_status;
  refusal = std::move(error);
  close_after = true;
  return Next::refused;
}

Result<bool> ServerConnection::State::parse_head() {
  // RFC 9112 section 2.2: an empty line before the request line is forgiven, once.
  if (scanned == 0 && input.view().size() >= 2 && as_text(input.view().first(2)) == "\r\n") input.consume(2);
  WAXWING_ASSIGN(const auto end, find_head_end(input.view(), options.head, scanned));
  if (!end) return false;
  WAXWING_TRY(parse_request_head(input.view().first(*end), options.head, request));
  input.consume(*end);
  return true;
}

awaitable<ServerConnection::State::Next> ServerConnection::State::next_request() {
  writer.reset();
  scanned = 0;
  body_bytes = 0;
  idle = input.empty();
  Deadline deadline = stream->loop().deadline_in(idle ? options.keep_alive : options.head_time);
  for (;;) {
    const auto complete = parse_head();
    if (!complete) co_return refuse(status_of_bad_head(complete.error()), complete.error());
    if (*complete) break;
    const auto got = receive();
    // An end in the middle of a head needs no answer: nobody is left to read it.
    if (!got || got->state == ReadResult::State::end) co_return Next::closed;
    if (got->state == ReadResult::State::data) {
      if (std::exchange(idle, false)) deadline = stream->loop().deadline_in(options.head_time);
      continue;
    }
    input.rest();
    const auto readable = co_await stream->readable(deadline);
    if (!readable && readable.error().code() == Code::deadline && !input.empty())
      co_return refuse(408, readable.error());
    if (!readable) co_return Next::closed;
  }
  idle = false;

  const auto length = request_body_length(request);
  reader.begin(length.value_or(BodyLength::none()));
  close_after = request.minor_version == 0 || !keeps_alive(request.minor_version, request.fields);
  if (!length) co_return refuse(length.error().code() == Code::unsupported ? 501 : 400, length.error());
  if (length->size > options.body) co_return refuse(413, Error(Code::too_large, "request body too large"));
  // RFC 9110 section 10.1.1: not a matter of HTTP/1.0.
  const bool expectation = request.minor_version == 1 && request.fields.count("expect") != 0;
  expects_continue = expectation && request.fields.has_token("expect", "100-continue");
  if (expectation && !expects_continue) co_return refuse(417, Error(Code::bad_request, "unknown expectation"));
  co_return Next::request;
}

Result<void> ServerConnection::State::send_continue() {
  if (!expects_continue) return {};
  expects_continue = false;
  if (!input.empty() || writer.started()) return {};  // it did not wait, or has its answer
  const ByteView line = as_bytes("HTTP/1.1 100 Continue\r\n\r\n");
  WAXWING_TRY(stream->try_write({&line, 1}));
  return {};
}

void ServerConnection::State::watch() {
  if (stream->is_open() && !peer_gone) stream->watch_readable([this] { on_readable(); });
}

void ServerConnection::State::on_readable() {
  if (listener != nullptr) return listener->signal_now();
  if (!when_gone) return;
  const auto seen = stream->peek();
  if (seen && *seen == ReadResult::State::blocked) return watch();  // records without content
  if (seen && *seen == ReadResult::State::data) return;  // a body or the next request: reading goes on with it
  peer_gone = true;
  std::exchange(when_gone, nullptr)();
}

void ServerConnection::State::end_exchange() {
  when_gone = nullptr;
  stream->watch_readable(nullptr);
}

awaitable<bool> ServerConnection::State::skip_rest_of_body() {
  if (expects_continue && !reader.at_end()) co_return false;  // whether the body comes at all is unknown
  std::size_t skipped = 0;
  const Deadline deadline = stream->loop().deadline_in(options.head_time);
  while (!reader.at_end()) {
    const auto piece = reader.take(input);
    if (!piece) co_return false;
    skipped += piece->bytes.size();
    if (skipped > options.rest_of_body) co_return false;
    if (piece->state != BodyPiece::State::blocked) continue;
    const auto got = receive();
    if (!got || got->state == ReadResult::State::end) co_return false;
    if (got->state == ReadResult::State::blocked && !(co_await stream->readable(deadline))) co_return false;
  }
  co_return true;
}

awaitable<void> ServerConnection::State::linger() {
  constexpr std::size_t kMost = 1U << 20U;
  constexpr auto kTime = std::chrono::seconds(2);
  if (!stream->is_open()) co_return;
  stream->shutdown_write();
  const Deadline deadline = stream->loop().deadline_in(kTime);
  std::size_t dropped = 0;
  while (dropped < kMost) {
    input.consume(input.view().size());
    const auto got = receive();
    if (!got || got->state == ReadResult::State::end) break;
    dropped += got->size;
    if (got->state == ReadResult::State::data) continue;
    input.rest();
    if (!(co_await stream->readable(deadline))) break;
  }
  stream->close();
}

ServerConnection::ServerConnection(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerConnection::~ServerConnection() = default;

const RequestHead& ServerConnection::request() const {
  return state_->request;
}
BodyLength ServerConnection::request_length() const {
  return state_->reader.length();
}
const PeerAddress& ServerConnection::peer() const {
  return state_->stream->peer();
}
Loop& ServerConnection::loop() const {
  return state_->stream->loop();
}

Result<BodyPiece> ServerConnection::try_read_body() {
  State& state = *state_;
  WAXWING_TRY(state.send_continue());
  for (;;) {
    WAXWING_ASSIGN(const BodyPiece piece, state.reader.take(state.input));
    if (piece.state == BodyPiece::State::end && state.when_gone) state.watch();
    state.body_bytes += piece.bytes.size();
    if (state.body_bytes > state.options.body) return fail(Code::too_large, "request body too large");
    if (piece.state != BodyPiece::State::blocked) return piece;
    WAXWING_ASSIGN(const ReadResult got, state.receive());
    if (got.state == ReadResult::State::end) {
      state.peer_gone = true;
      return fail(Code::io, "client left in the middle of its request");
    }
    if (got.state == ReadResult::State::blocked) return BodyPiece{};
  }
}

Task<BodyPiece> ServerConnection::read_body(Deadline deadline) {
  State& state = *state_;
  for (;;) {
    if (!std::exchange(state.starved, false)) {
      WAXWING_CO_ASSIGN(const BodyPiece piece, try_read_body());
      if (piece.state != BodyPiece::State::blocked) co_return piece;
    }
    if (!response_started() && state.stream->has_kept()) WAXWING_CO_TRY(co_await flush(deadline));
    state.input.rest();
    WAXWING_CO_TRY(co_await state.stream->readable(deadline));
    state.starved = false;
  }
}

Task<Bytes> ServerConnection::read_whole_body(std::size_t most, Deadline deadline) {
  return collect_body(*this, request_length(), most, deadline);
}

Result<Sent> ServerConnection::start(const ResponseHead& head, BodyLength body) {
  State& state = *state_;
  if (state.writer.started() || head.status < 200) return fail(Code::internal, "response begun twice, or not final");
  if (state.request.minor_version == 0 && body.kind == BodyLength::Kind::chunked) {
    body = BodyLength{BodyLength::Kind::until_close, 0};
  }
  Bytes& out = state.writer.head();
  WAXWING_TRY(encode_head(head, body, state.close_after ? Persist::close : Persist::keep_alive, out));
  if (!head.fields.find("date")) {
    out.resize(out.size() - 2);
    append(out, as_bytes("date: "));
    append(out, as_bytes(state.dates.text(loop().clock())));
    append(out, as_bytes("\r\n\r\n"));
  }
  const bool bare = state.request.method == "HEAD" || head.status == 204 || head.status == 304;
  state.writer.begin(body, bare ? MessageWriter::Carries::nothing : MessageWriter::Carries::body);
  return Sent::all;
}

Result<Sent> ServerConnection::send(std::span<const ByteView> parts) {
  return state_->writer.send(parts);
}
Result<Sent> ServerConnection::finish(std::span<const ByteView> parts) {
  return state_->writer.finish(parts);
}

Task<> ServerConnection::flush(Deadline deadline) {
  return state_->stream->flush(deadline);
}

Task<> ServerConnection::respond(int status, Fields fields, ByteView body, Deadline deadline) {
  const ResponseHead head{.status = status, .minor_version = 1, .fields = std::move(fields)};
  WAXWING_CO_TRY(start(head, body.empty() ? BodyLength::none() : BodyLength::known(body.size())));
  WAXWING_CO_ASSIGN(const Sent sent, finish({&body, 1}));
  if (sent == Sent::blocked) WAXWING_CO_TRY(co_await flush(deadline));
  co_return Result<void>{};
}

bool ServerConnection::response_started() const {
  return state_->writer.started();
}

void ServerConnection::on_peer_gone(std::function<void()> function) {
  state_->when_gone = std::move(function);
  if (state_->when_gone) state_->watch();
}

bool ServerConnection::peer_is_gone() const {
  return state_->peer_gone || !state_->stream->is_open();
}
void ServerConnection::close_after_response() {
  state_->close_after = true;
}

void ServerConnection::abort() {
  state_->stream->abort();
  if (state_->listener != nullptr) state_->listener->signal();
}

Task<BodyPiece> read_body_or_answer(ServerConnection& from, ClientConnection& to, Deadline deadline) {
  auto& client = from.state();
  auto& upstream = *to.state_;
  for (;;) {
    if (to.answered()) co_return BodyPiece{};
    if (!std::exchange(client.starved, false)) {
      WAXWING_CO_ASSIGN(const BodyPiece piece, from.try_read_body());
      if (piece.state != BodyPiece::State::blocked) co_return piece;
    }
    client.input.rest();
    Event either(from.loop());
    client.listener = upstream.listener = &either;
    client.watch();
    upstream.watch();
    const Wake wake = co_await either.wait(deadline);
    client.listener = upstream.listener = nullptr;
    WAXWING_CO_TRY(to_result(wake, "reading a request body"));
    client.starved = false;
    if (!client.stream->is_open() || !upstream.stream->is_open()) {
      co_return fail(Code::cancelled, "connection closed on this side");
    }
  }
}

// ---- the server ----

struct HttpServer::State {
  struct Connection {
    ServerConnection::State* state = nullptr;  // null until the handshake is over
    Stream* stream = nullptr;
  };

  /// Counts a connection while it lives and lets drain() find it.
  class Registration {
   public:
    Registration(State& server, Connection& connection) : server_(server), connection_(connection) {
      server_.connections.push_back(&connection_);
      ++server_.stats.connections;
      ++server_.sources[connection_.stream->peer().host];
    }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
    ~Registration() {
      std::erase(server_.connections, &connection_);
      --server_.stats.connections;
      const auto source = server_.sources.find(host_);
      if (source != server_.sources.end() && --source->second == 0) server_.sources.erase(source);
      server_.changed.signal();
    }

   private:
    State& server_;
    Connection& connection_;
    std::string host_ = connection_.stream->peer().host;
  };

  State(Loop& on, RequestHandler& with, ServerOptions set)
      : loop(on), handler(with), options(std::move(set)), changed(on) {
    options.head.bytes = std::min(options.head.bytes, BufferPool::kSize);
  }

  [[nodiscard]] bool admits(const Stream& stream) const;
  [[nodiscard]] Task<> serve_one(StreamPtr stream, std::optional<TlsServerContext> secure);
  [[nodiscard]] awaitable<void> serve_requests(ServerConnection& connection);
  [[nodiscard]] awaitable<void> serve_request(ServerConnection& connection);
  [[nodiscard]] Task<> run_handler(ServerConnection& connection);
  [[nodiscard]] awaitable<void> answer_error(ServerConnection& connection, int status, Error error,
                                             const RequestHead* request);

  Loop& loop;
  RequestHandler& handler;
  ServerOptions options;
  ServerStats stats;
  std::optional<TlsServerContext> tls;
  DateCache dates;
  bool draining = false;
  std::vector<Acceptor*> acceptors;
  std::vector<Connection*> connections;
  std::unordered_map<std::string, std::size_t> sources;
  Event changed;
};

bool HttpServer::State::admits(const Stream& stream) const {
  if (draining || stats.connections >= options.connections) return false;
  const auto source = sources.find(stream.peer().host);
  return source == sources.end() || source->second < options.connections_per_source;
}

awaitable<void> HttpServer::State::answer_error(ServerConnection& connection, int status, Error error,
                                                const RequestHead* request) {
  ErrorBody body{"text/plain", std::string(reason_phrase(status)) + "\n", {}};
  if (options.error_body) body = options.error_body(status, error, request);
  body.fields.set("content-type", body.content_type);
  if (status == 503 && !body.fields.find("retry-after")) body.fields.add("retry-after", "1");
  const auto sent = co_await connection.respond(status, std::move(body.fields), as_bytes(body.text),
                                                Deadline::within(options.write_idle));
  if (!sent) connection.abort();
}

Task<> HttpServer::State::run_handler(ServerConnection& connection) {
  try {
    co_return co_await handler.handle(connection);
  } catch (const std::exception& bug) {
    co_return fail(Code::internal, std::string("exception in a request handler: ") + bug.what());
  }
}

awaitable<void> HttpServer::State::serve_request(ServerConnection& connection) {
  auto& state = connection.state();
  ++stats.requests;
  if (draining) state.close_after = true;
  if (stats.in_progress >= options.requests) {
    ++stats.overloaded;
    co_return co_await answer_error(connection, 503, Error(Code::rate_limited, "too many requests in progress"),
                                    &state.request);
  }
  ++stats.in_progress;
  auto result = co_await run_handler(connection);
  --stats.in_progress;
  state.end_exchange();

  if (result && state.writer.finished()) {
    if (state.stream->has_kept() && !co_await connection.flush(Deadline::within(options.write_idle)))
      connection.abort();
    co_return;
  }
  if (result) result = fail(Code::internal, "request handler ended before its response");
  // Where the close of the connection is the end of the body, only a reset tells a cut from an end.
  const bool close_is_end = state.request.minor_version == 0;
  if (state.writer.started() && !state.peer_gone && !state.stream->has_kept() && !close_is_end) {
    // The end that HTTP gives a message is missing: that says enough. A reset would take from a slow client what is
    // still on its way to it.
    ++stats.aborted;
    co_return co_await state.linger();
  }
  if (state.writer.started() || state.peer_gone || is_connection_loss(result.error())) {
    ++stats.aborted;
    connection.abort();
    co_return;
  }
  const int status = outcome_of(result.error().code()).http_status;
  co_await answer_error(connection, status, std::move(result).error(), &state.request);
}

awaitable<void> HttpServer::State::serve_requests(ServerConnection& connection) {
  auto& state = connection.state();
  using Next = ServerConnection::State::Next;
  bool keep = true;
  while (keep) {
    if (draining && state.input.empty()) break;
    const Next next = co_await state.next_request();
    if (next == Next::closed) break;
    if (next == Next::refused) {
      ++stats.bad_requests;
      co_await answer_error(connection, state.status, *std::move(state.refusal), nullptr);
      co_return co_await state.linger();
    }
    co_await serve_request(connection);
    if (!state.stream->is_open()) co_return;
    keep = !state.close_after && co_await state.skip_rest_of_body();
  }
  if (state.reader.at_end()) {
    state.stream->close();
  } else {
    co_await state.linger();
  }
}

Task<> HttpServer::State::serve_one(StreamPtr stream, std::optional<TlsServerContext> secure) {
  Connection entry{nullptr, stream.get()};
  const Registration registration(*this, entry);
  if (secure) {
    const auto done = co_await stream->handshake_server(*std::move(secure), loop.deadline_in(options.handshake_time));
    if (!done) {
      ++stats.handshakes_failed;
      co_return Result<void>{};
    }
  }
  ServerConnection connection(std::make_unique<ServerConnection::State>(std::move(stream), options, dates));
  entry.state = &connection.state();
  co_await serve_requests(connection);
  co_return Result<void>{};
}

HttpServer::HttpServer(Loop& loop, RequestHandler& handler, ServerOptions options)
    : state_(std::make_unique<State>(loop, handler, std::move(options))) {}
HttpServer::~HttpServer() = default;

Task<> HttpServer::serve(Acceptor acceptor, std::optional<TlsServerContext> tls) {
  State& state = *state_;
  const bool secure = tls.has_value();
  if (secure) state.tls = std::move(tls);
  state.acceptors.push_back(&acceptor);
  TaskGroup children(state.loop);
  Result<void> ended;
  while (!state.draining) {
    auto stream = co_await acceptor.accept(Deadline::none());
    if (!stream) {
      if (stream.error().code() != Code::cancelled) ended = std::unexpected(std::move(stream).error());
      break;
    }
    if (!state.admits(**stream)) {
      ++state.stats.refused;
      continue;
    }
    ++state.stats.accepted;
    children.spawn(state.serve_one(*std::move(stream), secure ? state.tls : std::nullopt));
  }
  std::erase(state.acceptors, &acceptor);
  acceptor.close();
  const auto joined = co_await children.join(Deadline::none());
  co_return ended ? joined : ended;
}

Task<> HttpServer::serve_stream(StreamPtr stream) {
  ++state_->stats.accepted;
  return state_->serve_one(std::move(stream), std::nullopt);
}

void HttpServer::replace_tls(TlsServerContext tls) {
  state_->tls = std::move(tls);
}

Task<> HttpServer::drain(Deadline deadline) {
  State& state = *state_;
  deadline = state.loop.fixed(deadline);
  state.draining = true;
  for (Acceptor* acceptor : state.acceptors) acceptor->close();
  for (const auto* connection : std::vector(state.connections)) {
    if (connection->state == nullptr) {
      connection->stream->abort();
    } else if (connection->state->idle) {
      connection->state->stream->close();
    } else {
      connection->state->close_after = true;
    }
  }
  while (state.stats.connections != 0) {
    state.changed.reset();
    const Wake wake = co_await state.changed.wait(deadline);
    if (wake == Wake::cancelled) co_return fail(Code::cancelled, "cancelled while draining");
    if (wake == Wake::signalled) continue;
    for (const auto* connection : std::vector(state.connections)) {
      (connection->state == nullptr ? connection->stream : connection->state->stream.get())->abort();
    }
    deadline = Deadline::none();
  }
  co_return Result<void>{};
}

const ServerStats& HttpServer::stats() const {
  return state_->stats;
}

}  // namespace waxwing::net
