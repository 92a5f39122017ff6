// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/replay_guard.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "waxwing/base/encoding.hpp"

namespace waxwing::exchange {
namespace {

using Digest = crypto::Sha256Digest;

/// An open-addressing table of digests. The all-zero digest marks a free slot: nobody finds its SHA-256 preimage.
class DigestTable {
 public:
  explicit DigestTable(std::uint64_t seed) : seed_(seed), slots_(kFirstSize) {}

  [[nodiscard]] bool contains(const Digest& digest) const { return slots_[slot_of(digest)] == digest; }

  void insert(const Digest& digest) {
    // Three quarters full at most, so some 43 bytes an entry at the best and 85 just after it has grown.
    if ((used_ + 1) * 4 > slots_.size() * 3) grow();
    slots_[slot_of(digest)] = digest;
    ++used_;
  }

 private:
  static constexpr std::size_t kFirstSize = 64;

  // Where the digest is, or the free slot where it belongs. A peer can choose digests' bits, so the seed is secret.
  [[nodiscard]] std::size_t slot_of(const Digest& digest) const {
    std::uint64_t words[4];
    std::memcpy(words, digest.data(), sizeof words);
    std::uint64_t mixed = seed_;
    for (const std::uint64_t word : words) mixed = (std::rotl(mixed, 23) ^ word) * kMultiplier;
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>(mixed >> 20U) & mask;
    while (slots_[at] != digest && slots_[at] != kFree) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<Digest> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Digest& digest : old) {
      if (digest != kFree) slots_[slot_of(digest)] = digest;
    }
  }

  static constexpr Digest kFree{};
  static constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15U;
  std::uint64_t seed_;
  std::vector<Digest> slots_;
  std::size_t used_ = 0;
};

std::uint64_t draw_seed(Random& random) {
  return std::bit_cast<std::uint64_t>(random.array<8>());
}

}  // namespace

/// Digests by the time until which they are remembered, in steps of one window: a step is forgotten whole.
class SeenSet {
 public:
  SeenSet(const ReplayOptions& options, std::uint64_t seed) : options_(options), seed_(seed) {}

  [[nodiscard]] bool contains(const Digest& digest) const {
    return std::ranges::any_of(steps_, [&](const auto& step) { return step.second.digests.contains(digest); });
  }

  enum class Inserted : std::uint8_t { yes, no_room };
  Inserted insert(const Digest& digest, std::string_view source, BootTime until) {
    auto& of_source = sources_[std::string(source)];
    if (size_ >= options_.entries || of_source >= options_.entries_per_source) {
      if (of_source == 0) sources_.erase(std::string(source));
      return Inserted::no_room;
    }
    Step& step = steps_.try_emplace(step_of(until), seed_).first->second;
    step.digests.insert(digest);
    ++step.by_source[std::string(source)];
    ++of_source;
    ++size_;
    return Inserted::yes;
  }

  void forget(BootTime now) {
    while (!steps_.empty() && now >= end_of(steps_.begin()->first)) {
      for (const auto& [source, count] : steps_.begin()->second.by_source) {
        size_ -= count;
        const auto of_source = sources_.find(source);
        of_source->second -= count;
        if (of_source->second == 0) sources_.erase(of_source);
      }
      steps_.erase(steps_.begin());
    }
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  struct Step {
    explicit Step(std::uint64_t seed) : digests(seed) {}
    DigestTable digests;
    std::unordered_map<std::string, std::uint64_t> by_source;
  };

  [[nodiscard]] std::int64_t step_of(BootTime until) const {
    return until.time_since_epoch() / std::chrono::nanoseconds(options_.window);
  }
  [[nodiscard]] BootTime end_of(std::int64_t step) const {
    return BootTime(std::chrono::nanoseconds(options_.window) * (step + 1));
  }

  const ReplayOptions& options_;
  std::uint64_t seed_;
  std::map<std::int64_t, Step> steps_;
  std::unordered_map<std::string, std::uint64_t> sources_;
  std::uint64_t size_ = 0;
};

WallTime GatewayTime::at(Now now) {
  const std::scoped_lock lock(mutex_);
  const auto passed = std::chrono::floor<WallTime::duration>(now.boot - start_.boot);
  if (now.wall > start_.wall + passed) start_.wall = now.wall - passed;
  // Two threads may bring their instants in either order.
  last_ = std::max(last_, start_.wall + passed);
  return last_;
}

ReplayGuard::ReplayGuard(ReplayOptions options, Random& random, Now start)
    : options_(options), time_(start), seen_(std::make_unique<SeenSet>(options_, draw_seed(random))) {}
ReplayGuard::~ReplayGuard() = default;

Admission ReplayGuard::admit(const Digest& digest, WallTime date, std::string_view source, Now now) {
  // In seconds: the nanoseconds between two dates of a peer's choice do not always fit.
  const auto ahead = std::chrono::seconds(to_unix(date) - to_unix(time_.at(now)));
  const bool in_window = ahead <= options_.window && -ahead <= options_.window;

  const std::scoped_lock lock(mutex_);
  seen_->forget(now.boot);
  if (seen_->contains(digest)) return Admission::replayed;
  // Our time runs forward only, so a date behind the window never comes back into it.
  if (-ahead > options_.window) return Admission::stale;
  // A date ahead of the window does come into it; it is remembered until it has passed, or no key opens it any more.
  const auto until_passed = std::min(ahead + 2 * options_.window, options_.key_life);
  const auto memory = std::max(4 * options_.window, until_passed);
  if (seen_->insert(digest, source, now.boot + memory) == SeenSet::Inserted::no_room) return Admission::full;
  return in_window ? Admission::fresh : Admission::stale;
}

std::uint64_t ReplayGuard::size() const {
  const std::scoped_lock lock(mutex_);
  return seen_->size();
}

std::string encode_request_id(const RequestId& id) {
  return to_base64url(id);
}

Result<RequestId> parse_request_id(std::string_view text) {
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() != RequestId{}.size()) return fail(Code::bad_request, "not a request id");
  return to_array<RequestId{}.size()>(*bytes);
}

RequestIdGuard::RequestIdGuard(ReplayOptions options, Random& random)
    : options_(options), seen_(std::make_unique<SeenSet>(options_, draw_seed(random))) {}
RequestIdGuard::~RequestIdGuard() = default;

Admission RequestIdGuard::claim(const RequestId& id, std::string_view source, Now now) {
  const Digest digest = crypto::sha256(id);
  const std::scoped_lock lock(mutex_);
  seen_->forget(now.boot);
  if (seen_->contains(digest)) return Admission::replayed;
  const BootTime until = now.boot + 4 * options_.window;
  return seen_->insert(digest, source, until) == SeenSet::Inserted::yes ? Admission::fresh : Admission::full;
}

std::uint64_t RequestIdGuard::size() const {
  const std::scoped_lock lock(mutex_);
  return seen_->size();
}

}  // namespace waxwing::exchange
