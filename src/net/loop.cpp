// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/loop.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <string>
#include <utility>

#include "buffer_pool.hpp"
#include "waxwing/net/event.hpp"
#include "waxwing/net/task_group.hpp"

namespace waxwing::net {

namespace asio = boost::asio;

// ---- Loop ----

struct Loop::Sweeper {
  explicit Sweeper(asio::io_context& io) : timer(io) {}
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor> timer;
  bool armed = false;
};

Loop::Loop(const Clock& clock, Options options)
    : clock_(clock),
      options_(options),
      io_(1),  // one thread runs it: the scheduler then keeps ready handlers in a private queue
      buffers_(std::make_unique<BufferPool>()),
      sweeper_(std::make_unique<Sweeper>(io_)) {}

Loop::~Loop() {
  begin_stop();
  io_.restart();
  while (io_.poll() != 0) io_.restart();
}

void Loop::run() {
  poll();
  if (tasks_ == 0) return;
  // Sockets that rest in a pool may have a wait pending in the reactor, so io_context::run() would not return by
  // itself.
  running_ = true;
  io_.restart();
  io_.run();
  running_ = false;
  poll();
}

std::size_t Loop::poll() {
  io_.restart();
  return io_.poll();
}

void Loop::stop() {
  asio::post(io_, [this] { begin_stop(); });
}

void Loop::post(std::function<void()> function) {
  asio::post(io_, std::move(function));
}

void Loop::begin_stop() {
  stopping_ = true;
  for (Event* event = waits_; event != nullptr;) {
    Event* next = event->next_;
    if (event->interruptible_) event->finish(Wake::cancelled);
    event = next;
  }
}

void Loop::task_ended() {
  if (--tasks_ == 0 && running_) io_.stop();
}

void Loop::sweep() {
  const BootTime instant = now();
  for (Event* event = waits_; event != nullptr;) {
    Event* next = event->next_;
    if (event->instant_ <= instant) event->finish(Wake::deadline);
    event = next;
  }
}

void Loop::arm_sweep() {
  if (sweeper_->armed || options_.sweep == SweepMode::manual) return;
  sweeper_->armed = true;
  sweeper_->timer.expires_after(options_.sweep_period);
  sweeper_->timer.async_wait([this](const boost::system::error_code& error) {
    sweeper_->armed = false;
    if (error) return;
    sweep();
    for (const Event* event = waits_; event != nullptr; event = event->next_) {
      if (event->instant_ != BootTime::max()) return arm_sweep();
    }
  });
}

std::size_t Loop::waiting() const {
  std::size_t n = 0;
  for (const Event* event = waits_; event != nullptr; event = event->next_) ++n;
  return n;
}

// ---- Event ----

Event::~Event() {
  if (handler_) finish(Wake::cancelled);
}

void Event::signal() {
  if (handler_) {
    finish(Wake::signalled);
  } else {
    set_ = true;
  }
}

void Event::signal_now() {
  if (handler_) {
    Handler handler = take();
    std::move(handler)(Wake::signalled);
  } else {
    set_ = true;
  }
}

awaitable<Wake> Event::wait(Deadline deadline) {
  return wait_for(deadline, Interruptible::yes);
}

awaitable<Wake> Event::wait_for(Deadline deadline, Interruptible interruptible) {
  constexpr asio::use_awaitable_t<Executor> kAwaitable;
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(Wake)>(
      [this, deadline, interruptible](Handler handler) { begin(std::move(handler), deadline, interruptible); },
      kAwaitable);
}

void Event::begin(Handler handler, Deadline deadline, Interruptible interruptible) {
  interruptible_ = interruptible == Interruptible::yes;
  const bool cancelled = interruptible_ && (loop_.stopping_ || handler.get_cancellation_state().cancelled() !=
                                                                   asio::cancellation_type::none);
  instant_ = BootTime::max();
  if (!deadline.is_none()) {
    const BootTime now = loop_.now();
    instant_ = deadline.instant(now);
    if (instant_ <= now && !set_ && !cancelled) return complete(std::move(handler), Wake::deadline);
    loop_.arm_sweep();
  }
  // Completing through the queue keeps the stack flat where a loop finds its event set each time.
  if (cancelled) return complete(std::move(handler), Wake::cancelled);
  if (std::exchange(set_, false)) return complete(std::move(handler), Wake::signalled);

  if (interruptible_) {
    if (auto slot = handler.get_cancellation_slot(); slot.is_connected()) {
      slot.assign([this](asio::cancellation_type /*type*/) {
        if (handler_) finish(Wake::cancelled);
      });
    }
  }
  handler_.emplace(std::move(handler));
  previous_ = nullptr;
  next_ = loop_.waits_;
  if (next_ != nullptr) next_->previous_ = this;
  loop_.waits_ = this;
}

Event::Handler Event::take() {
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : loop_.waits_) = next_;
  next_ = previous_ = nullptr;
  Handler handler = std::move(*handler_);
  handler_.reset();
  return handler;
}

void Event::finish(Wake wake) {
  complete(take(), wake);
}

void Event::complete(Handler handler, Wake wake) {
  asio::post(loop_.io_, [handler = std::move(handler), wake]() mutable { std::move(handler)(wake); });
}

Result<void> to_result(Wake wake, const char* what) {
  switch (wake) {
    case Wake::signalled:
      return {};
    case Wake::deadline:
      return fail(Code::deadline, std::string("deadline passed while ") + what);
    case Wake::cancelled:
      return fail(Code::cancelled, std::string("cancelled while ") + what);
  }
  return fail(Code::internal, "unknown wake");
}

// ---- TaskGroup ----

struct TaskGroup::Child {
  asio::cancellation_signal signal;
  Child* next = nullptr;
  Child* previous = nullptr;
};

TaskGroup::TaskGroup(Loop& loop, OnFailure on_failure) : loop_(loop), on_failure_(on_failure), empty_(loop) {}

TaskGroup::~TaskGroup() {
  if (running_ != 0) std::terminate();
}

void TaskGroup::spawn(Task<> task) {
  auto* child = new Child;
  child->next = children_;
  if (children_ != nullptr) children_->previous = child;
  children_ = child;
  ++running_;
  ++loop_.tasks_;
  asio::co_spawn(loop_.executor(), run(*this, child, std::move(task)),
                 asio::bind_cancellation_slot(child->signal.slot(),
                                              [loop = &loop_, child](const std::exception_ptr& /*caught in run()*/) {
                                                // The coroutine is at its end but not gone, and its state lies in the
                                                // signal's memory.
                                                asio::post(loop->io(), [loop, child] {
                                                  delete child;
                                                  loop->task_ended();
                                                });
                                              }));
}

awaitable<void> TaskGroup::run(TaskGroup& group, Child* child, Task<> task) {
  // Cancellation shows as Code::cancelled of a wait, never as an exception.
  co_await asio::this_coro::throw_if_cancelled(false);
  Result<void> result;
  try {
    result = co_await std::move(task);
  } catch (const std::exception& bug) {
    result = fail(Code::internal, std::string("exception in a task: ") + bug.what());
  }
  group.ended(child, std::move(result));
}

void TaskGroup::ended(Child* child, Result<void> result) {
  if (child->next != nullptr) child->next->previous = child->previous;
  (child->previous != nullptr ? child->previous->next : children_) = child->next;
  if (!result && result.error().code() != Code::cancelled && !first_failure_) {
    first_failure_ = std::move(result).error();
    if (on_failure_ == OnFailure::cancel_others) cancel_all();
  }
  if (--running_ == 0) empty_.signal();
}

void TaskGroup::cancel_all() {
  for (Child* child = children_; child != nullptr; child = child->next) {
    child->signal.emit(asio::cancellation_type::terminal);
  }
}

Task<> TaskGroup::join(Deadline deadline) {
  Wake wake = Wake::signalled;
  while (running_ != 0 && wake == Wake::signalled) {
    empty_.reset();
    wake = co_await empty_.wait(deadline);
  }
  if (running_ != 0) {
    cancel_all();
    while (running_ != 0) {
      empty_.reset();
      co_await empty_.wait_for(Deadline::none(), Event::Interruptible::no);
    }
  }
  WAXWING_CO_TRY(to_result(wake, "waiting for child tasks"));
  if (first_failure_) co_return std::unexpected(*std::exchange(first_failure_, std::nullopt));
  co_return Result<void>{};
}

}  // namespace waxwing::net
