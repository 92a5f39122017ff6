// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/observe/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace waxwing::observe {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds kBounds[] = {1ms, 500ms, 2s};

TEST(RegistryTest, RefusesNamesAndLabelsOutsideTheFormat) {
  Registry registry;
  EXPECT_THROW(registry.counter("1abc", "h"), std::logic_error);
  EXPECT_THROW(registry.counter("", "h"), std::logic_error);
  EXPECT_THROW(registry.counter("a-b", "h"), std::logic_error);
  EXPECT_THROW(registry.counter("a", "h", {{"x-y", "v"}}), std::logic_error);
  EXPECT_THROW(registry.counter("a", "h", {{"x:y", "v"}}), std::logic_error);
  EXPECT_THROW(registry.counter("a", "h", {{"le", "v"}}), std::logic_error);
  EXPECT_THROW(registry.counter("a", "h", {{"x", "\xff"}}), std::logic_error);
}

TEST(RegistryTest, RefusesOneNameWithTwoMeanings) {
  Registry registry;
  registry.counter("a_total", "help");
  EXPECT_THROW(registry.gauge("a_total", "help"), std::logic_error);
  EXPECT_THROW(registry.counter("a_total", "other"), std::logic_error);
}

TEST(RegistryTest, TheSameNameAndLabelsAreTheSameMetric) {
  Registry registry;
  Counter& a = registry.counter("a_total", "help", {{"x", "1"}});
  EXPECT_EQ(&a, &registry.counter("a_total", "help", {{"x", "1"}}));
  EXPECT_NE(&a, &registry.counter("a_total", "help", {{"x", "2"}}));
}

TEST(RegistryTest, ExposesEveryKindInOrder) {
  Registry registry;
  registry.counter("waxwing_requests_total", "Requests \\ answered.", {{"provider", "a\"b\\c\nd"}, {"code", "ok"}})
      .add(3);
  registry.gauge("waxwing_streams", "Streams open.").set(-2);
  Histogram& histogram = registry.histogram("waxwing_wait_seconds", "Wait.", kBounds, {{"provider", "p"}});
  registry.counter("waxwing_requests_total", "Requests \\ answered.").add();
  histogram.record(1ms);
  histogram.record(2ms);
  histogram.record(3s);
  EXPECT_EQ(registry.expose(),
            "# HELP waxwing_requests_total Requests \\\\ answered.\n"
            "# TYPE waxwing_requests_total counter\n"
            "waxwing_requests_total{provider=\"a\\\"b\\\\c\\nd\",code=\"ok\"} 3\n"
            "waxwing_requests_total 1\n"
            "# HELP waxwing_streams Streams open.\n"
            "# TYPE waxwing_streams gauge\n"
            "waxwing_streams -2\n"
            "# HELP waxwing_wait_seconds Wait.\n"
            "# TYPE waxwing_wait_seconds histogram\n"
            "waxwing_wait_seconds_bucket{provider=\"p\",le=\"0.001\"} 1\n"
            "waxwing_wait_seconds_bucket{provider=\"p\",le=\"0.5\"} 2\n"
            "waxwing_wait_seconds_bucket{provider=\"p\",le=\"2\"} 2\n"
            "waxwing_wait_seconds_bucket{provider=\"p\",le=\"+Inf\"} 3\n"
            "waxwing_wait_seconds_sum{provider=\"p\"} 3.003\n"
            "waxwing_wait_seconds_count{provider=\"p\"} 3\n");
}

TEST(HistogramTest, LatencyBoundsAscend) {
  const auto bounds = latency_bounds();
  EXPECT_TRUE(std::ranges::is_sorted(bounds, std::less_equal<>()));
  EXPECT_EQ(bounds.front(), 1ms);
  EXPECT_EQ(bounds.back(), 120s);
}

TEST(GaugeHoldTest, CountsForItsLife) {
  Gauge gauge;
  {
    const GaugeHold one(gauge);
    const GaugeHold two(gauge);
    EXPECT_EQ(gauge.value(), 2);
  }
  EXPECT_EQ(gauge.value(), 0);
}

TEST(RegistryTest, ThreadsLoseNothing) {
  Registry registry;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&registry] {
      for (int i = 0; i < 1000; ++i) {
        registry.counter("a_total", "h", {{"x", "1"}}).add();
        registry.histogram("b_seconds", "h", kBounds).record(1ms);
        if (i % 100 == 0) EXPECT_FALSE(registry.expose().empty());
      }
    });
  }
  threads.clear();
  EXPECT_EQ(registry.counter("a_total", "h", {{"x", "1"}}).value(), 4000U);
  const auto snapshot = registry.histogram("b_seconds", "h", kBounds).snapshot();
  EXPECT_EQ(snapshot.cumulative.back(), 4000U);
  EXPECT_EQ(snapshot.sum, 4s);
}

}  // namespace
}  // namespace waxwing::observe
