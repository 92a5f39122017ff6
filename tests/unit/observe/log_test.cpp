// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/observe/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace waxwing::observe {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class LogTest : public testing::Test {
 protected:
  std::unique_ptr<Logger> make(LogFormat format, LogLevel level = LogLevel::debug) {
    return make_logger({.level = level, .format = format}, clock_, out_);
  }
  std::string take() {
    std::string text = out_.str();
    out_.str("");
    return text;
  }
  FakeClock clock_{from_unix(1795532400) + 123ms};
  std::ostringstream out_;
};

template <class T>
concept Loggable = std::is_constructible_v<Value, T>;

TEST_F(LogTest, SecretsPromptsAndBareStringsAreNoValues) {
  static_assert(!Loggable<const Secret<32>&> && !Loggable<const SecretBytes&> && !Loggable<const Plaintext&>);
  static_assert(!Loggable<std::string> && !Loggable<std::string_view> && !Loggable<const char*>);
  static_assert(!std::is_convertible_v<std::string, Text> && !std::is_constructible_v<Literal, std::string>);
  static_assert(Loggable<int> && Loggable<Code> && Loggable<Text> && Loggable<const Error&>);
}

TEST_F(LogTest, ALevelThatIsOffWritesNothingAndCanBeSwitchedOn) {
  const auto log = make(LogFormat::text, LogLevel::warn);
  log->debug("a");
  log->info("b");
  EXPECT_EQ(take(), "");
  log->warn("c");
  log->error("d");
  EXPECT_EQ(take(), "2026-11-24T15:00:00.123Z warn  c\n2026-11-24T15:00:00.123Z error d\n");
  log->set_level(LogLevel::debug);
  log->debug("e");
  EXPECT_EQ(take(), "2026-11-24T15:00:00.123Z debug e\n");
}

TEST_F(LogTest, TextFieldsAreReadable) {
  const auto log = make(LogFormat::text);
  const Error error = Error(Code::policy_refused, "debug is on").with("attesting");
  log->info("session ended", {{"provider", Text("home-1")},
                              {"name", Text("a b")},
                              {"age", 1500ms},
                              {"wait", 2500us},
                              {"spin", 7us},
                              {"count", std::size_t{3}},
                              {"delta", -4},
                              {"reused", true},
                              {"kind", "x-wing"},
                              {"code", Code::deadline},
                              {"error", error}});
  EXPECT_EQ(
      take(),
      "2026-11-24T15:00:00.123Z info  session ended provider=home-1 name=\"a b\" age=1.500s wait=2.500ms spin=7us "
      "count=3 delta=-4 reused=true kind=x-wing code=deadline error=\"attesting: debug is on\" "
      "error.code=policy_refused\n");
}

TEST_F(LogTest, JsonLinesAreJsonWithNumbersAsNumbers) {
  const auto log = make(LogFormat::json);
  log->warn("odd",
            {{"age", 1500ms}, {"n", 3U}, {"bad", std::nan("")}, {"ok", false}, {"error", Error(Code::io, "x\"y")}});
  const std::string line = take();
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
  const json parsed = json::parse(line);
  EXPECT_EQ(parsed["time"], "2026-11-24T15:00:00.123Z");
  EXPECT_EQ(parsed["level"], "warn");
  EXPECT_EQ(parsed["message"], "odd");
  EXPECT_EQ(parsed["age"], 1.5);
  EXPECT_EQ(parsed["n"], 3);
  EXPECT_TRUE(parsed["bad"].is_null());
  EXPECT_EQ(parsed["ok"], false);
  EXPECT_EQ(parsed["error"], "x\"y");
  EXPECT_EQ(parsed["error.code"], "io");
}

TEST_F(LogTest, ATextCannotForgeALineOrMoveTheCursor) {
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    const auto log = make(format);
    log->info("m", {{"peer", Text("a\nb\r\x1b[31m\x7f\xff")}});
    const std::string line = take();
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(line.find_first_of("\r\x1b\x7f\xff"), std::string::npos);
  }
}

TEST_F(LogTest, ALongTextIsCutAtACharacter) {
  const auto log = make(LogFormat::json);
  std::string text(kMaxText - 1, 'a');
  text += "\xe2\x82\xac more";
  log->info("m", {{"t", Text(text)}});
  EXPECT_EQ(json::parse(take())["t"].get<std::string>(), std::string(kMaxText - 1, 'a'));
}

TEST_F(LogTest, ThreadsWriteWholeLines) {
  const auto log = make(LogFormat::json);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 200; ++i) log->info("line", {{"thread", t}, {"i", i}});
    });
  }
  threads.clear();
  std::istringstream lines(take());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(json::accept(line)) << line;
  EXPECT_EQ(count, 800);
}

TEST_F(LogTest, NamesOfLevelsAndFormatsAreExact) {
  for (const std::string_view name : {"", "Debug", "trace", "warning", "info "}) {
    const auto level = parse_log_level(name);
    ASSERT_FALSE(level) << name;
    EXPECT_EQ(level.error().code(), Code::config_invalid);
  }
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
    EXPECT_EQ(parse_log_level(to_string(level)).value(), level);
  }
  EXPECT_EQ(parse_log_format("json").value(), LogFormat::json);
  EXPECT_EQ(parse_log_format("xml").error().code(), Code::config_invalid);
}

}  // namespace
}  // namespace waxwing::observe
