// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "waxwing/base/bytes.hpp"

namespace waxwing::net {

/// The I/O buffers of one loop. A connection that waits with nothing half-read holds none, so that idle connections
/// cost what their TLS state costs and no more.
class BufferPool {
 public:
  static constexpr std::size_t kSize = 64U << 10U;
  static constexpr std::size_t kKept = 32;

  using Buffer = std::unique_ptr<std::byte[]>;

  [[nodiscard]] Buffer take() {
    if (free_.empty()) return std::make_unique_for_overwrite<std::byte[]>(kSize);
    Buffer buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  void give(Buffer buffer) {
    if (free_.size() < kKept) free_.push_back(std::move(buffer));
  }

  /// Scratch memory for the duration of one call, never across a suspension: received TLS records, records to be sent,
  /// and plaintext gathered for one record.
  [[nodiscard]] MutableByteView cipher_in() { return {scratch(cipher_in_), kSize}; }
  [[nodiscard]] Bytes& cipher_out() { return cipher_out_; }
  [[nodiscard]] MutableByteView gather() { return {scratch(gather_), kSize}; }

 private:
  static std::byte* scratch(Buffer& buffer) {
    if (buffer == nullptr) buffer = std::make_unique_for_overwrite<std::byte[]>(kSize);
    return buffer.get();
  }
  std::vector<Buffer> free_;
  Buffer cipher_in_;
  Buffer gather_;
  Bytes cipher_out_;
};

}  // namespace waxwing::net
