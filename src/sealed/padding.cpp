// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/padding.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "varint.hpp"
#include "waxwing/base/byte_reader.hpp"

namespace waxwing::sealed {
namespace {

constexpr std::uint64_t kSmallBlock = 1024;
constexpr std::size_t kMinFiller = kPadLine.size() + 1;  // with its LF
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// The longest filler: a step of 256 that is too short for a line, one that the size of a length prefix steps over, and
// a whole one.
constexpr std::size_t kMaxFiller = 3 * kEventBlock;
constexpr auto kFiller = [] {
  std::array<char, kMaxFiller> text{};
  text.fill('.');
  std::ranges::copy(kPadLine, text.begin());
  return text;
}();

constexpr std::uint64_t round_up(std::uint64_t size, std::uint64_t block) {
  return (size + block - 1) / block * block;
}

std::uint64_t padded_event_end(std::uint64_t size) {
  return round_up(size, kEventBlock);
}

// Index of the first CR or LF.
std::size_t find_line_end(ByteView bytes) {
  if (bytes.empty()) return kNone;
  const auto* const begin = bytes.data();
  const void* const lf = std::memchr(begin, '\n', bytes.size());
  const std::size_t before_lf =
      lf == nullptr ? bytes.size() : static_cast<std::size_t>(static_cast<const std::byte*>(lf) - begin);
  if (before_lf != 0)
    if (const void* const cr = std::memchr(begin, '\r', before_lf))
      return static_cast<std::size_t>(static_cast<const std::byte*>(cr) - begin);
  return lf == nullptr ? kNone : before_lf;
}

std::size_t common_prefix(ByteView a, ByteView b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

// Bytes of a content piece with its length.
std::size_t framed_size(std::size_t content) {
  return content == 0 ? 0 : varint_size(content) + content;
}

// The filler line (with its LF; 0 = none) that brings head and one content piece to the next possible multiple of 256.
// Nothing when that goes beyond a chunk.
std::optional<std::size_t> filler_size(std::size_t head, std::size_t content) {
  for (std::size_t total = round_up(head + framed_size(content), kEventBlock); total <= kMaxChunkPlaintext;
       total += kEventBlock) {
    if (content == 0 && total == head) return 0;
    for (std::size_t prefix = 1; prefix <= 2; ++prefix) {
      if (total <= head + prefix || total < head + prefix + content) continue;
      const std::size_t piece = total - head - prefix;
      const std::size_t filler = piece - content;
      if (varint_size(piece) == prefix && (filler == 0 || filler >= kMinFiller)) return filler;
    }
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t padded_request_size(std::uint64_t size) {
  return round_up(size, size <= kMaxChunkPlaintext ? kSmallBlock : kMaxChunkPlaintext);
}

std::uint64_t padded_answer_size(std::uint64_t size) {
  return round_up(size, kSmallBlock);
}

// --- BlockWriter ---

// A full chunk is held until something follows it, so that the last one is never empty.
Result<void> BlockWriter::write(ByteView bytes, ChunkSink& sink) {
  total_ += bytes.size();
  while (staged_.size() + bytes.size() > kMaxChunkPlaintext) {
    const std::size_t room = kMaxChunkPlaintext - staged_.size();
    const std::array<ByteView, 2> parts = {staged_, bytes.first(room)};
    WAXWING_TRY(sink.chunk(parts, Last::no));
    staged_.clear();
    bytes = bytes.subspan(room);
  }
  append(staged_, bytes);
  return {};
}

Result<void> BlockWriter::finish(std::uint64_t (*padded_size)(std::uint64_t), ChunkSink& sink) {
  staged_.resize(staged_.size() + static_cast<std::size_t>(padded_size(total_) - total_));
  const ByteView last = staged_;
  return sink.chunk(std::span(&last, 1), Last::yes);
}

// --- PadStripper ---

std::optional<ByteView> PadStripper::next(ByteView& piece) {
  const ByteView marker = as_bytes(kPadLine);
  while (!piece.empty()) {
    if (state_ == State::dropped_cr) {
      if (piece.front() == std::byte{'\n'}) piece = piece.subspan(1);
      state_ = State::line_start;
    } else if (state_ == State::dropped_line) {
      const std::size_t end = find_line_end(piece);
      if (end == kNone) {
        piece = {};
      } else {
        state_ = piece[end] == std::byte{'\r'} ? State::dropped_cr : State::line_start;
        piece = piece.subspan(end + 1);
      }
    } else if (matched_ != 0) {
      // A line that may be a filler line began in an earlier piece.
      const std::size_t more = common_prefix(piece, marker.subspan(matched_));
      if (matched_ + more == marker.size()) {
        piece = piece.subspan(more);
        matched_ = 0;
        state_ = State::dropped_line;
      } else if (more == piece.size()) {
        piece = {};
        matched_ += more;
      } else {
        state_ = State::kept_line;
        return marker.first(std::exchange(matched_, 0));
      }
    } else if (const ByteView run = piece.first(kept_run(piece)); !run.empty()) {
      piece = piece.subspan(run.size() + skipped_);
      return run;
    } else {
      piece = piece.subspan(skipped_);
    }
  }
  return std::nullopt;
}

// Bytes to keep from the front of `piece`, up to a filler line or what may become one; skipped_ = how much of the
// marker stands after them.
std::size_t PadStripper::kept_run(ByteView piece) {
  const ByteView marker = as_bytes(kPadLine);
  skipped_ = 0;
  for (std::size_t at = 0;;) {
    if (state_ == State::line_start) {
      const std::size_t same = common_prefix(piece.subspan(at), marker);
      if (same == marker.size()) state_ = State::dropped_line;
      if (same == piece.size() - at && same != marker.size()) matched_ = same;
      if (state_ == State::dropped_line || at + same == piece.size()) {
        skipped_ = same;
        return at;
      }
      state_ = State::kept_line;
    }
    const std::size_t end = find_line_end(piece.subspan(at));
    if (end == kNone) return piece.size();
    at += end + 1;
    state_ = State::line_start;
  }
}

ByteView PadStripper::finish() {
  return as_bytes(kPadLine).first(std::exchange(matched_, 0));
}

// --- PaddedEventWriter ---

Result<void> PaddedEventWriter::begin(ByteView head, ChunkSink& sink) {
  // A head this large goes ahead in whole blocks, so that a piece beside the rest has room for a two-byte length.
  while (head.size() > kMaxChunkPlaintext / 2) {
    const ByteView block = head.first(std::min(head.size(), kMaxChunkPlaintext) / kEventBlock * kEventBlock);
    WAXWING_TRY(sink.chunk(std::span(&block, 1), Last::no));
    head = head.subspan(block.size());
  }
  return head.empty() ? Result<void>{} : send_events(head, 0, sink);
}

Result<void> PaddedEventWriter::write(ByteView piece, ChunkSink& sink) {
  collect(piece);
  if (complete_ != 0) WAXWING_TRY(send_events({}, complete_, sink));
  constexpr std::size_t kFullPiece = kMaxChunkPlaintext - 2;
  while (pending_size_ >= kFullPiece) WAXWING_TRY(send_piece({}, kFullPiece, 0, sink));
  carry();
  return {};
}

Result<void> PaddedEventWriter::finish(ByteView end, ChunkSink& sink) {
  ByteView nothing;
  collect(nothing);
  if (const ByteView held = stripper_.finish(); !held.empty()) add(held);
  BlockWriter tail;
  if (pending_size_ != 0) WAXWING_TRY(tail.write(Varint(pending_size_).view(), sink));
  for (const ByteView view : std::span(pending_).subspan(pending_at_)) WAXWING_TRY(tail.write(view, sink));
  WAXWING_TRY(tail.write(end, sink));
  return tail.finish(padded_event_end, sink);
}

// What was carried and what is kept of `piece`, as a list of views.
void PaddedEventWriter::collect(ByteView piece) {
  pending_.clear();
  pending_at_ = 0;
  pending_size_ = carried_.size();
  complete_ = 0;
  if (!carried_.empty()) pending_.emplace_back(carried_);
  while (const auto kept = stripper_.next(piece)) add(*kept);
}

// Notes the last blank line. CR, LF and CR LF end a line, wherever the pieces are cut.
void PaddedEventWriter::add(ByteView kept) {
  const std::size_t base = pending_size_;
  pending_.push_back(kept);
  pending_size_ += kept.size();

  std::size_t at = 0;
  if (std::exchange(after_cr_, false) && kept.front() == std::byte{'\n'}) {
    at = 1;
    if (complete_ == base && base != 0) complete_ = base + 1;
  }
  while (at < kept.size()) {
    const std::size_t end = find_line_end(kept.subspan(at));
    if (end == kNone) {
      in_line_ = true;
      return;
    }
    const bool blank = end == 0 && !in_line_;
    in_line_ = false;
    at += end;
    after_cr_ = kept[at++] == std::byte{'\r'};
    if (after_cr_ && at < kept.size() && kept[at] == std::byte{'\n'}) {
      ++at;
      after_cr_ = false;
    }
    if (blank) complete_ = base + at;
  }
}

void PaddedEventWriter::carry() {
  auto views = std::span(pending_).subspan(pending_at_);
  if (!carried_.empty() && pending_at_ == 0 && views.front().size() == carried_.size()) {
    views = views.subspan(1);  // nothing of it went out
    for (const ByteView view : views) append(carried_, view);
    return;
  }
  Bytes rest;
  rest.reserve(pending_size_);
  for (const ByteView view : views) append(rest, view);
  carried_ = std::move(rest);
}

// Sends `content` pending bytes, which end with a blank line, after `head`.
Result<void> PaddedEventWriter::send_events(ByteView head, std::size_t content, ChunkSink& sink) {
  for (;;) {
    if (const auto filler = filler_size(head.size(), content)) return send_piece(head, content, *filler, sink);
    std::size_t full = kMaxChunkPlaintext - 2 - head.size();
    // It would fit, but for the filler line.
    if (full > content) full -= kEventBlock;
    WAXWING_TRY(send_piece(head, full, 0, sink));
    head = {};
    content -= full;
  }
}

Result<void> PaddedEventWriter::send_piece(ByteView head, std::size_t content, std::size_t filler, ChunkSink& sink) {
  parts_.clear();
  if (!head.empty()) parts_.push_back(head);
  const Varint prefix(content + filler);
  if (content + filler != 0) parts_.push_back(prefix.view());
  pending_size_ -= content;
  while (content != 0) {
    ByteView& front = pending_[pending_at_];
    const std::size_t n = std::min(content, front.size());
    parts_.push_back(front.first(n));
    front = front.subspan(n);
    content -= n;
    if (front.empty()) ++pending_at_;
  }
  if (filler != 0) {
    parts_.push_back(as_bytes(std::string_view(kFiller.data(), filler - 1)));
    parts_.push_back(as_bytes("\n"));
  }
  return sink.chunk(parts_, Last::no);
}

}  // namespace waxwing::sealed
