// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/settings/settings.hpp"

#include <gtest/gtest.h>

namespace waxwing::settings {
namespace {

enum class Colour : std::uint8_t { red, green };

struct Sample {
  std::string url = "http://127.0.0.1:8000";
  bool remote = false;
  std::uint32_t rate = 2;
  std::size_t body = std::size_t{4} << 20U;
  std::chrono::nanoseconds connect{std::chrono::seconds(10)};
  std::vector<std::string> address{"127.0.0.1:1"};
  Colour colour = Colour::red;
};

Schema<Sample> schema() {
  Schema<Sample> s;
  s.text("engine.url", &Sample::url, "Where the engine listens.")
      .flag("engine.remote", &Sample::remote, "Whether it may be elsewhere.")
      .integer("engine.rate", &Sample::rate, 1, 100, "Per second.")
      .size("limits.body", &Sample::body, "Of a request.")
      .duration("engine.connect", &Sample::connect, "For one connection.")
      .list("listen.address", &Sample::address, "Where to listen.")
      .choice("colour", &Sample::colour, {{"red", Colour::red}, {"green", Colour::green}}, "Of the shed.");
  return s;
}

Result<Sample> load(std::string_view toml) {
  WAXWING_ASSIGN(const Document document, read(toml, "t.toml"));
  Sample sample;
  WAXWING_TRY(schema().apply(document.entries, document.source, sample));
  return sample;
}

std::string error_of(std::string_view toml) {
  const auto loaded = load(toml);
  return loaded ? "" : loaded.error().text();
}

TEST(Settings, NamesTheNearestKnownKeyWithItsPosition) {
  EXPECT_EQ(error_of("[engine]\n  ulr = \"x\"\n"),
            "t.toml:2:3: unknown key \"engine.ulr\"; did you mean \"engine.url\"?");
  EXPECT_EQ(error_of("[engine]\nsomething_else_entirely = 1\n"),
            "t.toml:2:1: unknown key \"engine.something_else_entirely\"");
}

TEST(Settings, RefusesWrongTypesAndRanges) {
  EXPECT_EQ(error_of("engine.rate = \"2\""), "t.toml:1:8: engine.rate must be a whole number");
  EXPECT_EQ(error_of("engine.rate = 0"), "t.toml:1:8: engine.rate must be from 1 to 100");
  EXPECT_EQ(error_of("colour = \"blue\""), "t.toml:1:1: colour must be one of red | green");
  EXPECT_EQ(error_of("engine.connect = \"10\""),
            "t.toml:1:8: engine.connect must be a time like \"250ms\", \"10s\", \"10m\", \"1h\" or \"none\"");
  EXPECT_NE(error_of("limits.body = \"99999999999GiB\"").find("size"), std::string::npos);
  EXPECT_NE(error_of("limits.body = -1"), "");
  EXPECT_NE(error_of("listen.address = [1]"), "");
  EXPECT_NE(error_of("engine.url = 2020-01-01"), "");
}

TEST(Settings, RefusesWhatIsNotToml) {
  EXPECT_TRUE(error_of("[engine\n").starts_with("t.toml:1:"));
  EXPECT_NE(error_of("colour = \"red\"\ncolour = \"green\"\n"), "");
  EXPECT_TRUE(error_of("[= 1]\n").starts_with("t.toml:1:2"));  // its reader asserts otherwise
}

TEST(Settings, SetsWhatIsGivenAndKeepsTheRest) {
  const auto sample = load(
      "colour = \"green\"\n[engine]\nconnect = \"250ms\"\nremote = true\n[limits]\nbody = \"64KiB\"\n"
      "[listen]\naddress = [\"a:1\", \"b:2\"]\n");
  ASSERT_TRUE(sample) << sample.error().describe();
  EXPECT_EQ(sample->colour, Colour::green);
  EXPECT_EQ(sample->connect, std::chrono::milliseconds(250));
  EXPECT_TRUE(sample->remote);
  EXPECT_EQ(sample->body, 65536U);
  EXPECT_EQ(sample->address, (std::vector<std::string>{"a:1", "b:2"}));
  EXPECT_EQ(sample->rate, 2U);
}

TEST(Settings, ShowsEveryKeySortedAndReadsItsOwnOutput) {
  Sample sample;
  sample.url = "quote \" backslash \\ bell \a";
  std::string text;
  for (const std::string& line : schema().lines(sample)) text += line + "\n";
  EXPECT_TRUE(text.starts_with("colour = \"red\"\nengine.connect = \"10s\"\n")) << text;
  const auto again = load(text);
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ(again->url, sample.url);
  EXPECT_EQ(schema().lines(*again), schema().lines(sample));
}

TEST(Settings, KeepsGroupsApartAndRefusesOtherArrays) {
  constexpr std::string_view kGroups[] = {"provider"};
  const auto document = read("[[provider]]\nname = \"a\"\n[[provider]]\nname = \"b\"\n", "t.toml", kGroups);
  ASSERT_TRUE(document);
  ASSERT_EQ(document->groups.size(), 2U);
  EXPECT_EQ(document->groups[1].entries[0].key, "name");
  EXPECT_EQ(document->groups[1].where.line, 3U);
  EXPECT_FALSE(read("[[other]]\nname = \"a\"\n", "t.toml", kGroups));
  EXPECT_FALSE(read("[provider]\nname = \"a\"\n", "t.toml", kGroups));
}

TEST(Settings, WritesTheShortestUnit) {
  EXPECT_EQ(to_text(ByteSize{1U << 20U}), "1MiB");
  EXPECT_EQ(to_text(ByteSize{1500}), "1500B");
  EXPECT_EQ(to_text(std::chrono::nanoseconds(std::chrono::minutes(90))), "90m");
  EXPECT_EQ(to_text(std::chrono::nanoseconds::max()), "none");
  EXPECT_EQ(to_text(std::chrono::nanoseconds(0)), "0ns");
}

}  // namespace
}  // namespace waxwing::settings
