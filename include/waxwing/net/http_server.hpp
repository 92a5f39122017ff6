// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "waxwing/net/acceptor.hpp"
#include "waxwing/net/http_client.hpp"
#include "waxwing/net/http_head.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/stream.hpp"
#include "waxwing/net/tls.hpp"

namespace waxwing::net {

/// What to say when the server answers by itself (malformed head, limits, a handler's error before its response).
struct ErrorBody {
  std::string content_type;
  std::string text;
  Fields fields{};  ///< further fields, e.g. retry-after
};
/// `status` is what will be sent; `request` is null when there is no valid head.
using ErrorBodyFunction = std::function<ErrorBody(int status, const Error& error, const RequestHead* request)>;

struct ServerOptions {
  HeadLimits head{};
  std::uint64_t body = UINT64_MAX;  ///< bytes of a request body; beyond: 413
  std::chrono::nanoseconds handshake_time{std::chrono::seconds(10)};
  std::chrono::nanoseconds head_time{std::chrono::seconds(30)};   ///< from a head's first byte to its end
  std::chrono::nanoseconds keep_alive{std::chrono::seconds(75)};  ///< idle between requests, also before the first
  std::chrono::nanoseconds write_idle{
      std::chrono::seconds(60)};              ///< a client that takes nothing, for answers made here
  std::size_t connections = 1024;             ///< beyond: closed on accept
  std::size_t connections_per_source = 1024;  ///< same, per IP address; unix peers are one source
  std::size_t requests = 256;                 ///< in progress; beyond: 503 with retry-after
  std::size_t rest_of_body = 64U << 10U;      ///< unread body bytes swallowed to keep a connection; more: it is closed
  ErrorBodyFunction error_body{};             ///< empty: text/plain with the reason phrase
};

/// The server's end of one exchange on an HTTP/1.1 connection, as a handler sees it. `100 Continue` is sent by itself
/// when the body is first asked for and the client expects it. A response's head leaves with its first body bytes.
///
///     Task<> handle(ServerConnection& conn) override {
///       const RequestHead& request = conn.request();                       // valid until handle() returns
///       conn.on_peer_gone([&] { upstream.abort(); });                      // client left: upstream ends at once
///       WAXWING_CO_ASSIGN(BodyPiece piece, co_await conn.read_body(Deadline::within(60s)));
///       WAXWING_CO_ASSIGN(Sent sent, conn.start({.status = 200, .fields = {{"content-type", "text/event-stream"}}},
///                                               BodyLength::chunked()));
///       WAXWING_CO_ASSIGN(sent, conn.send({event_a, event_b}));            // one chunk, one system call, nothing
///       copied if (sent == Sent::blocked) WAXWING_CO_TRY(co_await conn.flush(Deadline::within(60s)));
///       WAXWING_CO_ASSIGN(sent, conn.finish());
///       co_return co_await conn.flush(Deadline::within(60s));
///     }
///
/// If handle() fails before start(), the server answers with outcome_of(code).http_status; after start(), or when it
/// returns without finish(), the connection is aborted: no last chunk, so nobody takes the part for the whole.
class ServerConnection {
 public:
  [[nodiscard]] const RequestHead& request() const;
  [[nodiscard]] BodyLength request_length() const;
  [[nodiscard]] const PeerAddress& peer() const;
  [[nodiscard]] Loop& loop() const;

  [[nodiscard]] Result<BodyPiece> try_read_body();
  [[nodiscard]] Task<BodyPiece> read_body(Deadline deadline);  ///< data or end
  /// The whole rest of the body, at most `most` bytes (else Code::too_large).
  [[nodiscard]] Task<Bytes> read_whole_body(std::size_t most, Deadline deadline);

  /// Begins the response. Code::internal when it has begun or the head is not sendable.
  [[nodiscard]] Result<Sent> start(const ResponseHead& head, BodyLength body);
  /// As ClientConnection::send: precondition Sent::all or flushed. An empty list of bytes sends what is held (the
  /// head).
  [[nodiscard]] Result<Sent> send(std::span<const ByteView> parts);
  [[nodiscard]] Result<Sent> send(std::initializer_list<ByteView> parts) {
    return send(std::span<const ByteView>(parts.begin(), parts.size()));
  }
  [[nodiscard]] Result<Sent> finish(std::span<const ByteView> parts = {});
  [[nodiscard]] Result<Sent> finish(std::initializer_list<ByteView> parts) {
    return finish(std::span<const ByteView>(parts.begin(), parts.size()));
  }
  [[nodiscard]] Task<> flush(Deadline deadline);
  /// start, send, finish, flush.
  [[nodiscard]] Task<> respond(int status, Fields fields, ByteView body, Deadline deadline);
  [[nodiscard]] bool response_started() const;

  /// Calls `function` once, from the loop, as soon as the client is seen to have left while the handler runs (end of
  /// stream or reset; also seen by reads and writes, which then fail). Forgotten when handle() returns. Detection works
  /// while the request body is not being waited for; reading bodies sees it by itself.
  void on_peer_gone(std::function<void()> function);
  [[nodiscard]] bool peer_is_gone() const;
  /// The response will say `connection: close`; before start().
  void close_after_response();
  /// Closes the connection at once, without an end of the body. Idempotent.
  void abort();

  struct State;
  explicit ServerConnection(std::unique_ptr<State> state);
  ~ServerConnection();
  [[nodiscard]] State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Waits for whichever comes first while a request is relayed: body bytes of `from` (or their end), or the beginning of
/// `to`'s answer (then the piece is `blocked` and to.answered() is true). Covers answers that arrive during an upload.
[[nodiscard]] Task<BodyPiece> read_body_or_answer(ServerConnection& from, ClientConnection& to, Deadline deadline);

class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  [[nodiscard]] virtual Task<> handle(ServerConnection& connection) = 0;
};

struct ServerStats {
  std::uint64_t accepted = 0, refused = 0, handshakes_failed = 0;
  std::uint64_t requests = 0, bad_requests = 0, overloaded = 0, aborted = 0;
  std::size_t connections = 0, in_progress = 0;  ///< now
};

/// Accepts connections of one listener and runs the handler for each request.
///
///     HttpServer server(loop, handler, ServerOptions{});
///     tasks.spawn(server.serve(std::move(acceptor), tls));                  // until drain(), cancellation or
///     loop.stop()
///     ...
///     co_await server.drain(loop.deadline_in(30s));
class HttpServer {
 public:
  HttpServer(Loop& loop, RequestHandler& handler, ServerOptions options);
  ~HttpServer();

  /// May be called for several acceptors. Returns when accepting has ended and every connection of it is gone.
  [[nodiscard]] Task<> serve(Acceptor acceptor, std::optional<TlsServerContext> tls);
  /// One connection that came some other way.
  [[nodiscard]] Task<> serve_stream(StreamPtr stream);
  /// For later handshakes of TLS listeners.
  void replace_tls(TlsServerContext tls);
  /// Stops accepting, closes idle connections, answers what is in progress with `connection: close`; at the deadline
  /// aborts what is left. Returns when nothing is left.
  [[nodiscard]] Task<> drain(Deadline deadline);
  [[nodiscard]] const ServerStats& stats() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace waxwing::net
