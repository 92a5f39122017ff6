// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>

#include "unit/sealed/support.hpp"

namespace waxwing::test {

/// What was sealed; an input says how the sealed bytes are damaged.
inline const std::vector<Bytes>& fuzz_chunks() {
  static const std::vector<Bytes> chunks = {text("the first chunk"), Bytes(1000, std::byte{'x'}), text("!"), {}};
  return chunks;
}

/// The first byte gives the size of the pieces; with its top bit set the rest is the chunked body itself, after an
/// intact header of `header` bytes. Otherwise three bytes are an edit each: offset (2) and what to do (1): cut there,
/// insert, or flip bits.
inline Bytes damage(const Bytes& wire, std::size_t header, std::span<const std::uint8_t> input) {
  if (input.empty()) return wire;
  if ((input[0] & 0x80U) != 0) {
    Bytes raw(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(header));
    append(raw, std::as_bytes(input.subspan(1)));
    return raw;
  }
  Bytes damaged = wire;
  for (input = input.subspan(1); input.size() >= 3 && !damaged.empty(); input = input.subspan(3)) {
    const std::size_t at = (std::size_t{input[0]} << 8U | input[1]) % damaged.size();
    const auto place = damaged.begin() + static_cast<std::ptrdiff_t>(at);
    if (input[2] == 0)
      damaged.erase(place, damaged.end());
    else if (input[2] == 0xff)
      damaged.insert(place, static_cast<std::byte>(input[0]));
    else
      *place ^= static_cast<std::byte>(input[2]);
  }
  return damaged;
}

/// Traps unless `opener` delivers a prefix of what was sealed, and all of it only if nothing was changed.
template <class Opener>
void check_opening(Opener& opener, const Bytes& wire, const Bytes& damaged, std::span<const std::uint8_t> input) {
  const std::size_t piece = input.empty() || (input[0] & 0x7fU) == 0 ? damaged.size() + 1 : input[0] & 0x7fU;
  const Opened opened = open_all(opener, damaged, Cutter::every(piece));
  if (opened.chunks.size() > fuzz_chunks().size()) std::abort();
  if (!std::equal(opened.chunks.begin(), opened.chunks.end(), fuzz_chunks().begin())) std::abort();
  if (opened.complete == opened.failure.has_value()) std::abort();
  if (damaged == wire && !opened.complete) std::abort();
}

}  // namespace waxwing::test
