// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/plaintext.hpp"
#include "waxwing/dialect/endpoints.hpp"
#include "waxwing/dialect/json_scan.hpp"
#include "waxwing/dialect/sse.hpp"
#include "waxwing/net/http_server.hpp"
#include "waxwing/net/relay.hpp"

namespace waxwing::listener {

/// The body of a client's request, scanned while it passes: what is not one JSON object with at most one model ends the
/// request before its end is sealed.
class ClientBody final : public net::BodySource {
 public:
  ClientBody(net::ServerConnection& connection, const dialect::Endpoint& endpoint);

  [[nodiscard]] net::BodyLength length() const override { return connection_.request_length(); }
  [[nodiscard]] Result<net::BodyPiece> try_read() override;
  [[nodiscard]] net::Task<net::BodyPiece> read_or_answer(net::ClientConnection& other, net::Deadline deadline) override;

 private:
  [[nodiscard]] Result<net::BodyPiece> scan(net::BodyPiece piece);

  net::ServerConnection& connection_;
  std::optional<dialect::TopLevelScanner> scanner_;
};

/// The way back to the client: adds our own fields, and passes on whole events only. A client can do nothing with half
/// of one, and where an answer breaks off in an event, the error can still be told in its place.
class ClientAnswer final : public net::AnswerSink {
 public:
  ClientAnswer(net::ServerConnection& connection, std::string_view request_id);

  [[nodiscard]] Result<net::Sent> start(const net::ResponseHead& head, net::BodyLength length) override;
  [[nodiscard]] Result<net::Sent> send(std::span<const ByteView> parts) override;
  [[nodiscard]] Result<net::Sent> finish() override;
  [[nodiscard]] net::Task<> flush(net::Deadline deadline) override;
  [[nodiscard]] bool started() const override { return connection_.response_started(); }

  /// Whether the answer is an event stream that has begun and has not ended.
  [[nodiscard]] bool in_event_stream() const { return events_ && !finished_; }
  /// What ends an event that has been passed on in part, because it is too long to be held.
  [[nodiscard]] std::string_view closing() const { return split_ ? tracker_.closing() : std::string_view(); }
  [[nodiscard]] int status() const { return status_; }

 private:
  [[nodiscard]] Result<net::Sent> send_events(std::span<const ByteView> parts);
  [[nodiscard]] std::size_t end_of_events(ByteView part);

  net::ServerConnection& connection_;
  std::string_view request_id_;
  dialect::SseTracker tracker_;
  Plaintext held_;               // the beginning of an event
  std::vector<ByteView> whole_;  // of one call; a member for its memory
  std::vector<ByteView> rest_;   // likewise
  bool split_ = false;           // the event that passes by did not fit in held_
  bool events_ = false;
  bool finished_ = false;
  int status_ = 0;
};

/// request-id and x-request-id.
void add_own_fields(net::Fields& fields, std::string_view request_id);

}  // namespace waxwing::listener
