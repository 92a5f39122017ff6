// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "waxwing/net/event.hpp"
#include "waxwing/net/loop.hpp"

namespace waxwing::net {

/// The children of one task, joined before it ends. A child's failure (other than Code::cancelled) is kept for join()
/// and, with OnFailure::cancel_others, ends its siblings. An exception in a child counts as Code::internal.
///
///     TaskGroup children(loop, TaskGroup::OnFailure::cancel_others);
///     children.spawn(upload(conn, upstream));            // coroutine functions; parameters by value, or by reference
///     to children.spawn(relay_answer(conn, upstream));      // what outlives join() WAXWING_CO_TRY(co_await
///     children.join(Deadline::none()));
///
/// Between the first spawn() and join() nothing may return early: what can fail there goes into a child.
///
/// cancel_all() wakes each child's wait with Code::cancelled, and every later wait of it too. Called from a
/// task, spawn() runs the child up to its first wait before it returns.
class TaskGroup {
 public:
  enum class OnFailure : std::uint8_t { keep_others, cancel_others };

  explicit TaskGroup(Loop& loop, OnFailure on_failure = OnFailure::keep_others);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// Precondition: empty (joined). Anything else ends the process: a child would outlive what it borrows.
  ~TaskGroup();

  void spawn(Task<> task);
  void cancel_all();
  /// Waits until no child is left; the first failure of a child. On Code::deadline or Code::cancelled of the caller
  /// itself, children are cancelled and still joined before this returns.
  [[nodiscard]] Task<> join(Deadline deadline);

  [[nodiscard]] std::size_t running() const { return running_; }
  [[nodiscard]] Loop& loop() { return loop_; }

 private:
  struct Child;
  void ended(Child* child, Result<void> result);
  static awaitable<void> run(TaskGroup& group, Child* child, Task<> task);

  Loop& loop_;
  OnFailure on_failure_;
  Child* children_ = nullptr;
  std::size_t running_ = 0;
  Event empty_;
  std::optional<Error> first_failure_;
};

}  // namespace waxwing::net
