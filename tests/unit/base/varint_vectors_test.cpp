// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "support/vectors.hpp"
#include "waxwing/base/byte_reader.hpp"

namespace waxwing {
namespace {

void check(const nlohmann::json& vector) {
  const Bytes data = test::hex(vector.at("data"));
  ByteReader in("varint", data);
  const std::uint64_t value = in.varint();
  const auto end = in.expect_end();
  if (vector.at("verdict") != "ok") {
    EXPECT_FALSE(end);
    return;
  }
  ASSERT_TRUE(end) << end.error().describe();
  EXPECT_EQ(std::to_string(value), vector.at("value").get<std::string>());
  Bytes written;
  ByteWriter(written).varint(value);
  EXPECT_EQ(written == data, vector.at("minimal").get<bool>());
}

TEST(VarintVectors, EachCaseGetsItsVerdict) {
  WAXWING_VECTORS_OR_SKIP(file, "ohttp/varints.json");
  ASSERT_FALSE(file.at("vectors").empty());
  for (const auto& vector : file.at("vectors")) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    check(vector);
  }
}

}  // namespace
}  // namespace waxwing
