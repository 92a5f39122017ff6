// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/secret.hpp"

namespace waxwing {

/// Wipes every block it gives back, also those a growing container leaves behind, and does not zero new ones.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  explicit WipingAllocator(const WipingAllocator<U>& /*other*/) {}

  [[nodiscard]] T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
  void deallocate(T* at, std::size_t n) {
    waxwing::wipe(std::as_writable_bytes(std::span(at, n)));
    std::allocator<T>().deallocate(at, n);
  }
  template <class U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }
  friend bool operator==(const WipingAllocator& /*a*/, const WipingAllocator& /*b*/) { return true; }
};

/// Bytes of a prompt or an answer: move-only, wiped when they go, no way to print or log them.
///
///     Plaintext body;
///     body.append(piece);
///     sealer.seal(body.view());
class Plaintext {
 public:
  Plaintext() = default;
  explicit Plaintext(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  explicit Plaintext(std::string_view text) : Plaintext(waxwing::as_bytes(text)) {}
  Plaintext(const Plaintext&) = delete;
  Plaintext& operator=(const Plaintext&) = delete;
  Plaintext(Plaintext&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Plaintext& operator=(Plaintext&& other) noexcept {
    bytes_ = std::exchange(other.bytes_, {});
    return *this;
  }
  ~Plaintext() = default;

  [[nodiscard]] ByteView view() const { return bytes_; }
  [[nodiscard]] MutableByteView mutable_view() { return bytes_; }
  [[nodiscard]] std::string_view text() const { return as_text(bytes_); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  void append(ByteView more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
  void append(std::string_view more) { append(waxwing::as_bytes(more)); }
  void reserve(std::size_t capacity) { bytes_.reserve(capacity); }
  /// New bytes hold whatever the memory held: write them before they are read.
  void resize(std::size_t size) { bytes_.resize(size); }
  /// Drops the first n bytes and moves the rest down. Precondition: n <= size().
  void drop_front(std::size_t n) { bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(n)); }
  /// Empties and wipes; the capacity stays.
  void clear() {
    waxwing::wipe(bytes_);
    bytes_.clear();
  }

 private:
  std::vector<std::byte, WipingAllocator<std::byte>> bytes_;
};

}  // namespace waxwing
