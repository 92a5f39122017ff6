// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/json_scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace waxwing::dialect {
namespace {

using nlohmann::json;

struct Answer {
  bool accepted = false;
  std::optional<std::string> model;
  std::optional<bool> stream;
  BodyRange range;
  friend bool operator==(const Answer& a, const Answer& b) {
    return a.accepted == b.accepted && a.model == b.model && a.stream == b.stream && a.range.begin == b.range.begin &&
           a.range.end == b.range.end;
  }
};

Answer scan_pieces(const std::vector<std::string_view>& pieces, const ScanLimits& limits = ScanLimits::request()) {
  TopLevelScanner scanner(limits);
  bool accepted = true;
  for (const std::string_view piece : pieces) accepted = scanner.feed(as_bytes(piece)).has_value() && accepted;
  accepted = scanner.finish().has_value() && accepted;
  if (!accepted) return {};
  return {true, scanner.model(), scanner.stream(), scanner.model() ? scanner.model_range() : BodyRange{}};
}

Answer scan(std::string_view body) {
  return scan_pieces({body});
}

void expect_refused(std::string_view body) {
  TopLevelScanner scanner(ScanLimits::request());
  auto result = scanner.feed(as_bytes(body));
  if (result) result = scanner.finish();
  ASSERT_FALSE(result) << body;
  EXPECT_EQ(result.error().code(), Code::bad_request) << body;
}

TEST(TopLevelScannerTest, RefusesASecondModelHoweverItIsSpelt) {
  expect_refused(R"({"model":"a","model":"a"})");
  expect_refused(R"({"model":"a","messages":[],"mod\u0065l":"b"})");
  expect_refused(R"({"\u006D\u006f\u0064\u0065\u006C":"a","model":"b"})");
  expect_refused(R"({"model":null,"model":"b"})");
  expect_refused(R"({"stream":true,"stre\u0061m":false})");
}

TEST(TopLevelScannerTest, RefusesModelsThatAreNoStringAndStreamsThatAreNoFlag) {
  for (const std::string_view value : {"1", "{}", "[]", "true", "[\"a\"]", "-", "nul"}) {
    expect_refused(R"({"model":)" + std::string(value) + "}");
  }
  for (const std::string_view value : {"1", "0", "\"true\"", "{}", "[]"}) {
    expect_refused(R"({"stream":)" + std::string(value) + "}");
  }
}

TEST(TopLevelScannerTest, RefusesWhatIsNoJsonObject) {
  for (const std::string_view body : {"",
                                      "  ",
                                      "[]",
                                      "\"a\"",
                                      "1",
                                      "null",
                                      "x",
                                      "{",
                                      "{\"a\"",
                                      "{\"a\":",
                                      "{\"a\":1",
                                      "{\"a\":1,",
                                      "{\"a\":1,}",
                                      "{,}",
                                      "{a:1}",
                                      "{\"a\"1}",
                                      "{\"a\":1 \"b\":2}",
                                      "{\"a\":}",
                                      "{1:2}",
                                      "{]",
                                      "{\"a\":[}",
                                      "{\"a\":[1,]}",
                                      "{\"a\":[,]}",
                                      "{\"a\":[1}",
                                      "{\"a\":{]}",
                                      "{} {}",
                                      "{}x",
                                      "{}]",
                                      "{}\xef\xbb\xbf",
                                      "\xef\xbb\xbf{}",
                                      "{\"a\":01}",
                                      "{\"a\":+1}",
                                      "{\"a\":.5}",
                                      "{\"a\":1.}",
                                      "{\"a\":1e}",
                                      "{\"a\":1e+}",
                                      "{\"a\":-}",
                                      "{\"a\":-a}",
                                      "{\"a\":1.e1}",
                                      "{\"a\":tru}",
                                      "{\"a\":trux}",
                                      "{\"a\":truex}",
                                      "{\"a\":NaN}",
                                      "{\"a\":nulll}",
                                      "{\"a\":\"\n\"}",
                                      "{\"a\":\"\x1f\"}",
                                      "{\"a\":\"\\x\"}",
                                      "{\"a\":\"\\u12g4\"}",
                                      "{\"a\":\"\\u12\"}",
                                      "{\"a\":\"x}",
                                      "{\"a\n\":1}",
                                      "{\"a\":/**/1}",
                                      "{'a':1}"}) {
    expect_refused(body);
  }
  expect_refused(std::string_view("{}\0", 3));
  expect_refused(std::string_view("{\0}", 3));
}

TEST(TopLevelScannerTest, RefusesModelsThatCannotBeReadOneWay) {
  expect_refused("{\"model\":\"\xff\"}");
  expect_refused("{\"model\":\"\xed\xa0\x80\"}");
  expect_refused(R"({"model":"\ud800"})");
  expect_refused(R"({"model":"\ud800x"})");
  expect_refused(R"({"model":"\ud800\n"})");
  expect_refused(R"({"model":"\ud800\u0041"})");
  expect_refused(R"({"model":"\udc00"})");
  expect_refused(R"({"model":")" + std::string(257, 'a') + "\"}");
}

TEST(TopLevelScannerTest, HoldsTheDepthLimit) {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(scan(nested(255)).accepted);
  expect_refused(nested(256));
  EXPECT_TRUE(scan_pieces({nested(TopLevelScanner::kMaxDepth - 1)}, {.depth = 1U << 20U, .model = 8}).accepted);
  EXPECT_FALSE(scan_pieces({nested(TopLevelScanner::kMaxDepth)}, {.depth = 1U << 20U, .model = 8}).accepted);
}

TEST(TopLevelScannerTest, AnErrorStays) {
  TopLevelScanner scanner(ScanLimits::request());
  EXPECT_FALSE(scanner.feed(as_bytes("{x")));
  EXPECT_FALSE(scanner.feed(as_bytes("{}")));
  EXPECT_FALSE(scanner.finish());
}

TEST(TopLevelScannerTest, ErrorsDoNotQuoteTheBody) {
  TopLevelScanner scanner(ScanLimits::request());
  const auto result = scanner.feed(as_bytes(R"({"canary":canary})"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().text(), "a value is missing (near byte 10 of the body)");
}

TEST(TopLevelScannerTest, ReadsTheTopLevelOnly) {
  const Answer answer = scan(
      R"( {"messages":[{"model":"x","stream":true},"model"],"a":{"model":1,"b":{"stream":3}},"model":"m","stream":false} )");
  EXPECT_TRUE(answer.accepted);
  EXPECT_EQ(answer.model, "m");
  EXPECT_EQ(answer.stream, false);
  EXPECT_FALSE(scan(R"({"a":"model","b":["stream"]})").model);
}

TEST(TopLevelScannerTest, OnlyTheExactNamesCount) {
  const Answer answer = scan(
      R"({"Model":"a","model ":"b","mode":"c","modell":"d","\u0000model":"e","model\ud800":"f","streams":1,"":2})");
  EXPECT_TRUE(answer.accepted);
  EXPECT_FALSE(answer.model);
  EXPECT_FALSE(answer.stream);
}

TEST(TopLevelScannerTest, UnescapesNamesAndModels) {
  EXPECT_EQ(scan(R"({"mod\u0065l":"a\/b\u00e9\u20ac\ud83d\ude00\n\"\\"})").model,
            "a/b\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n\"\\");
  EXPECT_EQ(scan(R"({"model":""})").model, "");
  EXPECT_EQ(scan(R"({"model":null,"stream":null})").model, std::nullopt);
  EXPECT_EQ(scan(R"({"model":null,"stream":null})").stream, std::nullopt);
}

TEST(TopLevelScannerTest, TextItDoesNotKeepMayHoldHalfCharacters) {
  // JavaScript clients send lone surrogates when they cut a text; engines take them.
  EXPECT_TRUE(scan(R"({"messages":["\ud83d","\ude00\ud83d\n"],"model":"m"})").accepted);
}

TEST(TopLevelScannerTest, TellsWhereTheModelLies) {
  const std::string body = R"({"a":1, "model" : "m\u0031" ,"b":2})";
  const Answer answer = scan(body);
  ASSERT_TRUE(answer.model);
  EXPECT_EQ(body.substr(answer.range.begin, answer.range.end - answer.range.begin), R"("m\u0031")");
}

TEST(TopLevelScannerTest, TellsTheModelBeforeTheBodyHasEnded) {
  TopLevelScanner scanner(ScanLimits::request());
  ASSERT_TRUE(scanner.feed(as_bytes(R"({"model":"m)")));
  EXPECT_FALSE(scanner.model());
  ASSERT_TRUE(scanner.feed(as_bytes(R"(1","messages":[)")));
  EXPECT_EQ(scanner.model(), "m1");
  EXPECT_FALSE(scanner.complete());
  ASSERT_TRUE(scanner.feed(as_bytes("]} ")));
  EXPECT_TRUE(scanner.complete());
  EXPECT_EQ(scanner.position(), 29U);
  EXPECT_TRUE(scanner.finish());
}

TEST(TopLevelScannerTest, EverySplitInTwoGivesTheSameAnswer) {
  for (
      const std::string_view body :
      {std::string_view(
           R"({"messages":[{"role":"user","content":"h\u00e9llo \"x\" \\ 12345678"}],"t":-1.5e+3,"n":null,"stre\u0061m":true,"mod\u0065l":"a\ud83d\ude00b"})"),
       std::string_view(R"({"model":"a","x":[{},[],[0,10,1e5],{"k":false}], "model":"b"})")}) {
    const Answer whole = scan(body);
    for (std::size_t at = 0; at <= body.size(); ++at) {
      EXPECT_EQ(scan_pieces({body.substr(0, at), body.substr(at)}), whole) << at;
    }
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at < body.size(); ++at) bytes.push_back(body.substr(at, 1));
    EXPECT_EQ(scan_pieces(bytes), whole);
  }
}

TEST(TopLevelScannerTest, CutAnywhereIsRefused) {
  const std::string body = R"({"model":"m","a":[1,{"b":"\u20ac"}],"stream":true})";
  ASSERT_TRUE(scan(body).accepted);
  for (std::size_t n = 0; n < body.size(); ++n) expect_refused(body.substr(0, n));
}

// A random body around the members we read, often a little broken.
class BodyMaker {
 public:
  explicit BodyMaker(std::mt19937& random) : random_(random) {}

  std::string body() {
    std::string out = space() + "{";
    const unsigned members = pick(6);
    for (unsigned i = 0; i < members; ++i) {
      if (i != 0) out += ',';
      out += space() + key() + space() + ":" + space() + value(0) + space();
    }
    out += "}" + space();
    if (pick(3) == 0 && !out.empty()) out[pick(static_cast<unsigned>(out.size()))] = "{}[],:\"\\ a0ue\n"[pick(14)];
    return out;
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(random_()) % n; }
  std::string space() { return std::string(pick(6) == 0 ? pick(3) : 0, " \n\t\r"[pick(4)]); }
  std::string key() {
    static constexpr std::string_view kKeys[] = {R"("model")", R"("stream")", R"("mod\u0065l")", R"("messages")",
                                                 R"("a")",     R"("")",       R"("model\n")"};
    return std::string(kKeys[pick(7)]);
  }
  std::string value(unsigned depth) {
    static constexpr std::string_view kScalars[] = {
        "true", "false",  "null",           "0",          "-1.5E+3",
        "123",  R"("m")", R"("\u00e9\"x")", R"("model")", R"("long enough to skip \\ by words")"};
    const unsigned what = pick(depth > 3 ? 10 : 14);
    if (what < 10) return std::string(kScalars[what]);
    std::string out(1, what < 12 ? '[' : '{');
    const unsigned count = pick(4);
    for (unsigned i = 0; i < count; ++i) {
      if (i != 0) out += ',';
      if (what >= 12) out += key() + ":";
      out += space() + value(depth + 1) + space();
    }
    return out + (what < 12 ? ']' : '}');
  }
  std::mt19937& random_;
};

// What a DOM parser makes of it, with the rules on top that a DOM cannot see.
Answer oracle(const std::string& body) {
  std::vector<std::string> top_keys;
  const json parsed = json::parse(
      body,
      [&](int level, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::key && level == 1) top_keys.push_back(value.get<std::string>());
        return true;
      },
      /*allow_exceptions=*/false);
  if (!parsed.is_object()) return {};
  if (std::ranges::count(top_keys, "model") > 1 || std::ranges::count(top_keys, "stream") > 1) return {};
  Answer answer{true, {}, {}, {}};
  if (const auto model = parsed.find("model"); model != parsed.end() && !model->is_null()) {
    if (!model->is_string()) return {};
    answer.model = model->get<std::string>();
  }
  if (const auto stream = parsed.find("stream"); stream != parsed.end() && !stream->is_null()) {
    if (!stream->is_boolean()) return {};
    answer.stream = stream->get<bool>();
  }
  return answer;
}

std::vector<std::string_view> random_pieces(std::string_view body, std::mt19937& random) {
  std::vector<std::string_view> pieces;
  while (!body.empty()) {
    const std::size_t size = std::min<std::size_t>(body.size(), random() % 9);
    pieces.push_back(body.substr(0, size));
    body.remove_prefix(size);
  }
  return pieces;
}

TEST(TopLevelScannerTest, AgreesWithADomParserOnRandomBodiesInRandomPieces) {
  std::mt19937 random(7);
  BodyMaker maker(random);
  int accepted = 0;
  for (int i = 0; i < 30000; ++i) {
    const std::string body = maker.body();
    const Answer whole = scan(body);
    EXPECT_EQ(scan_pieces(random_pieces(body, random)), whole) << body;
    Answer expected = oracle(body);
    expected.range = whole.range;
    ASSERT_EQ(whole, expected) << body;
    if (whole.model) {
      const auto [begin, end] = whole.range;
      EXPECT_EQ(json::parse(body.substr(begin, end - begin)).get<std::string>(), *whole.model) << body;
    }
    accepted += whole.accepted ? 1 : 0;
  }
  EXPECT_GT(accepted, 5000);
  EXPECT_LT(accepted, 25000);
}

}  // namespace
}  // namespace waxwing::dialect
