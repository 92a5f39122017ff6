// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/error.hpp"

#include <gtest/gtest.h>

#include <set>

#include "waxwing/base/outcome.hpp"

namespace waxwing {
namespace {

std::vector<Code> all_codes() {
  std::vector<Code> codes;
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) codes.push_back(static_cast<Code>(i));
  return codes;
}

Result<int> inner() {
  return fail(Code::truncated, "ends early");
}
Result<int> outer() {
  auto value = inner();
  if (!value) return std::unexpected(std::move(value).error().with("statement").with("attesting"));
  return *value;
}
Result<int> doubled(Result<int> in) {
  WAXWING_ASSIGN(const int value, std::move(in));
  return value * 2;
}
Result<void> tried(Result<void> in) {
  WAXWING_TRY(std::move(in));
  return {};
}

TEST(ErrorTest, FramesAreToldFromTheOutside) {
  EXPECT_EQ(outer().error().describe(), "attesting: statement: ends early");
  EXPECT_EQ(outer().error().code(), Code::truncated);
}

TEST(ErrorTest, TryAndAssignPassErrorsOn) {
  EXPECT_EQ(doubled(fail(Code::io, "x")).error().code(), Code::io);
  EXPECT_EQ(doubled(21).value(), 42);
  EXPECT_EQ(tried(fail(Code::io, "x")).error().code(), Code::io);
  EXPECT_TRUE(tried({}));
}

TEST(ErrorTest, EachCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (const Code code : all_codes()) names.insert(to_string(code));
  EXPECT_EQ(names.size(), all_codes().size());
}

TEST(OutcomeTest, EachRowIsUsableByEveryReader) {
  for (const Code code : all_codes()) {
    const Outcome& outcome = outcome_of(code);
    EXPECT_GE(outcome.http_status, 400) << to_string(code);
    EXPECT_LT(outcome.http_status, 600) << to_string(code);
    EXPECT_FALSE(outcome.type.empty()) << to_string(code);
    EXPECT_NE(outcome.exit_code, 0) << to_string(code);
    // A client that only looks at retry-after must not be told to come back when another attempt is no use.
    if (outcome.retry == SdkRetry::no) EXPECT_EQ(outcome.retry_after_seconds, -1) << to_string(code);
    if (outcome.retry == SdkRetry::yes) EXPECT_GE(outcome.retry_after_seconds, 0) << to_string(code);
  }
}

TEST(OutcomeTest, RefusedTrustIsNeverAStatusThatClientsRetry) {
  for (const Code code : {Code::policy_refused, Code::evidence_rejected, Code::evidence_unsupported, Code::stale}) {
    EXPECT_EQ(outcome_of(code).http_status, 403);
    EXPECT_EQ(outcome_of(code).retry, SdkRetry::no);
  }
}

TEST(OutcomeTest, TheArchitecturesTable) {
  const struct {
    Code code;
    int status;
    SdkRetry retry;
    int exit_code;
  } rows[] = {
      {Code::policy_refused, 403, SdkRetry::no, 10},
      {Code::evidence_rejected, 403, SdkRetry::no, 10},
      {Code::evidence_unsupported, 403, SdkRetry::no, 20},
      {Code::evidence_malformed, 502, SdkRetry::no, 30},
      {Code::worker_unreachable, 503, SdkRetry::yes, 69},
      {Code::collateral_unavailable, 503, SdkRetry::yes, 69},
      {Code::worker_changed, 503, SdkRetry::yes, 75},
      {Code::answer_cut, 502, SdkRetry::no, 70},
      {Code::answer_forged, 502, SdkRetry::no, 70},
      {Code::deadline, 504, SdkRetry::no, 75},
      {Code::bad_request, 400, SdkRetry::no, 64},
      {Code::unauthorized, 401, SdkRetry::no, 77},
      {Code::forbidden, 403, SdkRetry::no, 77},
      {Code::not_found, 404, SdkRetry::no, 66},
      {Code::conflict, 409, SdkRetry::no, 65},
      {Code::too_large, 413, SdkRetry::no, 65},
      {Code::rate_limited, 429, SdkRetry::yes, 75},
      {Code::internal, 500, SdkRetry::no, 70},
      {Code::config_invalid, 500, SdkRetry::no, 78},
  };
  for (const auto& row : rows) {
    const Outcome& outcome = outcome_of(row.code);
    EXPECT_EQ(outcome.http_status, row.status) << to_string(row.code);
    EXPECT_EQ(outcome.retry, row.retry) << to_string(row.code);
    EXPECT_EQ(outcome.exit_code, row.exit_code) << to_string(row.code);
  }
  EXPECT_EQ(outcome_of(Code::worker_changed).retry_after_seconds, 0);
}

}  // namespace
}  // namespace waxwing
