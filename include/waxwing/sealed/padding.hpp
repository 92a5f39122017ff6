// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/sealed/ohttp.hpp"

/// Lengths (docs/protocols/waxwing.md, "Lengths"): what an observer of the sealed chunks may see.
namespace waxwing::sealed {

/// The inner request field that asks for padded answers, and its only value.
inline constexpr std::string_view kPadField = "waxwing-pad";
inline constexpr std::string_view kPadFieldValue = "256";
/// How a filler line of an event stream begins.
inline constexpr std::string_view kPadLine = ":waxwing-pad";
/// Sealed chunks of a padded event stream are multiples of this.
inline constexpr std::size_t kEventBlock = 256;

/// Size of a request's plaintext after padding: a multiple of 1 KiB up to 16 KiB, of 16 KiB beyond.
[[nodiscard]] std::uint64_t padded_request_size(std::uint64_t size);
/// A padded answer that is no event stream: a multiple of 1 KiB.
[[nodiscard]] std::uint64_t padded_answer_size(std::uint64_t size);

/// Where the plaintext of chunks goes: a sealer in the product, a list in tests.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  /// The next chunk is the concatenation of `parts`; the views last for the call.
  [[nodiscard]] virtual Result<void> chunk(std::span<const ByteView> parts, Last last) = 0;
};

/// Cuts a message into chunks of exactly 16384 bytes whatever the sizes written; the end is padded. Precondition of
/// all: something is written after the content (the end of a binary HTTP message always is).
class BlockWriter {
 public:
  [[nodiscard]] Result<void> write(ByteView bytes, ChunkSink& sink);
  /// Ends the message with zeros (binary HTTP padding) up to what `padded_size` makes of its size.
  [[nodiscard]] Result<void> finish(std::uint64_t (*padded_size)(std::uint64_t), ChunkSink& sink);

 private:
  Bytes staged_;
  std::uint64_t total_ = 0;
};

/// Takes the filler lines out of an event stream that comes in pieces of any size. Lines end with LF, CR or CR LF. What
/// is kept comes as views into the pieces; nothing is copied.
///
///     while (const auto kept = stripper.next(piece)) forward(*kept);
///     forward(stripper.finish());
class PadStripper {
 public:
  /// The next run of kept bytes (never empty); nothing once `piece` is used up.
  [[nodiscard]] std::optional<ByteView> next(ByteView& piece);
  /// At the end of the stream: the start of a line that could still have become a filler line.
  [[nodiscard]] ByteView finish();

 private:
  enum class State : std::uint8_t { line_start, kept_line, dropped_line, dropped_cr };
  std::size_t kept_run(ByteView piece);

  State state_ = State::line_start;
  std::size_t matched_ = 0;  ///< at line_start: bytes of kPadLine seen and held back
  std::size_t skipped_ = 0;  ///< result of kept_run
};

/// Makes a padded event stream: each non-final chunk is a multiple of 256 bytes and at most 16384. Whole events go out
/// as they come, filled up by one filler line after the last blank line; more than fits goes in full pieces first.
/// Filler lines of the engine are dropped. The chunks are binary HTTP (content pieces included).
class PaddedEventWriter {
 public:
  /// `head` = the encoded response head; it goes out at once.
  [[nodiscard]] Result<void> begin(ByteView head, ChunkSink& sink);
  /// Any piece of the engine's stream.
  [[nodiscard]] Result<void> write(ByteView piece, ChunkSink& sink);
  /// `end` = the encoded end of the message; it goes out with what is left, and with zeros to a multiple of 256.
  [[nodiscard]] Result<void> finish(ByteView end, ChunkSink& sink);

 private:
  void collect(ByteView piece);
  void add(ByteView kept);
  void carry();
  Result<void> send_events(ByteView head, std::size_t content, ChunkSink& sink);
  Result<void> send_piece(ByteView head, std::size_t content, std::size_t filler, ChunkSink& sink);

  PadStripper stripper_;
  Bytes carried_;                  ///< start of an event that is not complete
  std::vector<ByteView> pending_;  ///< carried_, then the kept views of the piece at hand
  std::size_t pending_at_ = 0;     ///< the first view that is not sent
  std::size_t pending_size_ = 0;   ///< bytes that are not sent
  std::size_t complete_ = 0;       ///< how many of them end with a blank line
  bool in_line_ = false;           ///< the line at hand is not empty
  bool after_cr_ = false;          ///< a line has ended with CR; an LF that follows belongs to it
  std::vector<ByteView> parts_;
};

}  // namespace waxwing::sealed
