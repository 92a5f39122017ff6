// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// The worker's opener under a fixed key.

#include "ohttp_edits.hpp"

using namespace waxwing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TestKey key;
  static const Bytes wire = [] {
    test::CountingRandom random;
    auto client = key.client(random);
    return test::seal_all(client, test::fuzz_chunks());
  }();
  const std::span input(data, size);
  auto worker = key.worker();
  test::check_opening(worker, wire, test::damage(wire, 7 + 32, input), input);
  return 0;
}
