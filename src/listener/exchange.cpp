// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "exchange.hpp"

#include <utility>

namespace waxwing::listener {

using net::BodyPiece;
using net::Sent;

namespace {

constexpr std::size_t kLongestHeld = std::size_t{1} << 20U;  // bytes of an event

}  // namespace

void add_own_fields(net::Fields& fields, std::string_view request_id) {
  if (!fields.find("x-request-id")) fields.add("x-request-id", request_id);
  if (!fields.find("request-id")) fields.add("request-id", *fields.find("x-request-id"));
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

ClientAnswer::ClientAnswer(net::ServerConnection& connection, std::string_view request_id)
    : connection_(connection), request_id_(request_id) {}

Result<Sent> ClientAnswer::start(const net::ResponseHead& head, net::BodyLength length) {
  net::ResponseHead out = head;
  add_own_fields(out.fields, request_id_);
  events_ = head.fields.find("content-type").value_or("").starts_with("text/event-stream");
  status_ = head.status;
  return connection_.start(out, length);
}

Result<Sent> ClientAnswer::send(std::span<const ByteView> parts) {
  return events_ ? send_events(parts) : connection_.send(parts);
}

Result<Sent> ClientAnswer::send_events(std::span<const ByteView> parts) {
  whole_.clear();
  rest_.clear();
  if (!held_.empty()) whole_.push_back(held_.view());
  std::size_t waiting = held_.size();
  bool ended = false;
  for (const ByteView part : parts) {
    const std::size_t end = end_of_events(part);
    if (end != 0) {
      ended = true;
      whole_.insert(whole_.end(), rest_.begin(), rest_.end());
      whole_.push_back(part.first(end));
      rest_.clear();
      waiting = 0;
    }
    rest_.push_back(part.subspan(end));
    waiting += rest_.back().size();
  }
  split_ = waiting > kLongestHeld || (split_ && !ended);
  if (split_) {
    whole_.insert(whole_.end(), rest_.begin(), rest_.end());
    rest_.clear();
  }
  Result<Sent> sent = Sent::all;
  if (ended || split_) {
    sent = connection_.send(whole_);
    held_.clear();
  }
  for (const ByteView part : rest_) held_.append(part);
  return sent;
}

/// The bytes up to the end of the last event that ends in `part`; 0: none does.
std::size_t ClientAnswer::end_of_events(ByteView part) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < part.size();) {
    const auto step = tracker_.advance(part.subspan(at));
    at += step.bytes;
    if (step.reached == dialect::SseTracker::Reached::end_of_event) end = at;
  }
  return end;
}

Result<Sent> ClientAnswer::finish() {
  finished_ = true;
  return connection_.finish({held_.view()});
}

net::Task<> ClientAnswer::flush(net::Deadline deadline) {
  return connection_.flush(deadline);
}

}  // namespace waxwing::listener
