// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/sealed/bhttp.hpp"
#include "waxwing/sealed/ohttp.hpp"
#include "waxwing/sealed/padding.hpp"

/// Whole requests and answers: binary HTTP in chunked OHTTP with the padding of waxwing/1. What the rim holds.
namespace waxwing::sealed {

/// Sealed bytes that wait to be written. Keeps its memory when cleared.
class WireBuffer {
 public:
  [[nodiscard]] ByteView view() const { return {data_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  /// The first n bytes have been written. Precondition: n <= view().size().
  void consume(std::size_t n);
  void clear() { begin_ = end_ = 0; }
  /// n more bytes at the end, to be written by the caller.
  [[nodiscard]] MutableByteView extend(std::size_t n);
  /// Takes the last n bytes back. Precondition: n <= view().size().
  void retract(std::size_t n) { end_ -= n; }

 private:
  std::unique_ptr<std::byte[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

/// Seals one request. Body pieces are encrypted from where they lie; only what does not fill a chunk is staged.
///
///     RequestComposer composer(std::move(exchange));
///     WAXWING_TRY(composer.head(head));
///     WAXWING_TRY(composer.content(piece));   // write composer.wire() and clear it after each
///     WAXWING_TRY(composer.finish());
class RequestComposer {
 public:
  explicit RequestComposer(ClientExchange exchange) : exchange_(std::move(exchange)) {}

  /// Connection-type fields and content-length are left out (the framing says both). Code::bad_request for a head that
  /// cannot be sent. Comes first, once; the two below are Code::internal without it.
  [[nodiscard]] Result<void> head(const RequestHead& head);
  /// An empty piece is nothing.
  [[nodiscard]] Result<void> content(ByteView piece);
  [[nodiscard]] Result<void> finish();

  /// What is sealed and not yet written; nothing of a request that fits one chunk before finish().
  [[nodiscard]] WireBuffer& wire() { return wire_; }
  [[nodiscard]] ResponseOpener response() const { return exchange_.response(); }

 private:
  ClientExchange exchange_;
  bool begun_ = false;
  WireBuffer wire_;
  BlockWriter blocks_;
};

/// What a reader reports; as bhttp::Step.
using MessageEvent = bhttp::Event;
using MessageStep = bhttp::Step;

struct ReaderLimits {
  bhttp::HeadLimits head;
  std::uint64_t content = std::uint64_t{64} << 20U;  ///< bytes of the body
};

/// Whether the request asked for padded answers (waxwing-pad: 256).
enum class AnswerPadding : std::uint8_t { none, padded };

class AnswerComposer;

/// Reads one request at the worker. Its errors tell how to answer:
/// - Code::key_unknown: 422 in the clear;
/// - Code::open_failed, Code::truncated: 400 in the clear, the same for every reason (or, once an answer has begun, cut
/// it);
/// - Code::bad_request, Code::too_large: the request did open, so the answer (400, 413) goes inside the seal.
class RequestReader {
 public:
  /// What the exchange may take in for a body of `content` bytes: its own max_total.
  [[nodiscard]] static std::uint64_t max_wire(const ReaderLimits& limits);

  explicit RequestReader(WorkerExchange exchange, const ReaderLimits& limits = {});

  /// Takes from the front of `wire`. Event::head may come long before the end: the end of the body is only to be passed
  /// on at Event::end.
  [[nodiscard]] Result<MessageStep> next(ByteView& wire, Input input);

  /// After Event::head. Connection-type fields are gone. The caller may move it out.
  [[nodiscard]] RequestHead& head() { return decoder_.request(); }
  /// The encapsulated key, for the replay guard. Precondition: Event::head has come.
  [[nodiscard]] ByteView enc() const { return exchange_.enc(); }
  /// Whether the first chunk has opened: an answer inside the seal is possible.
  [[nodiscard]] bool is_opened() const { return opened_; }
  /// Precondition: is_opened(). Pads if the request asked for it.
  [[nodiscard]] AnswerComposer answer(Random& random) const;

 private:
  Result<MessageStep> run(ByteView& wire, Input input);
  Result<void> accept_head();

  WorkerExchange exchange_;
  ReaderLimits limits_;
  bhttp::Decoder decoder_;
  ByteView plaintext_;
  Input plaintext_input_ = Input::open;
  bool opened_ = false;
  AnswerPadding padding_ = AnswerPadding::none;
  std::uint64_t content_ = 0;
  std::optional<std::uint64_t> content_length_;
  std::optional<Error> failure_;
};

/// Seals one answer. Unpadded, each call's bytes go out at once. Padded, an event stream goes out event by event and
/// any other body in full chunks.
class AnswerComposer {
 public:
  AnswerComposer(ResponseSealer sealer, AnswerPadding padding) : sealer_(std::move(sealer)), padding_(padding) {}

  /// A 1xx answer; travels with the head.
  [[nodiscard]] Result<void> informational(const ResponseHead& head);
  /// Connection-type fields and content-length are left out. Comes first, once; what follows is Code::internal without
  /// it.
  [[nodiscard]] Result<void> head(const ResponseHead& head);
  [[nodiscard]] Result<void> content(ByteView piece);
  [[nodiscard]] Result<void> finish(const Fields& trailers = {});

  [[nodiscard]] WireBuffer& wire() { return wire_; }

 private:
  enum class Shape : std::uint8_t { pieces, blocks, events };
  Result<void> send(ByteView first, ByteView second, Last last);

  ResponseSealer sealer_;
  AnswerPadding padding_;
  bool begun_ = false;
  Shape shape_ = Shape::pieces;
  WireBuffer wire_;
  BlockWriter blocks_;
  PaddedEventWriter events_;
  Bytes scratch_;  ///< encoded informational answers and head until they go out
};

/// Reads one answer at the client. Code::answer_cut when it ends early, Code::answer_forged for whatever else is wrong
/// with it: nothing of the answer may be taken for complete then.
class AnswerReader {
 public:
  AnswerReader(ResponseOpener opener, AnswerPadding padding,
               const ReaderLimits& limits = {.head = {}, .content = kMaxResponseBody});

  /// Filler lines are gone if padding was asked for and the answer is an event stream.
  [[nodiscard]] Result<MessageStep> next(ByteView& wire, Input input);

  /// After Event::head (or Event::informational). Connection-type fields are gone. The caller may move it out.
  [[nodiscard]] ResponseHead& head() { return decoder_.response(); }
  [[nodiscard]] const Fields& trailers() const { return decoder_.trailers(); }

 private:
  Result<MessageStep> run(ByteView& wire, Input input);
  Result<void> accept_head();

  ResponseOpener opener_;
  AnswerPadding padding_;
  ReaderLimits limits_;
  bhttp::Decoder decoder_;
  std::optional<PadStripper> stripper_;
  ByteView plaintext_;
  Input plaintext_input_ = Input::open;
  ByteView piece_;  ///< content that the stripper has not seen yet
  std::uint64_t content_ = 0;
  std::optional<std::uint64_t> content_length_;
  std::optional<Error> failure_;
};

}  // namespace waxwing::sealed
