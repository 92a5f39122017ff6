// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "waxwing/exchange/statement.hpp"

// What the reader accepts, the writer can write, and it reads back as the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waxwing::exchange;
  auto statement = parse_statement(std::as_bytes(std::span(data, size)));
  if (!statement) return 0;
  statement->ext.clear();
  const auto written = encode_statement(*statement);
  if (!written) std::abort();
  const auto again = parse_statement(*written);
  if (!again || *again != *statement) std::abort();
  return 0;
}
