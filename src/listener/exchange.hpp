// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

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

/// The way back to the client: adds our own fields and keeps track of events, so that a failure can still be told.
class ClientAnswer final : public net::AnswerSink {
 public:
  ClientAnswer(net::ServerConnection& connection, std::string_view request_id, std::string label);

  [[nodiscard]] Result<net::Sent> start(const net::ResponseHead& head, net::BodyLength length) override;
  [[nodiscard]] Result<net::Sent> send(std::span<const ByteView> parts) override;
  [[nodiscard]] Result<net::Sent> finish() override;
  [[nodiscard]] net::Task<> flush(net::Deadline deadline) override;
  [[nodiscard]] bool started() const override { return connection_.response_started(); }

  /// Whether the answer is an event stream that has begun and has not ended.
  [[nodiscard]] bool in_event_stream() const { return events_ && !finished_; }
  /// Line ends after which a new event can begin.
  [[nodiscard]] std::string_view closing() const { return tracker_.closing(); }
  [[nodiscard]] int status() const { return status_; }

 private:
  net::ServerConnection& connection_;
  std::string_view request_id_;
  std::string label_;
  dialect::SseTracker tracker_;
  bool events_ = false;
  bool finished_ = false;
  int status_ = 0;
};

/// request-id, x-request-id, and the verdict's label when there is one.
void add_own_fields(net::Fields& fields, std::string_view request_id, std::string_view label);

}  // namespace waxwing::listener
