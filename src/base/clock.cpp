// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/clock.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

namespace waxwing {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 7> kWeekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
// What a count of nanoseconds since 1970 can hold on either side, in whole years.
constexpr int kFirstYear = 1678;
constexpr int kLastYear = 2261;

struct Civil {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0, weekday = 0;
};

Civil civil(WallTime t) {
  // In seconds from here on: the day in which the range of nanoseconds begins, or its last second, does not fit into
  // them.
  auto second = std::chrono::time_point_cast<seconds>(t);
  if (t < second) second -= seconds(1);  // the cast went towards 1970
  const auto date = std::chrono::floor<days>(second);
  const std::chrono::year_month_day ymd(date);
  const auto in_day = (second - date).count();
  return {static_cast<int>(ymd.year()),
          static_cast<unsigned>(ymd.month()),
          static_cast<unsigned>(ymd.day()),
          static_cast<unsigned>(in_day / 3600),
          static_cast<unsigned>(in_day / 60 % 60),
          static_cast<unsigned>(in_day % 60),
          std::chrono::weekday(date).c_encoding()};
}

std::optional<WallTime> from_civil(const Civil& c) {
  const std::chrono::year_month_day date{std::chrono::year(c.year), std::chrono::month(c.month),
                                         std::chrono::day(c.day)};
  if (!date.ok() || c.year < kFirstYear || c.year > kLastYear) return std::nullopt;
  if (c.hour > 23 || c.minute > 59 || c.second > 59) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + hours(c.hour) + minutes(c.minute) + seconds(c.second);
}

// A cursor over text of fixed layout; every step after a mismatch does nothing.
class TextReader {
 public:
  explicit TextReader(std::string_view text) : text_(text) {}

  TextReader& number(std::size_t width, unsigned& out) {
    if (!ok_ || text_.size() < width) return miss();
    unsigned value = 0;
    for (const char c : text_.substr(0, width)) {
      if (c < '0' || c > '9') return miss();
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    out = value;
    text_.remove_prefix(width);
    return *this;
  }
  TextReader& literal(std::string_view wanted) {
    if (!ok_ || !text_.starts_with(wanted)) return miss();
    text_.remove_prefix(wanted.size());
    return *this;
  }
  template <std::size_t N>
  TextReader& one_of(const std::array<std::string_view, N>& names, unsigned& index) {
    for (unsigned i = 0; ok_ && i < N; ++i) {
      if (text_.starts_with(names[i])) {
        index = i;
        return literal(names[i]);
      }
    }
    return miss();
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && text_.empty(); }
  [[nodiscard]] char peek() const { return ok_ && !text_.empty() ? text_.front() : '\0'; }

 private:
  TextReader& miss() {
    ok_ = false;
    return *this;
  }
  std::string_view text_;
  bool ok_ = true;
};

std::chrono::nanoseconds read_fraction(TextReader& in) {
  std::chrono::nanoseconds value{0};
  std::chrono::nanoseconds unit{100'000'000};
  in.literal(".");
  unsigned digit = 0;
  do {
    in.number(1, digit);
    value += digit * unit;
    unit /= 10;
  } while (in.peek() >= '0' && in.peek() <= '9');
  return value;
}

// RFC 3339 section 5.6, time-offset.
minutes read_offset(TextReader& in) {
  if (in.peek() == 'Z') {
    in.literal("Z");
    return minutes(0);
  }
  const bool west = in.peek() == '-';
  unsigned hour = 0;
  unsigned minute = 0;
  in.literal(west ? "-" : "+").number(2, hour).literal(":").number(2, minute);
  if (hour > 23 || minute > 59) in.literal("an offset within a day");
  const minutes offset = hours(hour) + minutes(minute);
  return west ? -offset : offset;
}

}  // namespace

Now SystemClock::now() const {
  timespec boot{};
  // Fails only for a clock the kernel does not have; every Linux that runs this has it.
  if (::clock_gettime(CLOCK_BOOTTIME, &boot) != 0) std::abort();
  return {std::chrono::system_clock::now(), BootTime(seconds(boot.tv_sec) + std::chrono::nanoseconds(boot.tv_nsec))};
}

WallTime from_unix(std::int64_t seconds_since_epoch) {
  const auto limit = [](WallTime t) { return std::chrono::duration_cast<seconds>(t.time_since_epoch()).count(); };
  return WallTime(seconds(std::clamp(seconds_since_epoch, limit(WallTime::min()), limit(WallTime::max()))));
}

std::string to_rfc3339(WallTime t) {
  const Civil c = civil(t);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

Result<WallTime> from_rfc3339(std::string_view text) {
  TextReader in(text);
  unsigned year = 0;
  Civil c;
  in.number(4, year).literal("-").number(2, c.month).literal("-").number(2, c.day).literal("T");
  in.number(2, c.hour).literal(":").number(2, c.minute).literal(":").number(2, c.second);
  c.year = static_cast<int>(year);
  const std::chrono::nanoseconds fraction = in.peek() == '.' ? read_fraction(in) : std::chrono::nanoseconds(0);
  const minutes offset = read_offset(in);
  const std::optional<WallTime> base = from_civil(c);
  if (!in.done() || !base) return fail(Code::malformed, "not a date and time of RFC 3339");
  return *base + std::chrono::duration_cast<WallTime::duration>(fraction) - offset;
}

std::string to_http_date(WallTime t) {
  const Civil c = civil(t);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kWeekdays[c.weekday], c.day, kMonths[c.month - 1],
                     c.year, c.hour, c.minute, c.second);
}

Result<WallTime> from_http_date(std::string_view text) {
  TextReader in(text);
  unsigned year = 0;
  Civil c;
  in.one_of(kWeekdays, c.weekday).literal(", ").number(2, c.day).literal(" ").one_of(kMonths, c.month).literal(" ");
  in.number(4, year).literal(" ").number(2, c.hour).literal(":").number(2, c.minute).literal(":");
  in.number(2, c.second).literal(" GMT");
  c.year = static_cast<int>(year);
  c.month += 1;
  const std::optional<WallTime> time = from_civil(c);
  if (!in.done() || !time || civil(*time).weekday != c.weekday) {
    return fail(Code::malformed, "not a date of RFC 9110");
  }
  return *time;
}

}  // namespace waxwing
