// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/outcome.hpp"

#include <utility>

namespace waxwing {
namespace {

constexpr int kNoRetryAfter = -1;
constexpr int kUnreachableRetryAfter = 2;
// The AMD key service answers about one request in ten seconds per address.
constexpr int kCollateralRetryAfter = 10;
constexpr int kRateRetryAfter = 1;

// Exit codes: sysexits.h, and 10/20/30 for rejected, unsupported and malformed evidence.
constexpr int kRejected = 10;
constexpr int kUnsupported = 20;
constexpr int kMalformed = 30;
constexpr int kUsage = 64;
constexpr int kData = 65;
constexpr int kNoInput = 66;
constexpr int kUnavailable = 69;
constexpr int kSoftware = 70;
constexpr int kIo = 74;
constexpr int kTryAgain = 75;
constexpr int kNoPermission = 77;
constexpr int kConfig = 78;

constexpr Outcome row(int status, std::string_view type, SdkRetry retry, int after, LogLevel level, int exit_code) {
  return {status, type, retry, after, level, exit_code};
}

constexpr SdkRetry no = SdkRetry::no;
constexpr SdkRetry yes = SdkRetry::yes;
constexpr LogLevel debug = LogLevel::debug;
constexpr LogLevel info = LogLevel::info;
constexpr LogLevel warn = LogLevel::warn;
constexpr LogLevel error = LogLevel::error;

constexpr std::string_view kApi = "api_error";
constexpr std::string_view kRequest = "invalid_request_error";
constexpr std::string_view kPermission = "permission_error";

// A peer's bytes that a caller did not classify further: the answer is useless, asking again is too.
constexpr Outcome kPeerBytes = row(502, kApi, no, kNoRetryAfter, warn, kData);
constexpr Outcome kRequestTooLarge = row(413, "request_too_large", no, kNoRetryAfter, info, kData);
constexpr Outcome kNotImplemented = row(400, kRequest, no, kNoRetryAfter, info, kData);
constexpr Outcome kDoesNotOpen = row(502, kApi, no, kNoRetryAfter, error, kSoftware);
constexpr Outcome kReplay = row(409, "conflict_error", no, kNoRetryAfter, warn, kData);
constexpr Outcome kNotTrusted = row(403, kPermission, no, kNoRetryAfter, error, kRejected);
constexpr Outcome kUnknownEvidence = row(403, kPermission, no, kNoRetryAfter, error, kUnsupported);
constexpr Outcome kNotEvidence = row(502, kApi, no, kNoRetryAfter, error, kMalformed);
// Another attempt attests again first.
constexpr Outcome kAttestAgain = row(503, kApi, yes, 0, warn, kTryAgain);
constexpr Outcome kUnreachable = row(503, kApi, yes, kUnreachableRetryAfter, warn, kUnavailable);
constexpr Outcome kNoCollateral = row(503, kApi, yes, kCollateralRetryAfter, warn, kUnavailable);
constexpr Outcome kAnswerCut = row(502, kApi, no, kNoRetryAfter, warn, kSoftware);
constexpr Outcome kDeadline = row(504, "timeout_error", no, kNoRetryAfter, warn, kTryAgain);
constexpr Outcome kCancelled = row(499, kApi, no, kNoRetryAfter, debug, kTryAgain);
constexpr Outcome kBadRequest = row(400, kRequest, no, kNoRetryAfter, info, kUsage);
constexpr Outcome kUnauthorized = row(401, "authentication_error", no, kNoRetryAfter, info, kNoPermission);
constexpr Outcome kForbidden = row(403, kPermission, no, kNoRetryAfter, info, kNoPermission);
constexpr Outcome kNotFound = row(404, "not_found_error", no, kNoRetryAfter, info, kNoInput);
constexpr Outcome kConflict = row(409, "conflict_error", no, kNoRetryAfter, info, kData);
constexpr Outcome kRateLimited = row(429, "rate_limit_error", yes, kRateRetryAfter, info, kTryAgain);
constexpr Outcome kConfigInvalid = row(500, kApi, no, kNoRetryAfter, error, kConfig);
constexpr Outcome kLocalIo = row(500, kApi, no, kNoRetryAfter, error, kIo);
constexpr Outcome kBug = row(500, kApi, no, kNoRetryAfter, error, kSoftware);

}  // namespace

const Outcome& outcome_of(Code code) {
  switch (code) {
    case Code::malformed:
      return kPeerBytes;
    case Code::truncated:
      return kPeerBytes;
    case Code::too_large:
      return kRequestTooLarge;
    case Code::unsupported:
      return kNotImplemented;
    case Code::open_failed:
      return kDoesNotOpen;
    case Code::key_unknown:
      return kAttestAgain;
    case Code::replayed:
      return kReplay;
    case Code::stale:
      return kNotTrusted;
    case Code::policy_refused:
      return kNotTrusted;
    case Code::evidence_rejected:
      return kNotTrusted;
    case Code::evidence_unsupported:
      return kUnknownEvidence;
    case Code::evidence_malformed:
      return kNotEvidence;
    case Code::expired:
      return kAttestAgain;
    case Code::worker_unreachable:
      return kUnreachable;
    case Code::collateral_unavailable:
      return kNoCollateral;
    case Code::worker_changed:
      return kAttestAgain;
    case Code::answer_cut:
      return kAnswerCut;
    case Code::answer_forged:
      return kDoesNotOpen;
    case Code::deadline:
      return kDeadline;
    case Code::cancelled:
      return kCancelled;
    case Code::bad_request:
      return kBadRequest;
    case Code::unauthorized:
      return kUnauthorized;
    case Code::forbidden:
      return kForbidden;
    case Code::not_found:
      return kNotFound;
    case Code::conflict:
      return kConflict;
    case Code::rate_limited:
      return kRateLimited;
    case Code::config_invalid:
      return kConfigInvalid;
    case Code::io:
      return kLocalIo;
    case Code::internal:
      return kBug;
  }
  std::unreachable();
}

}  // namespace waxwing
