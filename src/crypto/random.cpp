// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/random.hpp"

#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

#include "openssl.hpp"

namespace waxwing::crypto {

void SystemRandom::fill(MutableByteView out) {
  static_cast<void>(ossl::library());
  // The "private" generator: what it gives for keys is independent of what the public one shows in TLS randoms.
  if (RAND_priv_bytes_ex(nullptr, ossl::data(out), out.size(), 256) != 1) {
    std::fputs("waxwing: no randomness from the system, stopping\n", stderr);
    std::abort();
  }
}

}  // namespace waxwing::crypto
