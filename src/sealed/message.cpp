// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/message.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "varint.hpp"

namespace waxwing::sealed {
namespace {

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view text, std::string_view lowercase) {
  return std::ranges::equal(text, lowercase, {}, to_lower);
}

// What may travel: the framing of binary HTTP replaces the fields of a connection, and content-length.
Fields sendable(const Fields& fields) {
  Fields kept;
  kept.reserve(fields.size());
  for (const Field& field : fields) {
    Field copy = field;
    std::ranges::transform(copy.name, copy.name.begin(), to_lower);
    if (!is_connection_field(copy.name) && copy.name != "content-length") kept.push_back(std::move(copy));
  }
  return kept;
}

void drop_connection_fields(Fields& fields) {
  std::erase_if(fields, [](const Field& field) { return is_connection_field(field.name); });
}

bool is_event_stream(const ResponseHead& head) {
  const auto found = std::ranges::find_if(
      head.fields, [](const Field& field) { return equals_ignoring_case(field.name, "content-type"); });
  if (found == head.fields.end()) return false;
  std::string_view type = found->value;
  type = type.substr(0, type.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return equals_ignoring_case(type, "text/event-stream");
}

// At most one content-length, of digits only.
Result<std::optional<std::uint64_t>> content_length(const Fields& fields) {
  std::optional<std::uint64_t> length;
  for (const Field& field : fields) {
    if (field.name != "content-length") continue;
    std::uint64_t value = 0;
    const char* const end = field.value.data() + field.value.size();
    const auto [stop, error] = std::from_chars(field.value.data(), end, value);
    if (length || field.value.empty() || error != std::errc{} || stop != end)
      return fail(Code::malformed, "content-length");
    length = value;
  }
  return length;
}

// Seals chunks to the end of a wire buffer.
template <class Sealer>
class SealingSink final : public ChunkSink {
 public:
  SealingSink(Sealer& sealer, WireBuffer& wire) : sealer_(sealer), wire_(wire) {}
  Result<void> chunk(std::span<const ByteView> parts, Last last) override {
    std::size_t size = 0;
    for (const ByteView part : parts) size += part.size();
    const MutableByteView room = wire_.extend(sealed_size(size, last));
    auto done = sealer_.seal(parts, last, room);
    if (!done) wire_.retract(room.size());
    return done;
  }

 private:
  Sealer& sealer_;
  WireBuffer& wire_;
};

std::unexpected<Error> headless() {
  return fail(Code::internal, "a message without its head");
}

void write_through(ByteView bytes, WireBuffer& wire) {
  std::ranges::copy(bytes, wire.extend(bytes.size()).begin());
}

}  // namespace

// --- WireBuffer ---

void WireBuffer::consume(std::size_t n) {
  begin_ += n;
  if (begin_ == end_) clear();
}

MutableByteView WireBuffer::extend(std::size_t n) {
  if (capacity_ - end_ < n) {
    const std::size_t size = end_ - begin_;
    const std::size_t capacity = std::bit_ceil(std::max(size + n, std::size_t{1024}));
    auto data = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size != 0) std::memcpy(data.get(), data_.get() + begin_, size);
    data_ = std::move(data);
    capacity_ = capacity;
    begin_ = 0;
    end_ = size;
  }
  const MutableByteView room(data_.get() + end_, n);
  end_ += n;
  return room;
}

// --- RequestComposer ---

Result<void> RequestComposer::head(const RequestHead& head) {
  if (std::exchange(begun_, true)) return fail(Code::internal, "a second head");
  Bytes encoded;
  const RequestHead sent{head.method, head.scheme, head.authority, head.path, sendable(head.fields)};
  WAXWING_TRY(bhttp::encode_head(sent, encoded));
  write_through(exchange_.header(), wire_);
  SealingSink sink(exchange_, wire_);
  return blocks_.write(encoded, sink);
}

Result<void> RequestComposer::content(ByteView piece) {
  if (!begun_) return headless();
  if (piece.empty()) return {};
  SealingSink sink(exchange_, wire_);
  WAXWING_TRY(blocks_.write(Varint(piece.size()).view(), sink));
  return blocks_.write(piece, sink);
}

Result<void> RequestComposer::finish() {
  if (!begun_) return headless();
  Bytes end;
  WAXWING_TRY(bhttp::encode_end({}, end));
  SealingSink sink(exchange_, wire_);
  WAXWING_TRY(blocks_.write(end, sink));
  return blocks_.finish(padded_request_size, sink);
}

// --- RequestReader ---

// Framing at its worst, one byte of content per chunk, is not served; padding and field sections are.
std::uint64_t RequestReader::max_wire(const ReaderLimits& limits) {
  constexpr std::uint64_t kOverhead = std::uint64_t{256} << 10U;
  return limits.content + limits.content / 4 + kOverhead;
}

RequestReader::RequestReader(WorkerExchange exchange, const ReaderLimits& limits)
    : exchange_(std::move(exchange)), limits_(limits), decoder_(bhttp::Kind::request, limits.head) {}

Result<MessageStep> RequestReader::next(ByteView& wire, Input input) {
  if (failure_) return std::unexpected(*failure_);
  auto step = run(wire, input);
  if (!step) failure_ = step.error();
  return step;
}

Result<MessageStep> RequestReader::run(ByteView& wire, Input input) {
  for (;;) {
    auto step = decoder_.next(plaintext_, plaintext_input_);
    if (!step) {
      const Code code = step.error().code() == Code::too_large ? Code::too_large : Code::bad_request;
      return fail(code, step.error().text());
    }
    switch (step->event) {
      case MessageEvent::need_input: {
        auto chunk = exchange_.next(wire, input);
        if (!chunk) {
          // A chunk that is too large is one more way not to open.
          const Code code = chunk.error().code() == Code::too_large ? Code::open_failed : chunk.error().code();
          return fail(code, chunk.error().text());
        }
        if (!*chunk) return *step;
        opened_ = true;
        plaintext_ = (*chunk)->plaintext;
        plaintext_input_ = (*chunk)->last == Last::yes ? Input::ended : Input::open;
        continue;
      }
      case MessageEvent::head:
        WAXWING_TRY(accept_head());
        return *step;
      case MessageEvent::content:
        content_ += step->content.size();
        if (content_ > limits_.content) return fail(Code::too_large, "request body beyond its limit");
        if (content_length_ && content_ > *content_length_) return fail(Code::bad_request, "content-length is wrong");
        return *step;
      case MessageEvent::end:
        if (content_length_ && content_ != *content_length_) return fail(Code::bad_request, "content-length is wrong");
        return *step;
      case MessageEvent::informational:
        return fail(Code::internal, "a request with an informational answer");
    }
  }
}

Result<void> RequestReader::accept_head() {
  RequestHead& head = decoder_.request();
  if (head.scheme != "https" && head.scheme != "http") return fail(Code::bad_request, "scheme of the request");
  if (!head.path.starts_with('/')) return fail(Code::bad_request, "path of the request");
  if (find_field(head.fields, "expect") != nullptr) return fail(Code::bad_request, "expectations are not served");

  const auto length = content_length(head.fields);
  if (!length) return fail(Code::bad_request, length.error().text());
  content_length_ = *length;

  const auto pads = std::ranges::count(head.fields, kPadField, &Field::name);
  if (pads != 0 && (pads != 1 || *find_field(head.fields, kPadField) != kPadFieldValue))
    return fail(Code::bad_request, "waxwing-pad");
  padding_ = pads == 0 ? AnswerPadding::none : AnswerPadding::padded;
  drop_connection_fields(head.fields);
  return {};
}

AnswerComposer RequestReader::answer(Random& random) const {
  return {exchange_.response(random), padding_};
}

// --- AnswerComposer ---

Result<void> AnswerComposer::informational(const ResponseHead& head) {
  if (begun_) return fail(Code::internal, "an informational answer after the head");
  return bhttp::encode_informational({head.status, sendable(head.fields)}, scratch_);
}

Result<void> AnswerComposer::head(const ResponseHead& head) {
  if (std::exchange(begun_, true)) return fail(Code::internal, "a second head");
  const ResponseHead sent{head.status, sendable(head.fields)};
  WAXWING_TRY(scratch_.empty() ? bhttp::encode_head(sent, scratch_) : bhttp::encode_final_head(sent, scratch_));
  const Bytes encoded = std::exchange(scratch_, {});
  if (padding_ == AnswerPadding::padded) shape_ = is_event_stream(sent) ? Shape::events : Shape::blocks;

  write_through(sealer_.header(), wire_);
  SealingSink sink(sealer_, wire_);
  switch (shape_) {
    case Shape::pieces:
      return send(encoded, {}, Last::no);
    case Shape::blocks:
      return blocks_.write(encoded, sink);
    case Shape::events:
      return events_.begin(encoded, sink);
  }
  return {};
}

Result<void> AnswerComposer::content(ByteView piece) {
  if (!begun_) return headless();
  if (piece.empty()) return {};
  SealingSink sink(sealer_, wire_);
  switch (shape_) {
    case Shape::pieces:
      return send(Varint(piece.size()).view(), piece, Last::no);
    case Shape::blocks:
      WAXWING_TRY(blocks_.write(Varint(piece.size()).view(), sink));
      return blocks_.write(piece, sink);
    case Shape::events:
      return events_.write(piece, sink);
  }
  return {};
}

Result<void> AnswerComposer::finish(const Fields& trailers) {
  if (!begun_) return headless();
  Bytes end;
  WAXWING_TRY(bhttp::encode_end(sendable(trailers), end));
  SealingSink sink(sealer_, wire_);
  switch (shape_) {
    case Shape::pieces:
      return send(end, {}, Last::yes);
    case Shape::blocks:
      WAXWING_TRY(blocks_.write(end, sink));
      return blocks_.finish(padded_answer_size, sink);
    case Shape::events:
      return events_.finish(end, sink);
  }
  return {};
}

// Two runs of bytes in chunks as large as they may be.
Result<void> AnswerComposer::send(ByteView first, ByteView second, Last last) {
  SealingSink sink(sealer_, wire_);
  for (;;) {
    const ByteView a = first.first(std::min(first.size(), kMaxChunkPlaintext));
    const ByteView b = second.first(std::min(second.size(), kMaxChunkPlaintext - a.size()));
    first = first.subspan(a.size());
    second = second.subspan(b.size());
    const bool rest = !first.empty() || !second.empty();
    WAXWING_TRY(sink.chunk(std::array{a, b}, rest ? Last::no : last));
    if (!rest) return {};
  }
}

// --- AnswerReader ---

AnswerReader::AnswerReader(ResponseOpener opener, AnswerPadding padding, const ReaderLimits& limits)
    : opener_(std::move(opener)), padding_(padding), limits_(limits), decoder_(bhttp::Kind::response, limits.head) {}

Result<MessageStep> AnswerReader::next(ByteView& wire, Input input) {
  if (failure_) return std::unexpected(*failure_);
  auto step = run(wire, input);
  if (!step) failure_ = step.error();
  return step;
}

Result<MessageStep> AnswerReader::run(ByteView& wire, Input input) {
  for (;;) {
    if (stripper_)
      if (const auto kept = stripper_->next(piece_)) return MessageStep{MessageEvent::content, *kept};
    auto step = decoder_.next(plaintext_, plaintext_input_);
    if (!step) return fail(Code::answer_forged, step.error().text());
    switch (step->event) {
      case MessageEvent::need_input: {
        auto chunk = opener_.next(wire, input);
        if (!chunk) {
          const Code code = chunk.error().code() == Code::truncated ? Code::answer_cut : Code::answer_forged;
          return fail(code, chunk.error().text());
        }
        if (!*chunk) return *step;
        plaintext_ = (*chunk)->plaintext;
        plaintext_input_ = (*chunk)->last == Last::yes ? Input::ended : Input::open;
        continue;
      }
      case MessageEvent::informational:
        drop_connection_fields(decoder_.response().fields);
        return *step;
      case MessageEvent::head:
        WAXWING_TRY(accept_head());
        return *step;
      case MessageEvent::content:
        content_ += step->content.size();
        if (content_ > limits_.content) return fail(Code::answer_forged, "answer beyond its limit");
        if (content_length_ && content_ > *content_length_) return fail(Code::answer_forged, "content-length is wrong");
        if (!stripper_) return *step;
        piece_ = step->content;
        continue;
      case MessageEvent::end:
        if (content_length_ && content_ != *content_length_)
          return fail(Code::answer_forged, "content-length is wrong");
        if (stripper_)
          if (const ByteView held = stripper_->finish(); !held.empty()) return MessageStep{MessageEvent::content, held};
        return *step;
    }
  }
}

Result<void> AnswerReader::accept_head() {
  ResponseHead& head = decoder_.response();
  const auto length = content_length(head.fields);
  if (!length) return fail(Code::answer_forged, length.error().text());
  // The answer to a conditional request may name a length and carry no body (RFC 9110 section 8.6).
  if (head.status != 304) content_length_ = *length;
  if (padding_ == AnswerPadding::padded && is_event_stream(head)) stripper_.emplace();
  drop_connection_fields(head.fields);
  return {};
}

}  // namespace waxwing::sealed
