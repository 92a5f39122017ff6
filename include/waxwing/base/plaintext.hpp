// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing {

/// Bytes of a prompt or an answer: move-only, wiped when they go (also what growing leaves behind), no way to print or
/// log them.
///
///     Plaintext body;
///     body.append(piece);
///     sealer.seal(body.view());
class Plaintext {
 public:
  Plaintext() = default;
  explicit Plaintext(ByteView bytes) { append(bytes); }
  explicit Plaintext(std::string_view text) : Plaintext(waxwing::as_bytes(text)) {}
  Plaintext(const Plaintext&) = delete;
  Plaintext& operator=(const Plaintext&) = delete;
  Plaintext(Plaintext&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Plaintext& operator=(Plaintext&& other) noexcept;
  ~Plaintext() { wipe_all(); }

  [[nodiscard]] ByteView view() const { return {data_.get(), size_}; }
  [[nodiscard]] MutableByteView mutable_view() { return {data_.get(), size_}; }
  [[nodiscard]] std::string_view text() const { return as_text(view()); }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

  /// `more` may not lie in this buffer.
  void append(ByteView more);
  void append(std::string_view more) { append(waxwing::as_bytes(more)); }
  void reserve(std::size_t capacity);
  /// New bytes hold whatever the memory held: write them before they are read.
  void resize(std::size_t size);
  /// Drops the first n bytes and moves the rest down. Precondition: n <= size().
  void drop_front(std::size_t n);
  /// Empties and wipes; the capacity stays.
  void clear();

 private:
  void wipe_all();
  std::unique_ptr<std::byte[]> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace waxwing
