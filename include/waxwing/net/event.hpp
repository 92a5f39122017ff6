// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <optional>

#include "waxwing/net/deadline.hpp"
#include "waxwing/net/loop.hpp"

namespace waxwing::net {

/// Why a wait ended. Cancelled: the task's group was cancelled or the loop stops; it stays so for that task's later
/// waits.
enum class Wake : std::uint8_t { signalled, deadline, cancelled };

/// The one primitive that coroutines here wait on: latched, one waiter at a time, no allocation of its own. Sockets,
/// joins and pools are built from it, so that every wait has a deadline and can be cancelled.
///
///     Event ready(loop);
///     ready.signal();                                            // from a callback or another task of the same loop
///     const Wake wake = co_await ready.wait(loop.deadline_in(5s));
///     WAXWING_CO_TRY(to_result(wake, "waiting for a session"));
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  /// Precondition: nobody waits.
  ~Event();

  /// Wakes the waiter through the loop's queue; without one, the next wait returns at once.
  void signal();
  /// Forgets a signal that nobody has waited for.
  void reset() { set_ = false; }
  [[nodiscard]] bool is_set() const { return set_; }
  [[nodiscard]] bool has_waiter() const { return handler_.has_value(); }

  /// Precondition: nobody else waits.
  [[nodiscard]] awaitable<Wake> wait(Deadline deadline);

  /// For completion handlers of the loop only (no coroutine may be running below on the stack): resumes the waiter at
  /// once.
  void signal_now();

 private:
  friend class Loop;
  friend class TaskGroup;
  enum class Interruptible : std::uint8_t { no, yes };
  using Handler = boost::asio::async_result<boost::asio::use_awaitable_t<Executor>, void(Wake)>::handler_type;

  awaitable<Wake> wait_for(Deadline deadline, Interruptible interruptible);
  void begin(Handler handler, Deadline deadline, Interruptible interruptible);
  Handler take();
  void finish(Wake wake);
  void complete(Handler handler, Wake wake);

  Loop& loop_;
  std::optional<Handler> handler_;
  BootTime instant_{};
  Event* next_ = nullptr;
  Event* previous_ = nullptr;
  bool set_ = false;
  bool interruptible_ = true;
};

/// signalled: success; deadline: Code::deadline; cancelled: Code::cancelled. `what` says what was waited for.
[[nodiscard]] Result<void> to_result(Wake wake, const char* what);

}  // namespace waxwing::net
