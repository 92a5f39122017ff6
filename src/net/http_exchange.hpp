// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include "http_message.hpp"
#include "waxwing/net/event.hpp"
#include "waxwing/net/http_client.hpp"
#include "waxwing/net/http_server.hpp"

// What the client's and the server's end of a connection know of each other when one request is relayed.
namespace waxwing::net {

struct ClientConnection::State {
  State(StreamPtr on, ClientOptions with)
      : stream(std::move(on)), options(with), input(stream->loop()), writer(*stream) {
    options.head.bytes = std::min(options.head.bytes, BufferPool::kSize);
  }
  ~State() { stream->abort(); }

  /// Has the loop look out for the answer while nobody reads.
  void watch();
  void on_readable();
  void note_answer();
  [[nodiscard]] Result<bool> parse_head();
  [[nodiscard]] Result<ReadResult> receive();

  StreamPtr stream;
  ClientOptions options;
  InputBuffer input;
  BodyReader reader;
  MessageWriter writer;
  std::string method;
  ResponseHead response;
  std::size_t scanned = 0;
  unsigned informational = 0;
  std::uint64_t response_bytes = 0;
  bool answered = false;
  bool have_head = false;
  bool starved = false;       // the last read found nothing: wait before the next
  Event* listener = nullptr;  // of the one task that waits for the answer to begin
};

/// Reads the rest of a body into one buffer.
template <class Connection>
Task<Bytes> collect_body(Connection& connection, BodyLength length, std::size_t most, Deadline deadline) {
  Bytes body;
  if (length.kind == BodyLength::Kind::known) {
    if (length.size > most) co_return fail(Code::too_large, "body too large");
    body.reserve(static_cast<std::size_t>(length.size));
  }
  for (;;) {
    WAXWING_CO_ASSIGN(const BodyPiece piece, co_await connection.read_body(deadline));
    if (piece.state == BodyPiece::State::end) co_return body;
    if (piece.bytes.size() > most - body.size()) co_return fail(Code::too_large, "body too large");
    append(body, piece.bytes);
  }
}

}  // namespace waxwing::net
