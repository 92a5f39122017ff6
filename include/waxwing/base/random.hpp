// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "waxwing/base/bytes.hpp"

namespace waxwing {

/// A source of random bytes, handed to whoever needs some. The real one is crypto::SystemRandom.
class Random {
 public:
  virtual ~Random() = default;
  /// Fills the whole span with bytes fit for keys, or ends the process: there is no weaker answer.
  virtual void fill(MutableByteView out) = 0;

  template <std::size_t N>
  [[nodiscard]] ByteArray<N> array() {
    ByteArray<N> out;
    fill(out);
    return out;
  }
};

}  // namespace waxwing
