// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/json_strict.hpp"

#include <gtest/gtest.h>

#include <string>

namespace waxwing {
namespace {

constexpr Limits kSmall{.document = 200, .depth = 3, .members = 4, .certificate = 0, .certificates = 0};

void expect_refused(std::string_view text, Code code = Code::malformed) {
  const auto parsed = parse_json_strict(text, kSmall);
  ASSERT_FALSE(parsed) << text;
  EXPECT_EQ(parsed.error().code(), code) << text;
}

TEST(JsonStrictTest, RefusesDuplicateKeysAtEveryLevel) {
  expect_refused(R"({"a":1,"a":1})");
  expect_refused(R"({"x":{"a":1,"b":2,"a":3}})");
  expect_refused(R"([{"a":1,"a":2}])");
  expect_refused(R"({"":1,"":2})");
}

TEST(JsonStrictTest, ComparesKeysAfterUnescaping) {
  expect_refused(R"({"a":1,"\u0061":2})");
  expect_refused(R"({"\/":1,"/":2})");
  expect_refused("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}");
}

TEST(JsonStrictTest, TheSameKeyInTwoObjectsIsNoDuplicate) {
  EXPECT_TRUE(parse_json_strict(R"([{"a":1},{"a":{"a":2}}])", kSmall));
}

TEST(JsonStrictTest, NamesTheByteAndNeverTheKey) {
  const auto parsed = parse_json_strict(R"({"secret":1,"secret":2})", kSmall);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().text(), "a key that occurs twice before byte 20");
}

TEST(JsonStrictTest, SyntaxErrorsDoNotQuoteTheInput) {
  const auto parsed = parse_json_strict(R"({"a":secret})", kSmall);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().text(), "not valid JSON at byte 5");
}

TEST(JsonStrictTest, RefusesWhatIsNotRfc8259) {
  for (const std::string_view text :
       {"",           " ",           "{",        "[1,]",   "{\"a\":1,}",  "{a:1}",       "{'a':1}", "NaN",
        "[Infinity]", "[-Infinity]", "[01]",     "[+1]",   "[.5]",        "[1.]",        "[1e]",    "[0x1]",
        "// c\n1",    "/* c */1",    "\"\x01\"", "\"\t\"", "[\"\\x41\"]", "\"\\u12g4\"", "1 2",     "{}{}",
        "{} x",       "[1]]",        "tru",      "truex",  "nul",         "\"abc",       "\"\\",    "[1 2]",
        "{\"a\" 1}",  "{\"a\":}",    "{1:2}"}) {
    expect_refused(text);
  }
}

TEST(JsonStrictTest, RefusesNumbersBeyondADouble) {
  expect_refused("[1e999]");
  expect_refused("[-1e999]");
}

TEST(JsonStrictTest, RefusesInvalidUtf8AndLoneSurrogates) {
  for (const std::string_view text :
       {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xe2\x82\"", "{\"\xff\":1}", R"("\ud800")", R"("\udc00")",
        R"("\ud800\u0041")", R"("\ud800\ud800")", R"({"\ud800":1})"}) {
    expect_refused(text);
  }
}

TEST(JsonStrictTest, RefusesAByteOrderMarkAndNul) {
  expect_refused("\xef\xbb\xbf{}");
  expect_refused(std::string_view("{}\0", 3));
  expect_refused(std::string_view("{}\0{}", 5));
  expect_refused(std::string_view("{\0}", 3));
  expect_refused(std::string_view("\"a\0b\"", 5));
}

TEST(JsonStrictTest, HoldsTheLimits) {
  EXPECT_TRUE(parse_json_strict("[[[]]]", kSmall));
  expect_refused("[[[[]]]]", Code::too_large);
  expect_refused(R"({"a":{"b":{"c":{}}}})", Code::too_large);
  EXPECT_TRUE(parse_json_strict("[1,2,3,4]", kSmall));
  expect_refused("[1,2,3,4,5]", Code::too_large);
  expect_refused("[[],[],[],[],[]]", Code::too_large);
  expect_refused(R"({"a":1,"b":1,"c":1,"d":1,"e":1})", Code::too_large);
  EXPECT_TRUE(parse_json_strict(std::string(200, ' ').replace(0, 2, "{}"), kSmall));
  expect_refused(std::string(201, ' ').replace(0, 2, "{}"), Code::too_large);
}

TEST(JsonStrictTest, DeepInputCostsNothing) {
  expect_refused(std::string(200, '['), Code::too_large);
}

TEST(JsonStrictTest, BuildsTheSameValueAsTheLibrary) {
  for (const std::string_view text :
       {"null", "true", "false", "0", "-0", "1", "-1", "18446744073709551615", "-9223372036854775808", "1.5e3", "\"\"",
        R"("\u20ac\n\"\\\/")", "[]", "{}", " \t\r\n[1, 2] ", R"({"b":[{},[],null],"a":{"c":"d"}})",
        R"({"a":[1,{"x":2},3],"z":4})"}) {
    const auto parsed = parse_json_strict(text, kSmall);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, nlohmann::json::parse(text)) << text;
    EXPECT_EQ(parsed->dump(), nlohmann::json::parse(text).dump()) << text;
  }
}

TEST(JsonStrictTest, CutAnywhereIsRefused) {
  const std::string text = R"({"a":[1.5e3,true,"\u20ac"],"b":{"c":null}})";
  ASSERT_TRUE(parse_json_strict(text, kSmall));
  for (std::size_t n = 0; n < text.size(); ++n) expect_refused(text.substr(0, n));
}

TEST(JsonStrictTest, AFlippedBitNeverMakesItMoreLenientThanTheLibrary) {
  const std::string text = R"({"a":[1.5e3,true,"\u20ac"],"b":{"c":null}})";
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto library = nlohmann::json::parse(flipped, nullptr, /*allow_exceptions=*/false);
    const auto parsed = parse_json_strict(flipped, kSmall);
    if (parsed) EXPECT_EQ(*parsed, library) << flipped;
    if (library.is_discarded()) EXPECT_FALSE(parsed) << flipped;
  }
}

}  // namespace
}  // namespace waxwing
