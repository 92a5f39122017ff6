// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/clock.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace waxwing {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339Test, RefusesWhatIsNoInstant) {
  for (const char* text : {"",
                           "2026",
                           "2026-11-24",
                           "2026-11-24T15:00:00",
                           "2026-11-24 15:00:00Z",
                           "2026-11-24t15:00:00Z",
                           "2026-11-24T15:00:00z",
                           "2026-11-24T15:00:00.Z",
                           "2026-13-24T15:00:00Z",
                           "2026-02-29T15:00:00Z",
                           "2026-11-31T15:00:00Z",
                           "2026-11-24T24:00:00Z",
                           "2026-11-24T15:60:00Z",
                           "2026-12-31T23:59:60Z",
                           "2026-11-24T15:00:00+24:00",
                           "2026-11-24T15:00:00+01:60",
                           "2026-11-24T15:00:00+0100",
                           "2026-11-24T15:00:00ZZ",
                           "-026-11-24T15:00:00Z",
                           "1677-01-01T00:00:00Z",
                           "2262-01-01T00:00:00Z",
                           "9999-12-31T23:59:59Z"}) {
    const auto time = from_rfc3339(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().code(), Code::malformed);
  }
}

TEST(Rfc3339Test, ReadsOffsetsAndFractions) {
  const WallTime expected = from_unix(1795532400);
  EXPECT_EQ(to_rfc3339(expected), "2026-11-24T15:00:00Z");
  EXPECT_EQ(from_rfc3339("2026-11-24T15:00:00Z").value(), expected);
  EXPECT_EQ(from_rfc3339("2026-11-24T16:30:00+01:30").value(), expected);
  EXPECT_EQ(from_rfc3339("2026-11-24T07:00:00-08:00").value(), expected);
  EXPECT_EQ(from_rfc3339("2026-11-24T15:00:00.25Z").value(), expected + 250ms);
  EXPECT_EQ(from_rfc3339("2026-11-24T15:00:00.0000000019999Z").value(), expected + 1ns);
}

TEST(Rfc3339Test, WritesDatesBefore1970) {
  EXPECT_EQ(to_rfc3339(from_unix(-1)), "1969-12-31T23:59:59Z");
}

TEST(Rfc3339Test, WritesTheEndsOfTheRange) {
  EXPECT_EQ(to_rfc3339(WallTime::min()), "1677-09-21T00:12:43Z");
  EXPECT_EQ(to_rfc3339(from_unix(std::numeric_limits<std::int64_t>::min())), "1677-09-21T00:12:44Z");
  EXPECT_EQ(to_rfc3339(WallTime::max()), "2262-04-11T23:47:16Z");
  EXPECT_EQ(to_rfc3339(from_unix(0) - WallTime::duration(1)), "1969-12-31T23:59:59Z");
}

TEST(HttpDateTest, RefusesOtherForms) {
  for (const char* text :
       {"", "Tuesday, 24-Nov-26 15:00:00 GMT", "Tue Nov 24 15:00:00 2026", "Tue, 24 Nov 2026 15:00:00",
        "Tue, 24 Nov 2026 15:00:00 UTC", "Tue, 31 Nov 2026 15:00:00 GMT", "tue, 24 Nov 2026 15:00:00 GMT",
        "Mon, 24 Nov 2026 15:00:00 GMT", "Tue, 4 Nov 2026 15:00:00 GMT", "Tue, 24 Nov 2026 15:00:00 GMT "}) {
    EXPECT_FALSE(from_http_date(text)) << text;
  }
}

TEST(HttpDateTest, ComesBack) {
  const WallTime time = from_unix(1795532400);
  EXPECT_EQ(to_http_date(time), "Tue, 24 Nov 2026 15:00:00 GMT");
  EXPECT_EQ(from_http_date(to_http_date(time)).value(), time);
}

TEST(ClockTest, UnixSecondsOfAPeerSaturate) {
  EXPECT_EQ(to_unix(from_unix(1795532400)), 1795532400);
  EXPECT_GT(from_unix(std::numeric_limits<std::int64_t>::max()), from_unix(9'000'000'000));
  EXPECT_LT(from_unix(std::numeric_limits<std::int64_t>::min()), from_unix(-9'000'000'000));
}

TEST(ClockTest, AFakeClockMovesOnlyWhenTold) {
  FakeClock clock(from_unix(1000));
  const Now before = clock.now();
  EXPECT_EQ(clock.now().boot, before.boot);
  clock.advance(90s);
  EXPECT_EQ(to_unix(clock.now().wall), 1090);
  EXPECT_EQ(clock.now().boot - before.boot, 90s);
  clock.set_wall(from_unix(5));
  EXPECT_EQ(to_unix(clock.now().wall), 5);
  EXPECT_EQ(clock.now().boot - before.boot, 90s);
}

TEST(ClockTest, TheSystemsBootTimeDoesNotRunBack) {
  const SystemClock clock;
  const Now first = clock.now();
  EXPECT_LE(first.boot, clock.now().boot);
  EXPECT_GT(first.boot, BootTime{});
}

}  // namespace
}  // namespace waxwing
