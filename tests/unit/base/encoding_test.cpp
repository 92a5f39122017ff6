// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/encoding.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace waxwing {
namespace {

Bytes random_bytes(std::mt19937& random, std::size_t size) {
  Bytes out(size);
  for (std::byte& b : out) b = static_cast<std::byte>(random());
  return out;
}

void expect_malformed(const Result<Bytes>& result, std::string_view text) {
  ASSERT_FALSE(result) << text;
  EXPECT_EQ(result.error().code(), Code::malformed) << text;
}

TEST(HexTest, RefusesOddLengthsAndOtherCharacters) {
  for (const std::string_view text : {"0", "0g", "g0", "0x00", " 00", "00\n", "0\0", "\xc3\xa9"}) {
    expect_malformed(from_hex(text), text);
  }
  expect_malformed(from_hex(std::string_view("0\0", 2)), "NUL");
}

TEST(HexTest, ReadsEitherCaseAndWritesLower) {
  EXPECT_EQ(to_hex(from_hex("00fFAb9A").value()), "00ffab9a");
  EXPECT_TRUE(from_hex("").value().empty());
}

TEST(Base64Test, RefusesWhatASecondDecoderMightReadOtherwise) {
  for (const std::string_view text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "=", "Zm9v=", "Zm9v\n",
                                      " Zm9v", "Zm 9", "Zm9-", "Zm9_", "Zg==Zg==", "Z=g=", "Zm8=Zm8="}) {
    expect_malformed(from_base64(text), text);
  }
}

TEST(Base64UrlTest, RefusesPaddingOtherAlphabetAndUnusedBits) {
  for (const std::string_view text : {"Zg==", "Z", "Zh", "Zm9", "Zm9v+", "Zm9v/w", "Zm9vZ", "Zg ", "Zm8="}) {
    expect_malformed(from_base64url(text), text);
  }
}

// RFC 4648 section 10.
TEST(Base64Test, KnownAnswers) {
  const std::pair<std::string_view, std::string_view> cases[] = {{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(to_base64(as_bytes(plain)), encoded);
    EXPECT_EQ(as_text(from_base64(encoded).value()), plain);
  }
  EXPECT_EQ(to_base64url(from_hex("fbff").value()), "-_8");
  EXPECT_EQ(to_base64(from_hex("fbff").value()), "+/8=");
}

TEST(EncodingTest, EveryLengthComesBack) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 100; ++size) {
    const Bytes bytes = random_bytes(random, size);
    EXPECT_EQ(from_hex(to_hex(bytes)).value(), bytes);
    EXPECT_EQ(from_base64(to_base64(bytes)).value(), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes)).value(), bytes);
  }
}

TEST(EncodingTest, EveryTextThatDecodesIsTheOnlyOneForItsBytes) {
  constexpr std::string_view kAlphabet = "ABab09+/-_=\n";
  std::mt19937 random(2);
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (std::size_t n = random() % 9; n > 0; --n) text += kAlphabet[random() % kAlphabet.size()];
    if (const auto bytes = from_base64(text)) EXPECT_EQ(to_base64(*bytes), text);
    if (const auto bytes = from_base64url(text)) EXPECT_EQ(to_base64url(*bytes), text);
  }
}

TEST(Utf8Test, RefusesOverlongFormsSurrogatesAndCutSequences) {
  for (const std::string_view text : {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                                      "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                      "\xff", "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xc2\x41", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_utf8(text));
    EXPECT_FALSE(is_utf8("12345678" + std::string(text)));
    EXPECT_FALSE(is_utf8(std::string(text) + "12345678"));
  }
}

TEST(Utf8Test, TakesTheBordersOfEachLength) {
  for (const std::string_view text : {"", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                                      "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text));
    EXPECT_TRUE(is_utf8("1234567" + std::string(text) + "123456789"));
  }
}

TEST(JsonStringTest, NothingBreaksOutOfTheString) {
  std::string out;
  append_json_string(out, std::string_view("a\"b\\c\n\r\t\b\f\x01\x7f\xc2\x9b\0 \xff \xe2\x82 \xe2\x82\xac", 24));
  EXPECT_EQ(
      out,
      "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u007f\\u009b\\u0000 \xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd \xe2\x82\xac\"");
}

TEST(JsonStringTest, ARealParserReadsItBack) {
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const Bytes bytes = random_bytes(random, random() % 12);
    std::string out;
    append_json_string(out, as_text(bytes));
    const auto parsed = nlohmann::json::parse(out, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(parsed.is_string()) << out;
    if (is_utf8(as_text(bytes))) EXPECT_EQ(parsed.get<std::string>(), as_text(bytes));
  }
}

}  // namespace
}  // namespace waxwing
