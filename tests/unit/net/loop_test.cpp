// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "net_test.hpp"

namespace waxwing::net {
namespace {

Task<> wait_for(Event& event, Deadline deadline) {
  co_return to_result(co_await event.wait(deadline), "testing");
}

Task<> wait_and_note(Event& event, Deadline deadline, std::vector<Code>& codes) {
  const auto result = to_result(co_await event.wait(deadline), "testing");
  if (!result) codes.push_back(result.error().code());
  co_return result;
}

class LoopTest : public NetTest {};

TEST_F(LoopTest, SignalBeforeWaitIsNotLost) {
  Event event(loop);
  event.signal();
  expect_ok(wait_for(event, Deadline::none()));
  EXPECT_FALSE(event.is_set());
}

TEST_F(LoopTest, SignalWakesWaiter) {
  Event event(loop);
  loop.post([&] { event.signal(); });
  expect_ok(wait_for(event, Deadline::none()));
}

TEST_F(LoopTest, DeadlineEndsWaitOnlyOnceItHasPassed) {
  Event event(loop);
  TaskGroup group(loop);
  std::vector<Code> codes;
  group.spawn(wait_and_note(event, loop.deadline_in(10s), codes));
  loop.poll();
  pass(9999ms);
  loop.poll();
  EXPECT_TRUE(codes.empty());
  pass(1ms);
  loop.poll();
  EXPECT_EQ(codes, std::vector{Code::deadline});
  EXPECT_EQ(loop.waiting(), 0U);
}

TEST_F(LoopTest, RelativeDeadlineCountsFromTheWait) {
  Event event(loop);
  const Deadline idle = Deadline::within(10s);
  clock.advance(1h);
  TaskGroup group(loop);
  std::vector<Code> codes;
  group.spawn(wait_and_note(event, idle, codes));
  loop.poll();
  pass(5s);
  loop.poll();
  EXPECT_TRUE(codes.empty());
  pass(5s);
  loop.poll();
  EXPECT_EQ(codes, std::vector{Code::deadline});
}

TEST_F(LoopTest, PassedDeadlineEndsWaitWithoutASweep) {
  Event event(loop);
  const auto result = run(wait_for(event, Deadline::at(loop.now())));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::deadline);
}

TEST_F(LoopTest, TimerSweepsByItself) {
  const SystemClock real;
  Loop timed(real, {.sweep_period = 1ms, .sweep = Loop::SweepMode::timer});
  Event event(timed);
  TaskGroup group(timed);
  std::vector<Code> codes;
  group.spawn(wait_and_note(event, timed.deadline_in(1ms), codes));
  timed.run();
  EXPECT_EQ(codes, std::vector{Code::deadline});
}

TEST_F(LoopTest, StopCancelsWaitsNowAndLater) {
  Event event(loop);
  TaskGroup group(loop);
  std::vector<Code> codes;
  group.spawn(wait_and_note(event, Deadline::none(), codes));
  loop.poll();
  loop.stop();
  loop.run();
  Event later(loop);
  group.spawn(wait_and_note(later, Deadline::none(), codes));
  loop.run();
  EXPECT_EQ(codes, (std::vector{Code::cancelled, Code::cancelled}));
}

Task<> cancelled_twice(Event& event, std::vector<Code>& codes) {
  for (int i = 0; i < 2; ++i) {
    const auto result = to_result(co_await event.wait(Deadline::none()), "testing");
    if (!result) codes.push_back(result.error().code());
  }
  co_return Result<void>{};
}

TEST_F(LoopTest, CancellationStaysWithTheTask) {
  Event event(loop);
  TaskGroup group(loop);
  std::vector<Code> codes;
  group.spawn(cancelled_twice(event, codes));
  loop.poll();
  group.cancel_all();
  loop.run();
  EXPECT_EQ(codes, (std::vector{Code::cancelled, Code::cancelled}));
}

TEST_F(LoopTest, CancellationReachesOnlyTheGroup) {
  Event mine(loop);
  Event other(loop);
  TaskGroup group(loop);
  TaskGroup bystanders(loop);
  std::vector<Code> codes;
  std::vector<Code> bystander_codes;
  group.spawn(wait_and_note(mine, Deadline::none(), codes));
  bystanders.spawn(wait_and_note(other, Deadline::none(), bystander_codes));
  loop.poll();
  group.cancel_all();
  loop.poll();
  EXPECT_EQ(codes.size(), 1U);
  EXPECT_EQ(bystanders.running(), 1U);
  other.signal();
  loop.run();
  EXPECT_TRUE(bystander_codes.empty());
}

Task<> failing() {
  co_return fail(Code::malformed, "as planned");
}
Task<> throwing(int value) {
  if (value != 0) throw std::runtime_error("as planned");
  co_return Result<void>{};
}

Task<> join_children(Loop& loop, Event& never, std::vector<Code>& codes, TaskGroup::OnFailure on_failure) {
  TaskGroup children(loop, on_failure);
  children.spawn(wait_and_note(never, Deadline::none(), codes));
  children.spawn(failing());
  co_return co_await children.join(Deadline::none());
}

TEST_F(LoopTest, FailureOfOneChildEndsItsSiblings) {
  Event never(loop);
  std::vector<Code> codes;
  const auto result = run(join_children(loop, never, codes, TaskGroup::OnFailure::cancel_others));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::malformed);
  EXPECT_EQ(codes, std::vector{Code::cancelled});
}

TEST_F(LoopTest, CancelledParentStillJoinsItsChildren) {
  Event never(loop);
  std::vector<Code> codes;
  TaskGroup group(loop);
  group.spawn(join_children(loop, never, codes, TaskGroup::OnFailure::keep_others));
  loop.poll();
  EXPECT_EQ(group.running(), 1U);
  group.cancel_all();
  loop.run();
  EXPECT_EQ(group.running(), 0U);
  EXPECT_EQ(codes, std::vector{Code::cancelled});
}

Task<> join_until(Loop& loop, Event& never, std::vector<Code>& codes, Deadline deadline) {
  TaskGroup children(loop);
  children.spawn(wait_and_note(never, Deadline::none(), codes));
  co_return co_await children.join(deadline);
}

TEST_F(LoopTest, JoinDeadlineCancelsChildren) {
  Event never(loop);
  std::vector<Code> codes;
  const auto result = run(join_until(loop, never, codes, Deadline::at(loop.now())));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::deadline);
  EXPECT_EQ(codes, std::vector{Code::cancelled});
}

Task<> join_throwing(Loop& loop) {
  TaskGroup children(loop);
  children.spawn(throwing(1));
  co_return co_await children.join(Deadline::none());
}

TEST_F(LoopTest, ExceptionInAChildIsAnInternalError) {
  const auto result = run(join_throwing(loop));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Code::internal);
}

Task<> join_many(Loop& loop, int n) {
  TaskGroup children(loop);
  for (int i = 0; i < n; ++i) children.spawn(turn(loop));
  co_return co_await children.join(Deadline::none());
}

TEST_F(LoopTest, JoinsManyChildren) {
  expect_ok(join_many(loop, 1000));
}

TEST(LoopDeathTest, GroupWithLiveChildrenMayNotBeDestroyed) {
  EXPECT_DEATH(
      {
        const SystemClock clock;
        Loop loop(clock);
        Event never(loop);
        TaskGroup group(loop);
        group.spawn(wait_for(never, Deadline::none()));
        loop.poll();
      },
      "");
}

}  // namespace
}  // namespace waxwing::net
