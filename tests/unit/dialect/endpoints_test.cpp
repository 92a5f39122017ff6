// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/endpoints.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace waxwing::dialect {
namespace {

Code code_of(std::string_view method, std::string_view target, EncodedSlash slash = EncodedSlash::refuse) {
  const auto match = find_endpoint(method, target, slash);
  EXPECT_FALSE(match) << target;
  return match ? Code::internal : match.error().code();
}

TEST(EndpointsTest, RefusesTargetsThatTwoReadersCouldTakeForDifferentPaths) {
  for (const std::string_view target : {"",
                                        "*",
                                        "v1/models",
                                        "http://127.0.0.1/v1/models",
                                        "//evil/v1/models",
                                        "/v1//models",
                                        "/v1/models/",
                                        "/v1/../v1/models",
                                        "/v1/./models",
                                        "/..",
                                        "/.",
                                        "/v1/models/..",
                                        "/v1/%2e%2e/models",
                                        "/v1/%2E/models",
                                        "/v1%2fmodels",
                                        "/v1%2Fmodels",
                                        "/v1%5cmodels",
                                        "/v1\\models",
                                        "/v1/models#x",
                                        "/v1/mod els",
                                        "/v1/models\r\nx: y",
                                        "/v1/models\x7f",
                                        "/v1/mod\xc3\xa9ls",
                                        "/v1/models/%",
                                        "/v1/models/%4",
                                        "/v1/models/%zz",
                                        "/v1/models/%00",
                                        "/v1/models/%0a",
                                        "/v1/models/%7f",
                                        "/v1/models/%252e",
                                        "/v1/models/a%2Fb",
                                        "/v1/models/%ff",
                                        "/v1/models?a=%zz",
                                        "/v1/models?a=b c"}) {
    EXPECT_EQ(code_of("GET", target), Code::bad_request) << target;
  }
  EXPECT_EQ(code_of("GET", std::string_view("/v1/models\0", 11)), Code::bad_request);
  EXPECT_EQ(code_of("GET", "/" + std::string(kMaxTarget, 'a')), Code::bad_request);
}

TEST(EndpointsTest, AnythingOutsideTheTableIsNotFound) {
  for (const std::string_view target :
       {"/", "/v1", "/chat/completions", "/v1/chat", "/v1/chat/completions/x", "/V1/models", "/v1/files",
        "/v1/messages/count_tokens/x", "/v1/c%68at/completions", "/v1/modelsx"}) {
    EXPECT_EQ(code_of("GET", target), Code::not_found) << target;
  }
}

TEST(EndpointsTest, TheWrongMethodNamesTheRightOne) {
  const auto match = find_endpoint("GET", "/v1/chat/completions");
  ASSERT_FALSE(match);
  EXPECT_EQ(match.error().code(), Code::not_found);
  EXPECT_EQ(match.error().text(), "/v1/chat/completions takes only POST");
  EXPECT_EQ(code_of("post", "/v1/chat/completions"), Code::not_found);
  EXPECT_EQ(code_of("", "/v1/chat/completions"), Code::not_found);
}

TEST(EndpointsTest, AnEncodedSlashStandsOnlyInAParameterAndOnlyWhereAllowed) {
  const auto match = find_endpoint("GET", "/v1/models/org%2fname", EncodedSlash::in_parameter);
  ASSERT_TRUE(match) << match.error().describe();
  EXPECT_EQ(match->parameter, "org/name");
  EXPECT_EQ(code_of("GET", "/v1%2Fmodels/a", EncodedSlash::in_parameter), Code::bad_request);
  EXPECT_EQ(code_of("POST", "/v1/models/a%2Fb", EncodedSlash::in_parameter), Code::not_found);
  EXPECT_EQ(code_of("GET", "/v1/models/a%2F..%2Fb", EncodedSlash::in_parameter), Code::bad_request);
  EXPECT_EQ(code_of("GET", "/v1/models/a%2F%2Fb", EncodedSlash::in_parameter), Code::bad_request);
  EXPECT_EQ(code_of("GET", "/v1/models/%2Fb", EncodedSlash::in_parameter), Code::bad_request);
}

TEST(EndpointsTest, EachRowIsFoundByItsOwnMethodAndPath) {
  std::set<Kind> kinds;
  for (const Endpoint& row : endpoints()) {
    const std::string target = std::string(row.path) + (row.path.ends_with('/') ? "some-model" : "");
    const auto match = find_endpoint(row.method, target);
    ASSERT_TRUE(match) << target;
    EXPECT_EQ(match->endpoint, &row);
    EXPECT_EQ(row.method == "GET", row.body == BodyKind::none);
    kinds.insert(row.kind);
  }
  EXPECT_EQ(kinds.size(), endpoints().size());
}

TEST(EndpointsTest, KeepsTheQueryAndDecodesTheParameter) {
  const auto beta = find_endpoint("POST", "/v1/messages?beta=true&x=a%20b/..");
  ASSERT_TRUE(beta);
  EXPECT_EQ(beta->endpoint->kind, Kind::messages);
  EXPECT_EQ(beta->target.path, "/v1/messages");
  EXPECT_EQ(beta->target.query, "beta=true&x=a%20b/..");
  const auto model = find_endpoint("GET", "/v1/models/org/na%20me:1");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->endpoint->kind, Kind::model);
  EXPECT_EQ(model->parameter, "org/na me:1");
}

TEST(EndpointsTest, AnswersInAnthropicsShapesWhereTheirClientAsks) {
  EXPECT_EQ(dialect_of("/v1/messages", AnthropicVersion::absent), Dialect::anthropic);
  EXPECT_EQ(dialect_of("/v1/messages/count_tokens", AnthropicVersion::absent), Dialect::anthropic);
  EXPECT_EQ(dialect_of("/v1/messagesx", AnthropicVersion::absent), Dialect::openai);
  EXPECT_EQ(dialect_of("/v1/models", AnthropicVersion::absent), Dialect::openai);
  EXPECT_EQ(dialect_of("/v1/models", AnthropicVersion::present), Dialect::anthropic);
}

}  // namespace
}  // namespace waxwing::dialect
