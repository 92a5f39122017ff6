// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/random.hpp"

namespace waxwing::test {

/// Hands out the given bytes in order and throws when they run out: a test that draws more than it scripted is wrong.
class ScriptedRandom final : public Random {
 public:
  explicit ScriptedRandom(Bytes script) : script_(std::move(script)) {}

  void fill(MutableByteView out) override {
    if (out.size() > left()) throw std::out_of_range("the scripted randomness is used up");
    std::memcpy(out.data(), script_.data() + used_, out.size());
    used_ += out.size();
  }
  [[nodiscard]] std::size_t left() const { return script_.size() - used_; }

 private:
  Bytes script_;
  std::size_t used_ = 0;
};

/// Endless, repeatable bytes from a counter (xorshift); no two fills alike.
class CountingRandom final : public Random {
 public:
  explicit CountingRandom(std::uint64_t seed = 1) : state_(seed * 0x9e3779b97f4a7c15U + 1) {}

  void fill(MutableByteView out) override {
    for (std::byte& b : out) {
      state_ ^= state_ << 13U;
      state_ ^= state_ >> 7U;
      state_ ^= state_ << 17U;
      b = static_cast<std::byte>(state_ >> 32U);
    }
  }

 private:
  std::uint64_t state_;
};

}  // namespace waxwing::test
