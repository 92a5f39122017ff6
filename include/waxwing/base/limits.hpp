// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace waxwing {

/// Bounds for parsers of untrusted bytes; a required argument, with named presets.
struct Limits {
  std::size_t document = 0;      ///< bytes of one JSON or TOML document
  std::size_t depth = 0;         ///< nesting of JSON containers
  std::size_t members = 0;       ///< members of one object or elements of one array
  std::size_t certificate = 0;   ///< bytes of one certificate or CRL
  std::size_t certificates = 0;  ///< certificates in one chain

  /// Attestation documents, evidence and endorsements of a worker (protocol waxwing/1 section 1: 1 MiB).
  static constexpr Limits evidence() { return {1U << 20U, 16, 4096, 64U << 10U, 8}; }
  /// The statement (64 KiB).
  static constexpr Limits statement() { return {64U << 10U, 8, 256, 64U << 10U, 8}; }
  /// Files of this machine's owner: policies, configuration, verdicts.
  static constexpr Limits local_file() { return {16U << 20U, 32, 65536, 1U << 20U, 64}; }
};

}  // namespace waxwing
