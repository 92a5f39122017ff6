// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing_vectors.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/vectors.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/exchange/statement.hpp"

namespace waxwing::test {
namespace {

std::optional<nlohmann::json> stored(const std::string& name) {
  const auto text = read_file(std::filesystem::path(WAXWING_SOURCE_DIR) / "tests" / "vectors" / "waxwing" / name);
  return text ? std::optional(nlohmann::json::parse(*text)) : std::nullopt;
}

TEST(WaxwingVectors, AreWhatTheCodeMakesFromTheirSeeds) {
  for (const auto& [name, made] : make_waxwing_vectors()) {
    const auto file = stored(name);
    ASSERT_TRUE(file) << name;
    EXPECT_EQ(*file, nlohmann::json::parse(made.dump())) << name << ": the protocol changed, or the file did";
  }
}

TEST(WaxwingVectors, RefusedStatementsAreRefused) {
  const auto file = stored("statements.json");
  ASSERT_TRUE(file);
  for (const auto& c : (*file)["refused"]) {
    const std::string text = c["statement"];
    const auto parsed = exchange::parse_statement(as_bytes(text));
    ASSERT_FALSE(parsed) << c["name"];
    EXPECT_EQ(to_string(parsed.error().code()), c["code"].get<std::string>()) << c["name"];
  }
}

}  // namespace
}  // namespace waxwing::test
