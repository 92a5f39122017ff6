// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/plaintext.hpp"

#include <algorithm>
#include <cstring>

namespace waxwing {

namespace {
constexpr std::size_t kSmallest = 64;
}

Plaintext& Plaintext::operator=(Plaintext&& other) noexcept {
  if (this == &other) return *this;
  wipe_all();
  data_ = std::move(other.data_);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

void Plaintext::append(ByteView more) {
  if (more.empty()) return;
  const std::size_t before = size_;
  resize(size_ + more.size());
  std::memcpy(data_.get() + before, more.data(), more.size());
}

void Plaintext::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  auto grown = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (size_ != 0) std::memcpy(grown.get(), data_.get(), size_);
  wipe_all();
  data_ = std::move(grown);
  capacity_ = capacity;
}

void Plaintext::resize(std::size_t size) {
  if (size > capacity_) reserve(std::max({size, capacity_ * 2, kSmallest}));
  // What a shorter text leaves behind is not kept until the end.
  if (size < size_) waxwing::wipe({data_.get() + size, size_ - size});
  size_ = size;
}

void Plaintext::drop_front(std::size_t n) {
  if (n == 0) return;
  std::memmove(data_.get(), data_.get() + n, size_ - n);
  resize(size_ - n);
}

void Plaintext::clear() {
  resize(0);
}

void Plaintext::wipe_all() {
  if (size_ != 0) waxwing::wipe({data_.get(), size_});
}

}  // namespace waxwing
