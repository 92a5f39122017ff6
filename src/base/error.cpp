// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/error.hpp"

#include <utility>

namespace waxwing {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::malformed:
      return "malformed";
    case Code::truncated:
      return "truncated";
    case Code::too_large:
      return "too_large";
    case Code::unsupported:
      return "unsupported";
    case Code::open_failed:
      return "open_failed";
    case Code::key_unknown:
      return "key_unknown";
    case Code::replayed:
      return "replayed";
    case Code::stale:
      return "stale";
    case Code::policy_refused:
      return "policy_refused";
    case Code::evidence_rejected:
      return "evidence_rejected";
    case Code::evidence_unsupported:
      return "evidence_unsupported";
    case Code::evidence_malformed:
      return "evidence_malformed";
    case Code::expired:
      return "expired";
    case Code::worker_unreachable:
      return "worker_unreachable";
    case Code::collateral_unavailable:
      return "collateral_unavailable";
    case Code::worker_changed:
      return "worker_changed";
    case Code::answer_cut:
      return "answer_cut";
    case Code::answer_forged:
      return "answer_forged";
    case Code::deadline:
      return "deadline";
    case Code::cancelled:
      return "cancelled";
    case Code::bad_request:
      return "bad_request";
    case Code::unauthorized:
      return "unauthorized";
    case Code::forbidden:
      return "forbidden";
    case Code::not_found:
      return "not_found";
    case Code::conflict:
      return "conflict";
    case Code::rate_limited:
      return "rate_limited";
    case Code::config_invalid:
      return "config_invalid";
    case Code::io:
      return "io";
    case Code::internal:
      return "internal";
  }
  std::unreachable();
}

std::string Error::describe() const {
  std::string out;
  for (auto frame = frames_.rbegin(); frame != frames_.rend(); ++frame) {
    out += *frame;
    out += ": ";
  }
  out += text_;
  return out;
}

}  // namespace waxwing
