// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/provider/waxwing/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "waxwing/base/json_strict.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/exchange/statement.hpp"
#include "waxwing/sealed/ohttp.hpp"
#include "waxwing/sealed/padding.hpp"

namespace waxwing::provider::native {
namespace {

using std::chrono::seconds;

constexpr std::string_view kProblemMediaType = "application/problem+json";
// An edge nobody has proven may not send an app away for longer.
constexpr seconds kLongestRetryAfter{300};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Whether a content-type value names that (lowercase) type; parameters do not matter.
bool names_media_type(std::string_view value, std::string_view type) {
  value = value.substr(0, value.find(';'));
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  return std::ranges::equal(value, type, {}, lower);
}

Stop stop(Code code, std::string text, std::optional<seconds> retry_after = std::nullopt) {
  return {Error(code, std::move(text)), retry_after};
}

Stop unavailable(const OuterAnswer& answer, Code code) {
  std::optional<seconds> wait = answer.retry_after;
  if (wait) wait = std::clamp(*wait, seconds(0), kLongestRetryAfter);
  return stop(code, fmt::format("the worker's edge answered with status {}", answer.status), wait);
}

}  // namespace

SealedRequest::SealedRequest(Random& random, const exchange::KeyFingerprint& key, AnswerPadding padding,
                             std::optional<std::string> cache_scope)
    : id_(random.array<exchange::RequestId{}.size()>()),
      key_(key),
      padding_(padding),
      cache_scope_(std::move(cache_scope)) {}

std::vector<Field> SealedRequest::inner_fields(WallTime now) const {
  std::vector<Field> fields;
  fields.push_back({"date", to_http_date(corrected_date_.value_or(now))});
  fields.push_back({std::string(exchange::kRequestIdField), exchange::encode_request_id(id_)});
  switch (padding_) {
    case AnswerPadding::none:
      break;
    case AnswerPadding::padded:
      fields.push_back({std::string(sealed::kPadField), std::string(sealed::kPadFieldValue)});
      break;
  }
  if (cache_scope_) fields.push_back({std::string(exchange::kCacheScopeField), *cache_scope_});
  return fields;
}

std::variant<OpenAnswer, Reattest, Stop> SealedRequest::outer(const OuterAnswer& answer, BodyKept body) {
  body_ = body;
  switch (answer.status) {
    case 200:
      if (names_media_type(answer.content_type, sealed::kResponseMediaType)) return OpenAnswer{};
      return stop(Code::worker_unreachable, "the worker's edge answered with something that is not sealed");
    case 421:
    case 422:
      // Also without the body: the session is replaced then, and the app's own next try finds the new one.
      if (!resent_for_key_) return Reattest{};
      return stop(Code::worker_changed, "the worker's key changed twice", seconds(0));
    case 413:
      return unavailable(answer, Code::too_large);
    case 429:
      return unavailable(answer, Code::rate_limited);
    default:
      return unavailable(answer, Code::worker_unreachable);
  }
}

std::variant<Resend, Stop> SealedRequest::reattested(const Result<const exchange::SessionKey*>& fresh) {
  if (!fresh) return Stop{fresh.error(), std::nullopt};
  if ((*fresh)->lists(key_)) {
    return stop(Code::worker_unreachable, "the edge says that the key is gone, the worker's own list says it is not");
  }
  if (body_ == BodyKept::no) {
    return stop(Code::worker_changed, "the worker's key changed, and the body is too large to be kept", seconds(0));
  }
  resent_for_key_ = true;
  key_ = (*fresh)->fingerprint();
  return Resend{};
}

std::variant<Deliver, ReadProblem> SealedRequest::inner(const InnerAnswer& answer, BodyKept body) {
  const bool may_be_date = answer.status == 400 && names_media_type(answer.content_type, kProblemMediaType);
  if (!may_be_date || corrected_date_ || body == BodyKept::no) return Deliver{};
  const auto date = from_http_date(answer.date);
  if (!date) return Deliver{};
  offered_date_ = *date;
  return ReadProblem{};
}

std::variant<Resend, Deliver> SealedRequest::problem(std::string_view json) {
  constexpr Limits kLimits{kMaxProblemSize, 4, 32, 0, 0};
  const auto document = parse_json_strict(json, kLimits);
  if (!document || !document->is_object() || !offered_date_) return Deliver{};
  const auto type = document->find("type");
  if (type == document->end() || *type != kProblemTypeDate) return Deliver{};
  corrected_date_ = std::exchange(offered_date_, std::nullopt);
  return Resend{};
}

std::variant<ReattestGate::Begin, ReattestGate::Join, ReattestGate::Pause> ReattestGate::hint(Now now) {
  if (running_) return Join{};
  if (now.boot < open_at_) return Pause{std::chrono::ceil<seconds>(open_at_ - now.boot)};
  if (now.boot - open_at_ >= kLongestPause) next_pause_ = kFirstPause;
  running_ = true;
  return Begin{};
}

void ReattestGate::finished(Proved proved, Now now) {
  running_ = false;
  switch (proved) {
    case Proved::key_change:
      next_pause_ = kFirstPause;
      break;
    case Proved::nothing:
      break;
  }
  open_at_ = now.boot + next_pause_;
  next_pause_ = std::min(2 * next_pause_, kLongestPause);
}

}  // namespace waxwing::provider::native
