// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/net/deadline.hpp"

namespace waxwing::net {

using Executor = boost::asio::io_context::executor_type;
template <class T>
using awaitable = boost::asio::awaitable<T, Executor>;
/// What every asynchronous operation of ours is: a coroutine that yields a Result.
template <class T = void>
using Task = awaitable<Result<T>>;

class BufferPool;
class Event;
class TaskGroup;

/// One thread's event loop: an io_context, the list of everything that waits, and one timer that sweeps it for passed
/// deadlines (no timer exists per operation). Whatever is made on a loop stays on its thread; post() and stop() are the
/// only members other threads may call.
///
///     SystemClock clock;
///     Loop loop(clock);
///     TaskGroup tasks(loop);
///     tasks.spawn(serve(loop));          // Task<> serve(Loop& loop) { ... }
///     loop.run();                        // returns when nothing is left to do, or after stop()
///
/// stop() cancels: every wait, now and later, fails with Code::cancelled, so that all coroutines unwind; run() returns
/// when they have. Tests pass a FakeClock and SweepMode::manual, move the clock and call sweep().
class Loop {
 public:
  enum class SweepMode : std::uint8_t { timer, manual };
  struct Options {
    std::chrono::milliseconds sweep_period{250};  ///< how late a deadline may be noticed
    SweepMode sweep = SweepMode::timer;
  };

  explicit Loop(const Clock& clock) : Loop(clock, Options{}) {}
  Loop(const Clock& clock, Options options);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  /// As stop() followed by run().
  ~Loop();

  /// Runs until no task (TaskGroup::spawn) is left, for example because stop() has unwound them.
  void run();
  /// Runs what is ready and returns without waiting; for tests. Returns the number of handlers run.
  std::size_t poll();
  /// Any thread (not a signal handler).
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }
  /// Runs a function on the loop's thread. Any thread.
  void post(std::function<void()> function);

  [[nodiscard]] BootTime now() const { return clock_.now().boot; }
  [[nodiscard]] Deadline deadline_in(std::chrono::nanoseconds period) const {
    return Deadline::at(period.count() == 0 ? now() : Deadline::within(period).instant(now()));
  }
  /// The same deadline as one instant, for an operation of several waits.
  [[nodiscard]] Deadline fixed(Deadline deadline) const {
    return deadline.is_relative() ? Deadline::at(deadline.instant(now())) : deadline;
  }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] Executor executor() { return io_.get_executor(); }
  /// I/O buffers of this thread, lent while bytes move.
  [[nodiscard]] BufferPool& buffers() { return *buffers_; }

  /// Wakes every wait whose deadline has passed. The timer calls this; tests do so by hand.
  void sweep();
  /// Waits in progress; for tests and gauges.
  [[nodiscard]] std::size_t waiting() const;

 private:
  friend class Event;
  friend class TaskGroup;
  struct Sweeper;
  void begin_stop();
  void task_ended();
  void arm_sweep();

  const Clock& clock_;
  Options options_;
  boost::asio::io_context io_;
  std::unique_ptr<BufferPool> buffers_;
  std::unique_ptr<Sweeper> sweeper_;
  Event* waits_ = nullptr;  // intrusive list, newest first
  std::size_t tasks_ = 0;   // children of all groups
  bool running_ = false;
  bool stopping_ = false;
};

}  // namespace waxwing::net
