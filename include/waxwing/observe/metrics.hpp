// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/observe/log.hpp"

namespace waxwing::observe {

/// Only ever grows. Each metric has a cache line of its own: threads count without meeting.
class alignas(64) Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class alignas(64) Gauge {
 public:
  void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Counts one in a gauge for as long as it lives.
class GaugeHold {
 public:
  explicit GaugeHold(Gauge& gauge) : gauge_(&gauge) { gauge_->add(1); }
  GaugeHold(const GaugeHold&) = delete;
  GaugeHold& operator=(const GaugeHold&) = delete;
  ~GaugeHold() { gauge_->add(-1); }

 private:
  Gauge* gauge_;
};

/// Durations in buckets; exposed in seconds.
class alignas(64) Histogram {
 public:
  /// Upper bounds, ascending; +Inf is added.
  explicit Histogram(std::span<const std::chrono::nanoseconds> bounds);
  void record(std::chrono::nanoseconds value);

  struct Snapshot {
    std::vector<std::uint64_t> cumulative;  ///< one per bound, then +Inf = count
    std::chrono::nanoseconds sum;
  };
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] const std::vector<std::chrono::nanoseconds>& bounds() const { return bounds_; }

 private:
  std::vector<std::chrono::nanoseconds> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<std::int64_t> sum_{0};
};

/// 1 ms to 120 s: time to first byte, attestation.
[[nodiscard]] std::span<const std::chrono::nanoseconds> latency_bounds();

/// A label: its value is fixed when the metric is registered, so it comes from configuration or code, never from a
/// request.
struct Label {
  Literal name;
  std::string value;
};
using Labels = std::initializer_list<Label>;

/// Owns every metric and writes them as Prometheus text (exposition format 0.0.4). Registering the same name and labels
/// again gives the same object; another type or help for a known name, and a name or label outside the format's
/// alphabet, throw std::logic_error. References last as long as the registry. Thread-safe.
///
///     Counter& requests = registry.counter("waxwing_requests_total", "Requests answered.", {{"provider", name}});
///     requests.add();
class Registry {
 public:
  Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  Counter& counter(Literal name, Literal help, Labels labels = {});
  Gauge& gauge(Literal name, Literal help, Labels labels = {});
  Histogram& histogram(Literal name, Literal help, std::span<const std::chrono::nanoseconds> bounds,
                       Labels labels = {});

  /// Families in the order of their registration. Content type: kExpositionType.
  [[nodiscard]] std::string expose() const;

 private:
  struct Family;
  struct Series;
  enum class Type : std::uint8_t { counter, gauge, histogram };
  static std::string_view to_string(Type type);
  Family& family(Type type, Literal name, Literal help);
  template <class Metric, class... Args>
  static Metric& add(Family& family, Labels labels, Args&&... args);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;
};

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace waxwing::observe
