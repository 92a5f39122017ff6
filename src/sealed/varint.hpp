// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "waxwing/base/byte_reader.hpp"
#include "waxwing/base/bytes.hpp"

namespace waxwing::sealed {

/// A length in RFC 9000 section 16's shortest form, without a heap. Precondition: value < 2^62.
class Varint {
 public:
  explicit Varint(std::uint64_t value) : size_(varint_size(value)) {
    for (std::size_t i = 0; i < size_; ++i) bytes_[i] = static_cast<std::byte>(value >> (8 * (size_ - 1 - i)));
    bytes_[0] |= static_cast<std::byte>(std::countr_zero(size_) << 6);
  }
  [[nodiscard]] ByteView view() const { return ByteView(bytes_).first(size_); }

 private:
  std::size_t size_;
  ByteArray<8> bytes_{};
};

}  // namespace waxwing::sealed
