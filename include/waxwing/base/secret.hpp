// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "waxwing/base/bytes.hpp"

namespace waxwing {

/// Overwrites memory in a way the compiler may not remove.
void wipe(MutableByteView bytes);

/// The token that lets a secret leave its type: one grep for `SecretAccess` lists every use.
struct SecretAccess {
  explicit SecretAccess() = default;
};

/// N secret bytes: move-only, wiped on destruction and on move, compared in constant time, never printed.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::span<const std::byte, N> bytes) { std::memcpy(bytes_.data(), bytes.data(), N); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { waxwing::wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      waxwing::wipe(other.bytes_);
    }
    return *this;
  }
  ~Secret() { waxwing::wipe(bytes_); }

  [[nodiscard]] std::span<const std::byte, N> expose(SecretAccess /*access*/) const { return bytes_; }
  [[nodiscard]] std::span<std::byte, N> expose_mutable(SecretAccess /*access*/) { return bytes_; }
  [[nodiscard]] Secret clone(SecretAccess /*access*/) const { return Secret(std::span<const std::byte, N>(bytes_)); }
  static constexpr std::size_t size() { return N; }

  friend bool operator==(const Secret& a, const Secret& b) { return constant_time_equal(a.bytes_, b.bytes_); }

 private:
  ByteArray<N> bytes_{};
};

/// Secret bytes whose number is known at run time only. Same rules as Secret.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(ByteView bytes) : bytes_(bytes.begin(), bytes.end()) {}
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  /// Takes a text and wipes the original.
  [[nodiscard]] static SecretBytes take(std::string& text);
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes() { waxwing::wipe(bytes_); }

  [[nodiscard]] ByteView expose(SecretAccess /*access*/) const { return bytes_; }
  [[nodiscard]] MutableByteView expose_mutable(SecretAccess /*access*/) { return bytes_; }
  [[nodiscard]] std::string_view expose_text(SecretAccess /*access*/) const { return as_text(bytes_); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  friend bool operator==(const SecretBytes& a, const SecretBytes& b) { return constant_time_equal(a.bytes_, b.bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace waxwing
