// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// The client's opener of one fixed exchange.

#include "ohttp_edits.hpp"

using namespace waxwing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const test::TestKey key;
  static test::CountingRandom random;
  static const sealed::ClientExchange client = key.client(random);
  static const Bytes wire = [] {
    auto worker = key.worker();
    ByteView header = client.header();
    (void)worker.next(header, sealed::Input::open);
    auto answer = worker.response(random);
    return test::seal_all(answer, test::fuzz_chunks());
  }();
  const std::span input(data, size);
  auto opener = client.response();
  test::check_opening(opener, wire, test::damage(wire, 32, input), input);
  return 0;
}
