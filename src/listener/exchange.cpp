// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "exchange.hpp"

#include <utility>

namespace waxwing::listener {

using net::BodyPiece;
using net::Sent;

void add_own_fields(net::Fields& fields, std::string_view request_id, std::string_view label) {
  if (!fields.find("x-request-id")) fields.add("x-request-id", request_id);
  if (!fields.find("request-id")) fields.add("request-id", *fields.find("x-request-id"));
  if (!label.empty()) fields.set("waxwing-verdict", "accepted; label=\"" + std::string(label) + "\"");
}

ClientBody::ClientBody(net::ServerConnection& connection, const dialect::Endpoint& endpoint) : connection_(connection) {
  if (endpoint.body == dialect::BodyKind::json) scanner_.emplace(dialect::ScanLimits::request());
}

Result<BodyPiece> ClientBody::scan(BodyPiece piece) {
  if (!scanner_) return piece;
  if (piece.state == BodyPiece::State::data) WAXWING_TRY(scanner_->feed(piece.bytes));
  if (piece.state == BodyPiece::State::end) WAXWING_TRY(scanner_->finish());
  return piece;
}

Result<BodyPiece> ClientBody::try_read() {
  WAXWING_ASSIGN(const BodyPiece piece, connection_.try_read_body());
  return scan(piece);
}

net::Task<BodyPiece> ClientBody::read_or_answer(net::ClientConnection& other, net::Deadline deadline) {
  WAXWING_CO_ASSIGN(const BodyPiece piece, co_await net::read_body_or_answer(connection_, other, deadline));
  co_return scan(piece);
}

ClientAnswer::ClientAnswer(net::ServerConnection& connection, std::string_view request_id, std::string label)
    : connection_(connection), request_id_(request_id), label_(std::move(label)) {}

Result<Sent> ClientAnswer::start(const net::ResponseHead& head, net::BodyLength length) {
  net::ResponseHead out = head;
  add_own_fields(out.fields, request_id_, label_);
  events_ = head.fields.find("content-type").value_or("").starts_with("text/event-stream");
  status_ = head.status;
  return connection_.start(out, length);
}

Result<Sent> ClientAnswer::send(std::span<const ByteView> parts) {
  if (events_)
    for (const ByteView part : parts) tracker_.skip(part);
  return connection_.send(parts);
}

Result<Sent> ClientAnswer::finish() {
  finished_ = true;
  return connection_.finish();
}

net::Task<> ClientAnswer::flush(net::Deadline deadline) {
  return connection_.flush(deadline);
}

}  // namespace waxwing::listener
