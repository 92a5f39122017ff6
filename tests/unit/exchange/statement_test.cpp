// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/statement.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "samples.hpp"

namespace waxwing::exchange {
namespace {

using test::full_statement;
using test::replaced;
using test::text_of;

Result<Statement> parse(std::string_view text) {
  return parse_statement(as_bytes(text));
}

Code code_of(std::string_view text) {
  const auto parsed = parse(text);
  return parsed ? Code::internal : parsed.error().code();
}

TEST(Statement, CanonicalBytesAreThoseOfTheDocument) {
  EXPECT_EQ(
      text_of(full_statement()),
      R"({"v":"waxwing/1","worker":"EREREREREREREREREREREQ","keys":"bm90IGxvb2tlZCBhdCBieSB0aGUgc3RhdGVtZW50J3MgcmVhZGVy",)"
      R"("ehbp_key":"2222222222222222222222222222222222222222222222222222222222222222",)"
      R"("tls_spki_sha256":"3333333333333333333333333333333333333333333333333333333333333333",)"
      R"("devices":[{"kind":"nvidia-gpu","sha256":"4444444444444444444444444444444444444444444444444444444444444444"}],)"
      R"("engine":{"reach":"loopback"},"config_sha256":"5555555555555555555555555555555555555555555555555555555555555555",)"
      R"("build":"waxwing-gateway 1.0 \"test\"","features":["pad-256","other"],)"
      R"("issued_at":"2026-11-24T12:00:00Z","expires_at":"2026-11-24T13:10:00Z","ext":[]})");
}

TEST(Statement, ParseAfterEncodeIsIdentity) {
  Statement bare = full_statement();
  bare.ehbp_key.reset();
  bare.tls_spki_sha256.reset();
  bare.devices.clear();
  bare.features.clear();
  for (const auto reach :
       {EngineReach::builtin, EngineReach::unix_socket, EngineReach::loopback, EngineReach::remote}) {
    bare.engine_reach = reach;
    for (const Statement& s : {full_statement(), bare}) {
      const auto parsed = parse(text_of(s));
      ASSERT_TRUE(parsed) << parsed.error().describe();
      EXPECT_EQ(*parsed, s);
      EXPECT_EQ(parsed->life(), std::chrono::minutes(70));
    }
  }
}

TEST(Statement, OrderAndWhiteSpaceOfMembersDoNotMatter) {
  std::string text = text_of(full_statement());
  text = replaced(text, R"("ext":[])", R"( "v" : "waxwing/1" )");
  text = replaced(text, R"("v":"waxwing/1")", R"("ext":[])");
  const auto parsed = parse(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, full_statement());
}

TEST(Statement, RefusesAMissingMember) {
  for (const char* member :
       {R"("v":"waxwing/1",)", R"("ehbp_key":"2222222222222222222222222222222222222222222222222222222222222222",)",
        R"("engine":{"reach":"loopback"},)", R"("features":["pad-256","other"],)", R"(,"ext":[])",
        R"("issued_at":"2026-11-24T12:00:00Z",)", R"("worker":"EREREREREREREREREREREQ",)"}) {
    EXPECT_EQ(code_of(replaced(text_of(full_statement()), member, "")), Code::malformed) << member;
  }
}

TEST(Statement, RefusesAnUnknownMemberUnlessExtNamesIt) {
  const std::string extended = replaced(text_of(full_statement()), R"("ext":[])", R"("ext":[],"later":{"a":1})");
  EXPECT_EQ(code_of(extended), Code::malformed);
  const auto named = parse(replaced(extended, R"("ext":[])", R"("ext":["later"])"));
  ASSERT_TRUE(named) << named.error().describe();
  EXPECT_EQ(named->ext, std::vector<std::string>{"later"});
}

TEST(Statement, ExtCannotExcuseAMemberOfThisVersion) {
  EXPECT_EQ(code_of(replaced(text_of(full_statement()), R"("ext":[])", R"("ext":["keys"])")), Code::malformed);
  EXPECT_EQ(code_of(replaced(text_of(full_statement()), R"("ext":[])", R"("ext":["a","a"])")), Code::malformed);
  EXPECT_EQ(code_of(replaced(text_of(full_statement()), R"("ext":[])", R"("ext":[7])")), Code::malformed);
}

TEST(Statement, RefusesUnknownMembersBelowTheTop) {
  EXPECT_EQ(code_of(replaced(text_of(full_statement()), R"("reach":"loopback")", R"("reach":"loopback","x":1)")),
            Code::malformed);
  EXPECT_EQ(code_of(replaced(text_of(full_statement()), R"("kind":)", R"("x":1,"kind":)")), Code::malformed);
}

TEST(Statement, AnotherVersionIsUnsupportedWhateverElseItHolds) {
  EXPECT_EQ(code_of(R"({"v":"waxwing/2","new":true})"), Code::unsupported);
}

TEST(Statement, RefusesASecondSpellingOfAValue) {
  const std::vector<std::pair<std::string, std::string>> spellings = {
      {"EREREREREREREREREREREQ", "EREREREREREREREREREREQ=="},  // base64url has no padding
      {"EREREREREREREREREREREQ", "EREREREREREREREREREREX"},    // unused bits are zero
      {"5555555555555555555555555555555555555555555555555555555555555555",
       "555555555555555555555555555555555555555555555555555555555555555A"},
      {"2026-11-24T12:00:00Z", "2026-11-24T12:00:00+00:00"},
      {"2026-11-24T12:00:00Z", "2026-11-24T12:00:00.0Z"},
      {"2026-11-24T12:00:00Z", "2026-11-24t12:00:00z"},
      {"\"loopback\"", "\"Loopback\""},
  };
  for (const auto& [from, to] : spellings) {
    EXPECT_EQ(code_of(replaced(text_of(full_statement()), from, to)), Code::malformed) << to;
  }
}

TEST(Statement, RefusesWrongTypesAndLengths) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {R"("features":["pad-256","other"])", R"("features":"pad-256")"},
      {R"("features":["pad-256","other"])", R"("features":["pad-256",null])"},
      {R"("features":["pad-256","other"])", R"("features":["pad-256","pad-256"])"},
      {R"("features":["pad-256","other"])", R"("features":["Pad"])"},
      {R"("engine":{"reach":"loopback"})", R"("engine":"loopback")"},
      {R"("engine":{"reach":"loopback"})", R"("engine":{"reach":"cloud"})"},
      {R"("build":"waxwing-gateway 1.0 \"test\"")", R"("build":"")"},
      {R"("build":"waxwing-gateway 1.0 \"test\"")", R"("build":"a\nb")"},
      {R"("ehbp_key":"22)", R"("ehbp_key":"2)"},
      {R"("ehbp_key":"22)", R"("ehbp_key":")"},
      {"EREREREREREREREREREREQ", "EREREREREREREREREREREREQ"},
      {R"("keys":"bm90IGxvb2tlZCBhdCBieSB0aGUgc3RhdGVtZW50J3MgcmVhZGVy")", R"("keys":"")"},
      {R"("keys":"bm90IGxvb2tlZCBhdCBieSB0aGUgc3RhdGVtZW50J3MgcmVhZGVy")", R"("keys":null)"},
      {"2026-11-24T13:10:00Z", "2026-11-24T12:00:00Z"},
      {"2026-11-24T13:10:00Z", "2026-11-24T11:59:59Z"},
  };
  for (const auto& [from, to] : wrong) {
    EXPECT_EQ(code_of(replaced(text_of(full_statement()), from, to)), Code::malformed) << to;
  }
}

TEST(Statement, RefusesWhatTwoReadersCouldReadDifferently) {
  const std::string text = text_of(full_statement());
  EXPECT_EQ(code_of(replaced(text, R"("ext":[])", R"("ext":[],"v":"waxwing/1")")), Code::malformed);
  EXPECT_EQ(code_of(text + "x"), Code::malformed);
  EXPECT_EQ(code_of("[]"), Code::malformed);
  EXPECT_EQ(code_of(""), Code::malformed);
}

TEST(Statement, RefusesMoreThan64KiB) {
  std::string text = text_of(full_statement());
  text.append(kMaxStatementSize - text.size(), ' ');
  EXPECT_TRUE(parse(text));
  EXPECT_EQ(code_of(text + ' '), Code::too_large);
}

TEST(Statement, EveryTruncationIsRefused) {
  const std::string text = text_of(full_statement());
  for (std::size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(parse(text.substr(0, n))) << n;
}

TEST(Statement, EveryFlippedBitIsRefusedOrSaysSomethingElse) {
  const std::string text = text_of(full_statement());
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto parsed = parse(flipped);
    if (parsed) {
      EXPECT_NE(*parsed, full_statement()) << bit;
    }
  }
}

TEST(Statement, EncoderRefusesWhatItsReaderWould) {
  const auto refuses = [](auto&& change) {
    Statement s = full_statement();
    change(s);
    const auto encoded = encode_statement(s);
    return !encoded && encoded.error().code() == Code::internal;
  };
  EXPECT_TRUE(refuses([](Statement& s) { s.keys.clear(); }));
  EXPECT_TRUE(refuses([](Statement& s) { s.build = "\x7f"; }));
  EXPECT_TRUE(refuses([](Statement& s) { s.features = {"a b"}; }));
  EXPECT_TRUE(refuses([](Statement& s) { s.devices[0].kind = ""; }));
  EXPECT_TRUE(refuses([](Statement& s) { s.expires_at = s.issued_at; }));
  EXPECT_TRUE(refuses([](Statement& s) { s.issued_at += std::chrono::milliseconds(1); }));
  EXPECT_TRUE(refuses([](Statement& s) { s.ext = {"later"}; }));
  EXPECT_TRUE(refuses([](Statement& s) { s.keys.resize(kMaxStatementSize); }));
}

TEST(RequestPath, NamesTheWorkerAndNothingElse) {
  const WorkerId worker = test::filled<16>(0x11);
  const std::string path = request_path(worker);
  EXPECT_EQ(path, "/.well-known/waxwing/request/EREREREREREREREREREREQ");
  EXPECT_EQ(parse_request_path(path).value(), worker);
  for (const std::string& bad : {path + "/", path + "?x", path.substr(0, path.size() - 1), std::string("/"),
                                 std::string(kRequestPathPrefix), replaced(path, "request", "requests")}) {
    const auto parsed = parse_request_path(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code(), Code::not_found);
  }
}

}  // namespace
}  // namespace waxwing::exchange
