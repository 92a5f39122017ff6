// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "waxwing/base/random.hpp"

namespace waxwing::crypto {

/// OpenSSL's generator, seeded from getrandom(2). A failure ends the process.
class SystemRandom final : public Random {
 public:
  void fill(MutableByteView out) override;
};

}  // namespace waxwing::crypto
