// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/replay_guard.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "samples.hpp"

namespace waxwing::exchange {
namespace {

using namespace std::chrono_literals;
using test::noon;

crypto::Sha256Digest digest(int i) {
  return crypto::sha256(as_bytes(std::to_string(i)));
}

class ReplayGuardTest : public ::testing::Test {
 protected:
  Admission admit(int i, std::chrono::seconds offset = 0s, std::string_view source = "a") {
    return guard_.admit(digest(i), noon_ + offset, source, clock_.now());
  }
  /// Time passes on both clocks, and the requests' dates with it.
  void pass(std::chrono::nanoseconds time) {
    clock_.advance(time);
    noon_ += std::chrono::duration_cast<WallTime::duration>(time);
  }

  FakeClock clock_{noon()};
  WallTime noon_ = noon();
  test::CountingRandom random_;
  ReplayOptions options_{.entries = 100, .entries_per_source = 60};
  ReplayGuard guard_{options_, random_, clock_.now()};
};

TEST_F(ReplayGuardTest, ARequestRunsOnce) {
  EXPECT_EQ(admit(1), Admission::fresh);
  EXPECT_EQ(admit(1), Admission::replayed);
  EXPECT_EQ(admit(2), Admission::fresh);
  EXPECT_EQ(admit(1, 0s, "b"), Admission::replayed) << "whoever brings it";
}

TEST_F(ReplayGuardTest, WindowIsSixtySecondsEitherWay) {
  EXPECT_EQ(admit(1, 60s), Admission::fresh);
  EXPECT_EQ(admit(2, -60s), Admission::fresh);
  EXPECT_EQ(admit(3, 61s), Admission::stale);
  EXPECT_EQ(admit(4, -61s), Admission::stale);
}

TEST_F(ReplayGuardTest, DatesFarAwayAreStaleNotOverflow) {
  EXPECT_EQ(guard_.admit(digest(1), from_rfc3339("1700-01-01T00:00:00Z").value(), "a", clock_.now()), Admission::stale);
  EXPECT_EQ(guard_.admit(digest(2), from_rfc3339("2260-01-01T00:00:00Z").value(), "a", clock_.now()), Admission::stale);
}

TEST_F(ReplayGuardTest, IsRememberedForFourWindows) {
  ASSERT_EQ(admit(1), Admission::fresh);
  clock_.advance(4 * 60s - 1ns);
  EXPECT_EQ(admit(1), Admission::replayed);
}

// The host owns the wall clock: it lets the memory run out, then sets the clock back to the time of the old request.
TEST_F(ReplayGuardTest, ClockSetBackByAnHourAfterFourWindowsDoesNotBringAReplayBack) {
  ASSERT_EQ(admit(1), Admission::fresh);
  clock_.advance(10 * 60s);
  clock_.set_wall(noon() - 1h);
  EXPECT_NE(admit(1), Admission::fresh);
  clock_.set_wall(noon());
  EXPECT_NE(admit(1), Admission::fresh);
  EXPECT_EQ(guard_.time(clock_.now()), noon() + 10min);
}

// A request refused as too early must not run when its time comes: its sender has sent a corrected one meanwhile.
TEST_F(ReplayGuardTest, RequestFromTheFutureIsRememberedUntilItsDateHasPassed) {
  EXPECT_EQ(admit(1, 30min), Admission::stale);
  for (int minute = 0; minute < 40; ++minute) {
    clock_.advance(1min);
    EXPECT_NE(admit(1, 30min), Admission::fresh) << minute;
  }
}

TEST_F(ReplayGuardTest, NoReplayEverRunsWhateverTheHostDoesToTheClock) {
  std::uint64_t state = 12345;
  const auto draw = [&](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33U) % below;
  };
  int runs = 0;
  for (int step = 0; step < 2000; ++step) {
    clock_.advance(std::chrono::seconds(draw(90)));
    if (draw(4) == 0) clock_.set_wall(noon() + std::chrono::seconds(static_cast<std::int64_t>(draw(7200)) - 3600));
    if (admit(7, 10s) == Admission::fresh) ++runs;
  }
  EXPECT_LE(runs, 1);
}

TEST_F(ReplayGuardTest, FullRefusesAndForgetsNothing) {
  for (int i = 0; i < 50; ++i) ASSERT_EQ(admit(i, 0s, "a"), Admission::fresh);
  for (int i = 50; i < 100; ++i) ASSERT_EQ(admit(i, 0s, "b"), Admission::fresh);
  EXPECT_EQ(admit(100, 0s, "c"), Admission::full);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(admit(i, 0s, "c"), Admission::replayed);
  EXPECT_EQ(guard_.size(), 100U);
}

TEST_F(ReplayGuardTest, OneSourceFillsItsShareOnly) {
  for (int i = 0; i < 60; ++i) ASSERT_EQ(admit(i, 0s, "greedy"), Admission::fresh);
  EXPECT_EQ(admit(60, 0s, "greedy"), Admission::full);
  EXPECT_EQ(admit(60, 0s, "other"), Admission::fresh);
}

TEST_F(ReplayGuardTest, RoomComesBackWithTime) {
  for (int i = 0; i < 60; ++i) ASSERT_EQ(admit(i), Admission::fresh);
  ASSERT_EQ(admit(60), Admission::full);
  pass(5 * 60s);
  EXPECT_EQ(admit(61), Admission::fresh);
  EXPECT_EQ(guard_.size(), 1U);
}

TEST_F(ReplayGuardTest, GatewayTimeFollowsAWallClockAheadAndNeverRunsBack) {
  GatewayTime time(clock_.now());
  clock_.advance(10s);
  EXPECT_EQ(time.at(clock_.now()), noon() + 10s);
  clock_.set_wall(noon() + 1h);
  EXPECT_EQ(time.at(clock_.now()), noon() + 1h);
  clock_.set_wall(noon());
  clock_.advance(5s);
  EXPECT_EQ(time.at(clock_.now()), noon() + 1h + 5s);
  Now earlier = clock_.now();
  earlier.boot -= 3s;
  EXPECT_EQ(time.at(earlier), noon() + 1h + 5s);
}

TEST_F(ReplayGuardTest, ManyDigestsAreToldApart) {
  ReplayGuard guard({.entries = 20000, .entries_per_source = 20000}, random_, clock_.now());
  for (int i = 0; i < 10000; ++i) {
    ASSERT_EQ(guard.admit(digest(i), noon(), "a", clock_.now()), Admission::fresh) << i;
  }
  for (int i = 0; i < 10000; ++i) {
    ASSERT_EQ(guard.admit(digest(i), noon(), "a", clock_.now()), Admission::replayed) << i;
  }
}

TEST_F(ReplayGuardTest, RequestIdRunsOnce) {
  RequestIdGuard ids(options_, random_);
  const RequestId id = test::filled<16>(5);
  EXPECT_EQ(ids.claim(id, "a", clock_.now()), Admission::fresh);
  EXPECT_EQ(ids.claim(id, "b", clock_.now()), Admission::replayed);
  clock_.advance(4 * 60s - 1ns);
  EXPECT_EQ(ids.claim(id, "a", clock_.now()), Admission::replayed);
  EXPECT_EQ(ids.claim(test::filled<16>(6), "a", clock_.now()), Admission::fresh);
}

TEST_F(ReplayGuardTest, RequestIdsAreBoundedToo) {
  RequestIdGuard ids({.entries = 2, .entries_per_source = 1}, random_);
  EXPECT_EQ(ids.claim(test::filled<16>(1), "a", clock_.now()), Admission::fresh);
  EXPECT_EQ(ids.claim(test::filled<16>(2), "a", clock_.now()), Admission::full);
  EXPECT_EQ(ids.claim(test::filled<16>(2), "b", clock_.now()), Admission::fresh);
  EXPECT_EQ(ids.claim(test::filled<16>(3), "c", clock_.now()), Admission::full);
}

TEST(RequestId, HasOneSpelling) {
  const RequestId id = test::filled<16>(0xfe);
  EXPECT_EQ(parse_request_id(encode_request_id(id)).value(), id);
  for (const char* bad : {"", "_v7-", "/v7+/v7+/v7+/v7+/v7+/g==", "_v7-_v7-_v7-_v7-_v7-_v"}) {
    const auto parsed = parse_request_id(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code(), Code::bad_request);
  }
}

}  // namespace
}  // namespace waxwing::exchange
