// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "waxwing/net/http_head.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/stream.hpp"

namespace waxwing::net {

class ServerConnection;

struct ClientOptions {
  HeadLimits head{};
  unsigned informational = 8;  ///< 1xx responses skipped before the final one
};

/// The client's end of an HTTP/1.1 connection. One exchange at a time: start, send*, finish, read_head, read_body until
/// end. The head leaves together with the first body bytes (or at finish). Reading and writing are independent, so the
/// answer may be read while the request is still being sent.
///
///     WAXWING_CO_ASSIGN(Sent sent, client.start(head, BodyLength::chunked()));
///     for (pieces) {
///       WAXWING_CO_ASSIGN(sent, client.send({sealed_a, sealed_b}));               // one gathered system call
///       if (sent == Sent::blocked) WAXWING_CO_TRY(co_await client.flush(Deadline::within(idle)));
///       if (client.answered()) break;                                            // early answer: stop sending
///     }
///     WAXWING_CO_ASSIGN(sent, client.finish());  // flush as above
///     WAXWING_CO_TRY(co_await client.read_head(first_byte));                       // client.response()
///     for (;;) {
///       WAXWING_CO_ASSIGN(BodyPiece piece, client.try_read_body());
///       if (piece.state == BodyPiece::State::blocked) WAXWING_CO_ASSIGN(piece, co_await
///       client.read_body(Deadline::within(idle))); if (piece.state == BodyPiece::State::end) break; use(piece.bytes);
///     }
///     // client.reusable() now tells whether it may serve again
///
/// Errors: as Stream; Code::malformed (framing of the response), Code::truncated (it ended early), Code::too_large
/// (head). After any error the connection is only good for abort().
class ClientConnection final {
 public:
  ClientConnection(StreamPtr stream, ClientOptions options);
  ~ClientConnection();

  /// Begins an exchange; writes nothing yet unless the body is none. Host is the
  /// caller's to set (Origin::host_field).
  [[nodiscard]] Result<Sent> start(const RequestHead& head, BodyLength body);
  /// Body bytes, at most as many as a known length leaves (else Code::internal). Precondition: the last result was
  /// Sent::all, or flush() succeeded since.
  [[nodiscard]] Result<Sent> send(std::span<const ByteView> parts);
  [[nodiscard]] Result<Sent> send(std::initializer_list<ByteView> parts) {
    return send(std::span<const ByteView>(parts.begin(), parts.size()));
  }
  /// Sends the last bytes, if any, and ends the request body, in one system call (Code::internal when a known length is
  /// not reached).
  [[nodiscard]] Result<Sent> finish(std::span<const ByteView> parts = {});
  [[nodiscard]] Result<Sent> finish(std::initializer_list<ByteView> parts) {
    return finish(std::span<const ByteView>(parts.begin(), parts.size()));
  }
  /// Waits until all is with the kernel, or until the answer has begun (then what is left is not sent any more, nor is
  /// the connection reusable). Look at answered().
  [[nodiscard]] Task<> flush(Deadline deadline);

  /// Whether response bytes have arrived; never waits. While a request is being sent this is kept current by the loop
  /// without extra system calls.
  [[nodiscard]] bool answered() const;
  /// Waits until answered() (or the peer is gone: the error is told by read_head).
  [[nodiscard]] Task<> answer_begins(Deadline deadline);

  /// The final response head; informational ones are skipped. `deadline` covers the whole wait.
  [[nodiscard]] Task<> read_head(Deadline deadline);
  [[nodiscard]] const ResponseHead& response() const;
  [[nodiscard]] BodyLength response_length() const;
  [[nodiscard]] Result<BodyPiece> try_read_body();
  [[nodiscard]] Task<BodyPiece> read_body(Deadline deadline);  ///< data or end
  /// The whole rest of the body, at most `most` bytes (else Code::too_large).
  [[nodiscard]] Task<Bytes> read_whole_body(std::size_t most, Deadline deadline);

  /// Response bytes of this exchange seen so far: with 0 and a repeatable request a stale connection may be retried.
  [[nodiscard]] std::uint64_t response_bytes() const;
  /// Request sent whole, response read to its end, both sides keep alive, nothing unexpected in the buffer.
  [[nodiscard]] bool reusable() const;
  /// For a connection that waits in a pool: whether the peer has closed it or sent something meanwhile.
  [[nodiscard]] bool is_stale();
  /// Closes at once; tasks that wait here get Code::cancelled. Idempotent, from any task of the loop.
  void abort();
  /// Closes in good order (close_notify, FIN).
  void close();
  [[nodiscard]] Stream& stream();

  struct State;

 private:
  friend Task<BodyPiece> read_body_or_answer(ServerConnection& from, ClientConnection& to, Deadline deadline);
  std::unique_ptr<State> state_;
};

}  // namespace waxwing::net
