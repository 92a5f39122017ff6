// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/plaintext.hpp"

namespace waxwing::dialect {

/// Follows an event stream (WHATWG HTML, section 9.2.5) that passes by, and knows whether it stands between two events:
/// the only place where a keep-alive or an error event may be put. Lines end with LF, CR or CRLF. A blank line ends an
/// event, also one without fields.
class SseTracker {
 public:
  enum class Reached : std::uint8_t { end_of_piece, end_of_event };
  struct Advance {
    std::size_t bytes;
    Reached reached;
  };
  /// Reads up to and including the end of the first event (its blank line), or the whole piece.
  Advance advance(ByteView piece);
  /// Reads all of it.
  void skip(ByteView piece);
  /// Before the first byte, and after each blank line.
  [[nodiscard]] bool between_events() const { return state_ == State::between || state_ == State::between_cr; }
  /// What to send so that the next byte starts an event: nothing, one or two line ends.
  [[nodiscard]] std::string_view closing() const;

 private:
  enum class State : std::uint8_t {
    between,     // nothing of an event yet
    between_cr,  // the same, and a LF still belongs to the CR before it
    in_line,     // inside a line
    line_start,  // after a line that was not blank
    after_cr,    // the same, and a LF still belongs to the CR before it
  };
  State state_ = State::between;
};

/// What happens to an event that is longer than the limit.
enum class Oversize : std::uint8_t {
  refuse,  ///< Code::too_large, and nothing more comes
  split,   ///< its bytes come as they arrive: any number of SsePart::open, then SsePart::last
};

struct SseLimits {
  std::size_t event;  ///< bytes of one event, its blank line included
  Oversize oversize;

  static constexpr SseLimits answer() { return {1U << 20U, Oversize::split}; }
};

enum class SsePart : std::uint8_t { whole, open, last };

struct SseEvent {
  ByteView bytes;  ///< every byte of it as it came, its blank line included; valid until the next call
  SsePart part;
};

/// Cuts an event stream into events. An event that lies in one piece is handed out as a view of that piece; only what
/// crosses a border is copied. The concatenation of all events and rest() is the input, byte for byte. (After an event
/// that ends with CR at the end of a piece, a LF that follows leads the next event: waiting for it would hold the event
/// back.)
///
///     splitter.feed(piece);                       // `piece` stays valid until next() gives nothing
///     for (;;) {
///       WAXWING_ASSIGN(const auto event, splitter.next());
///       if (!event) break;
///       use(event->bytes);
///     }
class SseSplitter {
 public:
  explicit SseSplitter(const SseLimits& limits) : limits_(limits) {}

  /// Precondition: next() has given nothing since the last feed().
  void feed(ByteView piece);
  [[nodiscard]] Result<std::optional<SseEvent>> next();
  /// The start of an event that has not ended; at the end of the stream, what a client would discard.
  [[nodiscard]] ByteView rest() const { return held_.view(); }

 private:
  // The bytes to hand out: `head` itself where nothing is held, else both in one piece.
  ByteView join(ByteView head);

  SseLimits limits_;
  SseTracker tracker_;
  ByteView piece_;
  Plaintext held_;
  bool held_is_out_ = false;  // what was held has been handed out and goes at the next call
  bool splitting_ = false;    // inside an oversized event
  bool refused_ = false;
};

}  // namespace waxwing::dialect
