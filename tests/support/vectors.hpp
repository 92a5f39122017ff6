// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::test {

/// $WAXWING_VECTORS, or ../shared/vectors beside the source root.
inline std::filesystem::path vector_root() {
  const char* set = std::getenv("WAXWING_VECTORS");
  return set != nullptr && *set != '\0' ? std::filesystem::path(set)
                                        : std::filesystem::path(WAXWING_SOURCE_DIR) / ".." / "shared" / "vectors";
}

inline std::optional<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// One JSON file below the vector root; nothing when it is not there. A file that is there must parse.
inline std::optional<nlohmann::json> load_vectors(const std::string& relative) {
  const auto text = read_file(vector_root() / relative);
  if (!text) return std::nullopt;
  return nlohmann::json::parse(*text);
}

/// Hexadecimal of a vector file; throws for anything else, since a broken vector must not pass.
inline Bytes hex(const nlohmann::json& value) {
  return from_hex(value.get<std::string>()).value();
}

}  // namespace waxwing::test

/// Binds `name` to the parsed file, or skips the test when the set under $WAXWING_VECTORS lacks it.
#define WAXWING_VECTORS_OR_SKIP(name, relative)                                                         \
  const auto name##_file = ::waxwing::test::load_vectors(relative);                                     \
  if (!name##_file) GTEST_SKIP() << "no " << (relative) << " under " << ::waxwing::test::vector_root(); \
  const nlohmann::json& name = *name##_file
