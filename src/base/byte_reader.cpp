// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/byte_reader.hpp"

#include <fmt/format.h>

#include <bit>
#include <cassert>
#include <utility>

namespace waxwing {

ByteView ByteReader::bytes(std::size_t n) {
  if (failed_) return {};
  if (n > bytes_.size() - position_) {
    reject(Code::truncated, fmt::format("ends at byte {}, {} more wanted at byte {}", bytes_.size(), n, position_));
    return {};
  }
  const ByteView view = bytes_.subspan(position_, n);
  position_ += n;
  return view;
}

std::uint64_t ByteReader::little(std::size_t n) {
  const ByteView view = bytes(n);
  std::uint64_t value = 0;
  for (std::size_t i = view.size(); i > 0; --i) value = value << 8U | std::to_integer<std::uint64_t>(view[i - 1]);
  return value;
}

std::uint64_t ByteReader::big(std::size_t n) {
  std::uint64_t value = 0;
  for (const std::byte b : bytes(n)) value = value << 8U | std::to_integer<std::uint64_t>(b);
  return value;
}

std::uint64_t ByteReader::varint() {
  if (failed_) return 0;
  if (position_ == bytes_.size()) return u8();
  const unsigned exponent = std::to_integer<unsigned>(bytes_[position_]) >> 6U;
  const std::size_t size = std::size_t{1} << exponent;
  const std::uint64_t mask = (std::uint64_t{1} << (8 * size - 2)) - 1;
  return big(size) & mask;
}

void ByteReader::expect_zero(std::size_t n, std::string_view what) {
  const std::size_t at = position_;
  if (!all_zero(bytes(n)))
    reject(Code::malformed, fmt::format("{} is not zero (bytes {} to {})", what, at, at + n - 1));
}

void ByteReader::reject(Code code, std::string_view text) {
  if (failed_) return;
  failed_ = true;
  code_ = code;
  why_ = text;
}

Result<void> ByteReader::status() const {
  if (failed_) return fail(code_, fmt::format("{}: {}", structure_, why_));
  return {};
}

Result<void> ByteReader::expect_end() {
  if (remaining() != 0) reject(Code::malformed, fmt::format("{} bytes left over at byte {}", remaining(), position_));
  return status();
}

ByteWriter& ByteWriter::little(std::uint64_t v, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out_.push_back(static_cast<std::byte>(v >> (8 * i)));
  return *this;
}

ByteWriter& ByteWriter::big(std::uint64_t v, std::size_t n) {
  for (std::size_t i = n; i > 0; --i) out_.push_back(static_cast<std::byte>(v >> (8 * (i - 1))));
  return *this;
}

ByteWriter& ByteWriter::varint(std::uint64_t v) {
  assert(v < std::uint64_t{1} << 62U);
  const std::size_t size = varint_size(v);
  const auto exponent = static_cast<std::uint64_t>(std::countr_zero(size));
  return big(v | exponent << (8 * size - 2), size);
}

std::size_t varint_size(std::uint64_t v) {
  if (v < std::uint64_t{1} << 6U) return 1;
  if (v < std::uint64_t{1} << 14U) return 2;
  if (v < std::uint64_t{1} << 30U) return 4;
  return 8;
}

}  // namespace waxwing
