// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>
#include <vector>

#include "buffer_pool.hpp"
#include "waxwing/net/http_head.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/stream.hpp"

// The parts that both ends of an HTTP/1.1 connection are made of.
namespace waxwing::net {

/// Received bytes that have not been used, in a buffer of the loop's pool that is held only while there are some.
class InputBuffer {
 public:
  explicit InputBuffer(Loop& loop) : pool_(loop.buffers()) {}
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  ~InputBuffer() { drop(); }

  [[nodiscard]] ByteView view() const { return {data() + begin_, end_ - begin_}; }
  /// The same bytes, to be moved together by whoever consumes them.
  [[nodiscard]] MutableByteView mutable_view() {
    return {(buffer_ != nullptr ? buffer_.get() : parked_.data()) + begin_, end_ - begin_};
  }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  void consume(std::size_t n) { begin_ += n; }

  /// Room to read into, behind the unused bytes; empty when those fill the buffer. Ends every view given out before.
  [[nodiscard]] MutableByteView space() {
    if (buffer_ == nullptr) {
      buffer_ = pool_.take();
      if (!parked_.empty()) std::memcpy(buffer_.get(), parked_.data() + begin_, end_ - begin_);
      parked_.clear();
    } else if (begin_ != 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    }
    end_ -= begin_;
    begin_ = 0;
    return {buffer_.get() + end_, BufferPool::kSize - end_};
  }
  void commit(std::size_t n) { end_ += n; }

  /// Before a wait: returns the buffer when nothing, or little enough to copy, is left in it. Ends every view given
  /// out.
  void rest() {
    constexpr std::size_t kLittle = 1024;
    if (buffer_ == nullptr || end_ - begin_ > kLittle) return;
    parked_.assign(buffer_.get() + begin_, buffer_.get() + end_);
    end_ -= begin_;
    begin_ = 0;
    drop();
  }

 private:
  [[nodiscard]] const std::byte* data() const { return buffer_ != nullptr ? buffer_.get() : parked_.data(); }
  void drop() {
    if (buffer_ != nullptr) pool_.give(std::move(buffer_));
  }

  BufferPool& pool_;
  BufferPool::Buffer buffer_;
  Bytes parked_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// Takes a body out of an input buffer, piece by piece, whatever its framing.
class BodyReader {
 public:
  void begin(BodyLength length) {
    length_ = length;
    left_ = length.size;
    chunks_ = ChunkedDecoder();
    at_end_ = length.kind == BodyLength::Kind::none || (length.kind == BodyLength::Kind::known && left_ == 0);
  }
  [[nodiscard]] bool at_end() const { return at_end_; }
  [[nodiscard]] BodyLength length() const { return length_; }

  /// blocked: the input is used up.
  [[nodiscard]] Result<BodyPiece> take(InputBuffer& input) {
    using State = BodyPiece::State;
    while (!at_end_ && !input.empty()) {
      const ByteView bytes = input.view();
      switch (length_.kind) {
        case BodyLength::Kind::chunked: {
          WAXWING_ASSIGN(const ByteView data, take_chunks(input));
          if (!data.empty()) return BodyPiece{State::data, data};
          break;
        }
        case BodyLength::Kind::known: {
          const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
          input.consume(n);
          left_ -= n;
          at_end_ = left_ == 0;
          return BodyPiece{State::data, bytes.first(n)};
        }
        case BodyLength::Kind::until_close:
          input.consume(bytes.size());
          return BodyPiece{State::data, bytes};
        case BodyLength::Kind::none:
          at_end_ = true;
          break;
      }
    }
    return BodyPiece{at_end_ ? State::end : State::blocked, {}};
  }

  /// The stream has ended: that is the end of the body, or an error.
  [[nodiscard]] Result<BodyPiece> take_end() {
    if (length_.kind != BodyLength::Kind::until_close) return fail(Code::truncated, "body cut short");
    at_end_ = true;
    return BodyPiece{BodyPiece::State::end, {}};
  }

 private:
  /// All chunks at hand as one run of bytes: what comes in many small chunks leaves in one write.
  [[nodiscard]] Result<ByteView> take_chunks(InputBuffer& input) {
    MutableByteView run;
    while (!at_end_ && !input.empty()) {
      const MutableByteView bytes = input.mutable_view();
      auto step = chunks_.step(bytes);
      if (!step && run.empty()) return std::unexpected(std::move(step).error());
      if (!step) break;  // told again at the next call
      if (!step->data.empty()) {
        const MutableByteView data =
            bytes.subspan(static_cast<std::size_t>(step->data.data() - bytes.data()), step->data.size());
        if (!run.empty()) std::memmove(run.data() + run.size(), data.data(), data.size());
        run = {run.empty() ? data.data() : run.data(), run.size() + data.size()};
      }
      input.consume(step->consumed);
      at_end_ = step->end;
    }
    return run;
  }

  BodyLength length_;
  std::uint64_t left_ = 0;
  ChunkedDecoder chunks_;
  bool at_end_ = true;
};

/// Writes one message: the head waits for the first body bytes, each send() becomes one chunk, all in one gathered
/// write.
class MessageWriter {
 public:
  explicit MessageWriter(Stream& stream) : stream_(stream) {}

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] bool finished() const { return finished_; }

  void reset() {
    head_.clear();
    started_ = finished_ = false;
  }
  /// Where the caller encodes the head to before begin().
  [[nodiscard]] Bytes& head() { return head_; }
  /// `carries`: whether body bytes follow the head at all (not in answers to HEAD, for example).
  enum class Carries : std::uint8_t { nothing, body };
  void begin(BodyLength body, Carries carries) {
    started_ = true;
    kind_ = carries == Carries::nothing ? BodyLength::Kind::none : body.kind;
    left_ = body.size;
    discard_ = carries == Carries::nothing;
  }

  [[nodiscard]] Result<Sent> send(std::span<const ByteView> parts) { return write(parts, End::no); }
  [[nodiscard]] Result<Sent> finish(std::span<const ByteView> parts) {
    // A message without a body ended with its head; saying so again is no fault of the caller.
    if (finished_ && kind_ == BodyLength::Kind::none && parts.empty())
      return stream_.has_kept() ? Sent::blocked : Sent::all;
    if (!started_ || finished_) return fail(Code::internal, "end of a message that is not open");
    return write(parts, End::yes);
  }

 private:
  enum class End : std::uint8_t { no, yes };

  [[nodiscard]] Result<Sent> write(std::span<const ByteView> parts, End end) {
    if (!started_ || finished_) return fail(Code::internal, "body bytes outside a message");
    if (stream_.has_kept()) return fail(Code::internal, "body bytes before the last were flushed");
    std::uint64_t total = 0;
    for (const ByteView part : parts) total += part.size();
    if (discard_) {
      parts = {};
      total = 0;
    }
    WAXWING_TRY(account(total, end));
    list_.clear();
    if (!head_.empty()) list_.push_back(head_);
    std::array<char, 20> size_line{};
    const bool chunk = kind_ == BodyLength::Kind::chunked && total != 0;
    if (chunk) list_.push_back(as_bytes(encode_size(total, size_line)));
    for (const ByteView part : parts) {
      if (!part.empty()) list_.push_back(part);
    }
    if (chunk) list_.push_back(as_bytes("\r\n"));
    if (end == End::yes && kind_ == BodyLength::Kind::chunked) list_.push_back(as_bytes("0\r\n\r\n"));
    if (list_.empty()) return Sent::all;
    const auto sent = stream_.try_write(list_);
    head_.clear();
    return sent;
  }

  [[nodiscard]] Result<void> account(std::uint64_t total, End end) {
    if (kind_ == BodyLength::Kind::known) {
      if (total > left_) return fail(Code::internal, "more body bytes than announced");
      left_ -= total;
      if (end == End::yes && left_ != 0) return fail(Code::internal, "fewer body bytes than announced");
    } else if (kind_ == BodyLength::Kind::none && total != 0) {
      return fail(Code::internal, "body bytes of a message without body");
    }
    finished_ = end == End::yes;
    return {};
  }

  static std::string_view encode_size(std::uint64_t size, std::array<char, 20>& out) {
    char* end = std::to_chars(out.data(), out.data() + 16, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return {out.data(), end};
  }

  Stream& stream_;
  Bytes head_;
  std::vector<ByteView> list_;  // kept for its capacity
  BodyLength::Kind kind_ = BodyLength::Kind::none;
  std::uint64_t left_ = 0;
  bool discard_ = false;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace waxwing::net
