// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "waxwing/net/http_client.hpp"
#include "waxwing/net/http_head.hpp"
#include "waxwing/net/http_server.hpp"
#include "waxwing/net/loop.hpp"

/// Both ends of a relayed exchange as the one in the middle sees them: what the listener offers and a provider uses,
/// without either knowing the other.
namespace waxwing::net {

/// A request's body as it arrives. Views last until the next call.
class BodySource {
 public:
  virtual ~BodySource() = default;
  [[nodiscard]] virtual BodyLength length() const = 0;
  /// Never waits.
  [[nodiscard]] virtual Result<BodyPiece> try_read() = 0;
  /// Waits for bytes or the end, or until `other` has begun to answer (then the piece is `blocked`).
  [[nodiscard]] virtual Task<BodyPiece> read_or_answer(ClientConnection& other, Deadline deadline) = 0;
};

/// Where an answer goes. A head, pieces, an end; what is not ended was cut, and the receiver can tell.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  [[nodiscard]] virtual Result<Sent> start(const ResponseHead& head, BodyLength length) = 0;
  /// Precondition: the last result was Sent::all, or flush() succeeded since.
  [[nodiscard]] virtual Result<Sent> send(std::span<const ByteView> parts) = 0;
  [[nodiscard]] virtual Result<Sent> finish() = 0;
  [[nodiscard]] virtual Task<> flush(Deadline deadline) = 0;
  [[nodiscard]] virtual bool started() const = 0;
};

}  // namespace waxwing::net
