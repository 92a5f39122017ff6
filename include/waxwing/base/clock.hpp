// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"

namespace waxwing {

/// Seconds resolution is enough for certificates; a TimePoint keeps what the clock gave.
using WallTime = std::chrono::system_clock::time_point;

/// CLOCK_BOOTTIME: monotonic, counts through suspend.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};
using BootTime = BootClock::time_point;

/// Both clocks of one instant. Pure code is handed this; it never asks a clock.
struct Now {
  WallTime wall;
  BootTime boot;
};

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Now now() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Now now() const override;
};

/// A clock that stands until it is moved.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(WallTime wall) : now_{wall, BootTime(std::chrono::hours(1))} {}
  [[nodiscard]] Now now() const override { return now_; }
  void advance(std::chrono::nanoseconds by) {
    now_.wall += std::chrono::duration_cast<WallTime::duration>(by);
    now_.boot += by;
  }
  /// Moves the wall clock only, as an administrator or a hypervisor would.
  void set_wall(WallTime wall) { now_.wall = wall; }

 private:
  Now now_;
};

[[nodiscard]] inline std::int64_t to_unix(WallTime t) {
  return std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count();
}
/// Saturates: a peer may name a second that WallTime (years 1678 to 2261) cannot hold.
[[nodiscard]] WallTime from_unix(std::int64_t seconds);

/// RFC 3339 in UTC with seconds: "2026-11-24T15:00:00Z".
[[nodiscard]] std::string to_rfc3339(WallTime t);
/// Any offset and fraction of RFC 3339 section 5.6; a leap second and a year WallTime cannot hold are Code::malformed.
[[nodiscard]] Result<WallTime> from_rfc3339(std::string_view text);
/// RFC 9110 section 5.6.7 IMF-fixdate: "Tue, 24 Nov 2026 15:00:00 GMT".
[[nodiscard]] std::string to_http_date(WallTime t);
[[nodiscard]] Result<WallTime> from_http_date(std::string_view text);

}  // namespace waxwing
