// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "waxwing/base/clock.hpp"
#include "waxwing/net/stream.hpp"

/// Counting by source: who may fail how often, and who may run how much at once.
namespace waxwing::gateway {

/// What counts as one source: an IPv4 address, the /64 of an IPv6 address, or "unix".
[[nodiscard]] std::string source_of(const net::PeerAddress& peer);

/// Events per source and minute. Sources are remembered up to a bound; beyond it the ones that come share one counter,
/// so that no flood of addresses can make it forget or grow.
class MinuteCounter {
 public:
  MinuteCounter(std::uint32_t limit, std::size_t sources) : limit_(limit), sources_(sources) {}
  void count(std::string_view source, BootTime now);
  [[nodiscard]] bool exceeded(std::string_view source, BootTime now) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    BootTime begun{};
    std::uint32_t events = 0;
  };
  [[nodiscard]] const Entry* find(std::string_view source, BootTime now) const;

  std::uint32_t limit_;
  std::size_t sources_;
  std::unordered_map<std::string, Entry> entries_;
  Entry others_;
};

/// What runs at once, per source.
class RunningCounter {
 public:
  explicit RunningCounter(std::uint32_t limit) : limit_(limit) {}

  class Hold {
   public:
    Hold(RunningCounter* counter, std::string source) : counter_(counter), source_(std::move(source)) {}
    Hold(Hold&& other) noexcept : counter_(std::exchange(other.counter_, nullptr)), source_(std::move(other.source_)) {}
    Hold& operator=(Hold&&) = delete;
    ~Hold() {
      if (counter_ != nullptr) counter_->release(source_);
    }
    /// Whether there was room.
    explicit operator bool() const { return counter_ != nullptr; }

   private:
    RunningCounter* counter_;
    std::string source_;
  };
  /// Counted for as long as the hold lives; an empty hold beyond the limit.
  [[nodiscard]] Hold enter(std::string_view source);
  /// Holds of all sources.
  [[nodiscard]] std::size_t total() const { return total_; }

 private:
  void release(const std::string& source);
  std::uint32_t limit_;
  std::size_t total_ = 0;
  std::unordered_map<std::string, std::uint32_t> running_;
};

}  // namespace waxwing::gateway
