// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "http_chars.hpp"
#include "waxwing/net/http_head.hpp"

namespace waxwing::net {
namespace {

constexpr std::uint32_t kSizeDigits = 16;
constexpr std::uint32_t kExtensionBytes = 256;
constexpr std::uint32_t kTrailerBytes = 8U << 10U;
constexpr std::uint32_t kTrailerLines = 64;

std::optional<unsigned> hex_digit(char c) {
  if (is_digit(c)) return static_cast<unsigned>(c - '0');
  c = to_lower(c);
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  return std::nullopt;
}

}  // namespace

std::unexpected<Error> ChunkedDecoder::refuse(const char* why) {
  state_ = State::failed;
  return fail(Code::malformed, why);
}

Result<ChunkedDecoder::Step> ChunkedDecoder::step(ByteView input) {
  Step out;
  while (out.consumed < input.size() || state_ == State::done || state_ == State::failed) {
    if (state_ == State::data) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - out.consumed));
      out.data = input.subspan(out.consumed, n);
      out.consumed += n;
      left_ -= n;
      if (left_ == 0) state_ = State::data_cr;
      return out;
    }
    if (state_ == State::done) {
      out.end = true;
      return out;
    }
    if (state_ == State::failed) return refuse("chunked body after an error");
    if (const char* why = take(static_cast<char>(input[out.consumed]))) return refuse(why);
    ++out.consumed;
  }
  return out;
}

/// One byte of framing; returns why it is refused, or null.
const char* ChunkedDecoder::take(char c) {
  switch (state_) {
    case State::size_first:
    case State::size:
      return take_size(c);
    case State::extension:
      if (c == '\r') {
        state_ = State::size_lf;
      } else if (!is_value_char(c) || ++extension_bytes_ > kExtensionBytes) {
        return "bad chunk extension";
      }
      return nullptr;
    case State::size_lf:
      if (c != '\n') return "bad end of a chunk size";
      state_ = left_ == 0 ? State::trailer_start : State::data;
      return nullptr;
    case State::data_cr:
      if (c != '\r') return "chunk longer than its size";
      state_ = State::data_lf;
      return nullptr;
    case State::data_lf:
      if (c != '\n') return "bad end of a chunk";
      state_ = State::size_first;
      return nullptr;
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::end_lf;
        return nullptr;
      }
      if (!is_token_char(c) || ++trailer_lines_ > kTrailerLines) return "bad trailer";
      state_ = State::trailer;
      return nullptr;
    case State::trailer:
      if (c == '\r') {
        state_ = State::trailer_lf;
      } else if (!is_value_char(c) || ++trailer_bytes_ > kTrailerBytes) {
        return "bad trailer";
      }
      return nullptr;
    case State::trailer_lf:
      if (c != '\n') return "bad end of a trailer";
      state_ = State::trailer_start;
      return nullptr;
    case State::end_lf:
      if (c != '\n') return "bad end of a chunked body";
      state_ = State::done;
      return nullptr;
    case State::data:
    case State::done:
    case State::failed:
      break;
  }
  return "chunked body in an impossible state";
}

const char* ChunkedDecoder::take_size(char c) {
  if (const auto digit = hex_digit(c)) {
    if (state_ == State::size_first) left_ = digits_ = extension_bytes_ = 0;
    if (++digits_ > kSizeDigits) return "chunk size too large";
    left_ = left_ << 4U | *digit;
    state_ = State::size;
    return nullptr;
  }
  if (state_ == State::size_first) return "bad chunk size";
  if (c == '\r') {
    state_ = State::size_lf;
  } else if (c == ';' || c == ' ' || c == '\t') {
    state_ = State::extension;
  } else {
    return "bad chunk size";
  }
  return nullptr;
}

}  // namespace waxwing::net
