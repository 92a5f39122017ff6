// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/sse.hpp"

#include <cassert>
#include <cstring>
#include <utility>

namespace waxwing::dialect {
namespace {

// The first line end in [at, end). Two library scans beat one loop over bytes.
const char* find_line_end(const char* at, const char* end) {
  const auto find = [at](const char* until, char c) {
    const void* hit = until == at ? nullptr : std::memchr(at, c, static_cast<std::size_t>(until - at));
    return hit == nullptr ? until : static_cast<const char*>(hit);
  };
  return find(find(end, '\n'), '\r');
}

}  // namespace

SseTracker::Advance SseTracker::advance(ByteView piece) {
  const std::string_view text = as_text(piece);
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (state_ == State::in_line) {
      at = find_line_end(at, end);
      if (at == end) break;
    }
    const char c = *at++;
    const bool after_cr = state_ == State::between_cr || state_ == State::after_cr;
    if (c != '\n' && c != '\r') {
      state_ = State::in_line;
    } else if (state_ == State::in_line) {
      state_ = c == '\r' ? State::after_cr : State::line_start;
    } else if (c == '\n' && after_cr) {
      state_ = state_ == State::between_cr ? State::between : State::line_start;
    } else {
      state_ = c == '\r' ? State::between_cr : State::between;
      if (c == '\r' && at != end && *at == '\n') {
        state_ = State::between;
        ++at;
      }
      return {static_cast<std::size_t>(at - text.data()), Reached::end_of_event};
    }
  }
  return {piece.size(), Reached::end_of_piece};
}

void SseTracker::skip(ByteView piece) {
  while (!piece.empty()) piece = piece.subspan(advance(piece).bytes);
}

std::string_view SseTracker::closing() const {
  switch (state_) {
    case State::between:
    case State::between_cr:
      return "";
    case State::line_start:
      return "\n";
    case State::in_line:
    // The first only completes the CR.
    case State::after_cr:
      return "\n\n";
  }
  std::unreachable();
}

void SseSplitter::feed(ByteView piece) {
  assert(piece_.empty());
  piece_ = piece;
}

ByteView SseSplitter::join(ByteView head) {
  if (held_.empty()) return head;
  held_.append(head);
  held_is_out_ = true;
  return held_.view();
}

Result<std::optional<SseEvent>> SseSplitter::next() {
  if (std::exchange(held_is_out_, false)) held_.clear();
  if (refused_) return fail(Code::too_large, "an event is longer than allowed");
  if (piece_.empty()) return std::nullopt;

  const SseTracker::Advance step = tracker_.advance(piece_);
  const ByteView head = piece_.first(step.bytes);
  piece_ = piece_.subspan(step.bytes);
  const bool ended = step.reached == SseTracker::Reached::end_of_event;

  if (held_.size() + head.size() > limits_.event && !splitting_) {
    if (limits_.oversize == Oversize::refuse) {
      refused_ = true;
      return next();
    }
    splitting_ = true;
  }
  if (splitting_) {
    splitting_ = !ended;
    return SseEvent{join(head), ended ? SsePart::last : SsePart::open};
  }
  if (ended) return SseEvent{join(head), SsePart::whole};
  held_.append(head);
  return std::nullopt;
}

}  // namespace waxwing::dialect
