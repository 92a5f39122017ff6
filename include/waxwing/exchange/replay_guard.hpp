// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/crypto/hash.hpp"

/// The worker's memory of what it ran (docs/protocols/waxwing.md section 7). All classes here may be used by several
/// threads.
namespace waxwing::exchange {

/// A time that never runs back nor slower than the machine: wall clock at the start plus monotonic time since, moved
/// forward when the wall clock is ahead (the host owns the wall clock).
class GatewayTime {
 public:
  explicit GatewayTime(Now start) : start_(start), last_(start.wall) {}
  [[nodiscard]] WallTime at(Now now);

 private:
  std::mutex mutex_;
  Now start_;
  WallTime last_;
};

struct ReplayOptions {
  std::chrono::seconds window{60};                  ///< W: a request's date may differ by this much, either way
  std::uint64_t entries = std::uint64_t{4} << 20U;  ///< at most this many are remembered (about 40 bytes each)
  std::uint64_t entries_per_source = std::uint64_t{1} << 18U;
  /// No key opens a request longer than this after it was made (rotation + grace): nothing is remembered beyond.
  std::chrono::seconds key_life = std::chrono::minutes(70);
};

enum class Admission : std::uint8_t {
  fresh,     ///< run it; it is remembered from now on
  replayed,  ///< seen before: inner 409
  stale,     ///< date outside the window: inner 400 with type #date and the gateway's date
  full,      ///< no room to remember it: inner 503, and it does not run
};

/// A set of 32-byte digests with an end of life each, counted by source; defined in the .cpp file.
class SeenSet;

/// Refuses sealed requests seen before. Call it once the first chunk has opened and before the engine is called.
class ReplayGuard {
 public:
  ReplayGuard(ReplayOptions options, Random& random, Now start);
  ~ReplayGuard();

  /// `digest` = SHA-256(enc); `date` = the inner field; `source` = whom the share is counted against (an address).
  [[nodiscard]] Admission admit(const crypto::Sha256Digest& digest, WallTime date, std::string_view source, Now now);
  /// The gateway's time, for the `date` of an answer.
  [[nodiscard]] WallTime time(Now now) { return time_.at(now); }
  [[nodiscard]] std::uint64_t size() const;

 private:
  ReplayOptions options_;
  GatewayTime time_;
  mutable std::mutex mutex_;
  std::unique_ptr<SeenSet> seen_;
};

/// The inner field waxwing-request-id: 16 random bytes, base64url.
using RequestId = ByteArray<16>;
inline constexpr std::string_view kRequestIdField = "waxwing-request-id";
[[nodiscard]] std::string encode_request_id(const RequestId& id);
/// Code::bad_request unless it is 16 bytes in base64url.
[[nodiscard]] Result<RequestId> parse_request_id(std::string_view text);

/// Runs an id once, whichever key or connection it came over. Call it after ReplayGuard said fresh.
class RequestIdGuard {
 public:
  RequestIdGuard(ReplayOptions options, Random& random);
  ~RequestIdGuard();
  /// fresh, replayed (inner 409) or full.
  [[nodiscard]] Admission claim(const RequestId& id, std::string_view source, Now now);
  [[nodiscard]] std::uint64_t size() const;

 private:
  ReplayOptions options_;
  mutable std::mutex mutex_;
  std::unique_ptr<SeenSet> seen_;
};

}  // namespace waxwing::exchange
