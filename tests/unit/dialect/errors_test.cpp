// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/errors.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "waxwing/base/outcome.hpp"

namespace waxwing::dialect {
namespace {

using nlohmann::json;

const ErrorContext kContext{.request_id = "req_1", .retry_after = std::nullopt};

std::vector<Code> all_codes() {
  std::vector<Code> codes;
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) codes.push_back(static_cast<Code>(i));
  return codes;
}

std::string field(const std::vector<Field>& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? "(absent)" : found->value;
}

TEST(ErrorShapesTest, TextOfAnErrorCannotBreakOutOfTheBody) {
  const Error hostile(Code::bad_request, "a\"},\n\ndata: [DONE]\r\n\x01\xff");
  for (const Dialect dialect : {Dialect::openai, Dialect::anthropic}) {
    const json body = json::parse(error_body(dialect, hostile, kContext));
    EXPECT_NE(body["error"]["message"].get<std::string>().find("data: [DONE]"), std::string::npos);
    const std::string event = error_event(dialect, hostile, kContext);
    EXPECT_EQ(event.find("\n\n"), event.size() - 2);
    EXPECT_EQ(event.find('\r'), std::string::npos);
  }
}

TEST(ErrorShapesTest, OpenAiBodyHasTheFourMembersTheClientReads) {
  const Error error = Error(Code::policy_refused, "measurement not listed").with("attesting home");
  const json body = json::parse(error_body(Dialect::openai, error, kContext));
  ASSERT_EQ(body.size(), 1U);
  EXPECT_EQ(body["error"].size(), 4U);
  EXPECT_EQ(body["error"]["code"], "policy_refused");
  EXPECT_EQ(body["error"]["type"], "permission_error");
  EXPECT_TRUE(body["error"]["param"].is_null());
  EXPECT_TRUE(body["error"]["message"].get<std::string>().starts_with("attesting home: measurement not listed. "));
}

TEST(ErrorShapesTest, AnthropicBodyHasTypeErrorAndRequestId) {
  const json body = json::parse(error_body(Dialect::anthropic, Error(Code::rate_limited, "slow down"), kContext));
  EXPECT_EQ(body["type"], "error");
  EXPECT_EQ(body["error"]["type"], "rate_limit_error");
  EXPECT_EQ(body["error"]["code"], "rate_limited");
  EXPECT_EQ(body["request_id"], "req_1");
  EXPECT_TRUE(json::parse(error_body(Dialect::anthropic, Error(Code::io, "x"), {}))["request_id"].is_null());
}

TEST(ErrorShapesTest, EventsHaveTheFormEachClientRaisesOn) {
  const Error error(Code::answer_cut, "the answer ended early");
  EXPECT_TRUE(error_event(Dialect::openai, error, kContext).starts_with("data: {\"error\":{"));
  EXPECT_TRUE(error_event(Dialect::anthropic, error, kContext).starts_with("event: error\ndata: {\"type\":\"error\","));
  EXPECT_EQ(keep_alive_event(Dialect::openai), ":\n\n");
  EXPECT_TRUE(keep_alive_event(Dialect::anthropic).starts_with("event: ping\n"));
}

TEST(ErrorShapesTest, FieldsFollowTheOutcomeTable) {
  const auto refused = error_fields(Error(Code::policy_refused, "x"), kContext);
  EXPECT_EQ(field(refused, "x-should-retry"), "false");
  EXPECT_EQ(field(refused, "retry-after"), "(absent)");
  EXPECT_EQ(field(refused, "content-type"), "application/json");
  EXPECT_EQ(field(refused, "x-request-id"), "req_1");
  EXPECT_EQ(field(refused, "request-id"), "req_1");
  const auto changed = error_fields(Error(Code::worker_changed, "x"), {});
  EXPECT_EQ(field(changed, "x-should-retry"), "true");
  EXPECT_EQ(field(changed, "retry-after"), "0");
  EXPECT_EQ(field(changed, "x-request-id"), "(absent)");
  const ErrorContext wait{.request_id = "", .retry_after = std::chrono::seconds(17)};
  EXPECT_EQ(field(error_fields(Error(Code::rate_limited, "x"), wait), "retry-after"), "17");
}

TEST(ErrorShapesTest, EveryCodeMakesAWholeAnswerInBothDialects) {
  for (const Code code : all_codes()) {
    for (const Dialect dialect : {Dialect::openai, Dialect::anthropic}) {
      const ErrorAnswer answer = error_answer(dialect, Error(code, "text"), kContext);
      EXPECT_EQ(answer.status, outcome_of(code).http_status);
      const json body = json::parse(answer.body);
      EXPECT_EQ(body["error"]["code"], to_string(code));
      EXPECT_FALSE(body["error"]["type"].get<std::string>().empty());
    }
    EXPECT_TRUE(remedy(code).empty() || remedy(code).ends_with('.')) << to_string(code);
  }
}

}  // namespace
}  // namespace waxwing::dialect
