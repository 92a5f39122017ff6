// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "waxwing/base/clock.hpp"

namespace waxwing::net {

/// When a wait gives up, on CLOCK_BOOTTIME. Deadlines are coarse: a loop's sweep finds them at most one sweep period
/// late.
///
///     co_await stream.read_some(buffer, Deadline::within(10min));        // idle: counted from each wait anew
///     const Deadline connect = loop.deadline_in(10s);                    // one instant for several steps
///     co_await event.wait(Deadline::none());                             // a decision, not an omission
class Deadline {
 public:
  [[nodiscard]] static constexpr Deadline none() { return Deadline(BootTime::max(), {}); }
  [[nodiscard]] static constexpr Deadline at(BootTime instant) { return Deadline(instant, {}); }
  /// `period` from the moment an operation begins to wait; an operation that makes progress and waits again gets it
  /// anew.
  [[nodiscard]] static constexpr Deadline within(std::chrono::nanoseconds period) { return Deadline({}, period); }

  [[nodiscard]] constexpr bool is_none() const { return period_.count() == 0 && instant_ == BootTime::max(); }
  [[nodiscard]] constexpr bool is_relative() const { return period_.count() != 0; }
  /// The instant this means for a wait that begins at `now`.
  [[nodiscard]] constexpr BootTime instant(BootTime now) const {
    if (!is_relative()) return instant_;
    return period_ < BootTime::max() - now ? now + period_ : BootTime::max();
  }

 private:
  constexpr Deadline(BootTime instant, std::chrono::nanoseconds period) : instant_(instant), period_(period) {}
  BootTime instant_;
  std::chrono::nanoseconds period_;
};

}  // namespace waxwing::net
