// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/errors.hpp"

#include <utility>

#include "waxwing/base/encoding.hpp"
#include "waxwing/base/outcome.hpp"

namespace waxwing::dialect {
namespace {

std::string message_of(const Error& error) {
  std::string message = error.describe();
  const std::string_view advice = remedy(error.code());
  if (!advice.empty()) {
    message += ". ";
    message += advice;
  }
  return message;
}

// Builds one flat JSON object.
class Object {
 public:
  Object& text(std::string_view name, std::string_view value) {
    begin(name);
    append_json_string(out_, value);
    return *this;
  }
  Object& raw(std::string_view name, std::string_view json) {
    begin(name);
    out_ += json;
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(out_) + '}'; }

 private:
  void begin(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string out_ = "{";
};

std::string openai_body(const Error& error) {
  Object inner;
  inner.text("message", message_of(error)).text("type", outcome_of(error.code()).type).raw("param", "null");
  inner.text("code", to_string(error.code()));
  return Object().raw("error", inner.take()).take();
}

std::string anthropic_body(const Error& error, const ErrorContext& context) {
  Object inner;
  inner.text("type", anthropic_type(error.code())).text("message", message_of(error));
  inner.text("code", to_string(error.code()));
  Object outer;
  outer.text("type", "error").raw("error", inner.take());
  if (context.request_id.empty()) {
    outer.raw("request_id", "null");
  } else {
    outer.text("request_id", context.request_id);
  }
  return outer.take();
}

}  // namespace

ErrorAnswer error_answer(Dialect dialect, const Error& error, const ErrorContext& context) {
  return {outcome_of(error.code()).http_status, error_fields(error, context), error_body(dialect, error, context)};
}

std::vector<Field> error_fields(const Error& error, const ErrorContext& context) {
  const Outcome& outcome = outcome_of(error.code());
  std::vector<Field> fields;
  fields.push_back({"content-type", "application/json"});
  fields.push_back({"x-should-retry", outcome.retry == SdkRetry::yes ? "true" : "false"});
  if (context.retry_after) {
    fields.push_back({"retry-after", std::to_string(context.retry_after->count())});
  } else if (outcome.retry_after_seconds >= 0) {
    fields.push_back({"retry-after", std::to_string(outcome.retry_after_seconds)});
  }
  if (!context.request_id.empty()) {
    fields.push_back({"x-request-id", std::string(context.request_id)});
    fields.push_back({"request-id", std::string(context.request_id)});
  }
  return fields;
}

std::string error_body(Dialect dialect, const Error& error, const ErrorContext& context) {
  switch (dialect) {
    case Dialect::openai:
      return openai_body(error);
    case Dialect::anthropic:
      return anthropic_body(error, context);
  }
  std::unreachable();
}

std::string error_event(Dialect dialect, const Error& error, const ErrorContext& context) {
  // OpenAI's client raises on a data object with "error" and knows no event name; Anthropic's drops an event without
  // one.
  const std::string_view lead = dialect == Dialect::anthropic ? "event: error\ndata: " : "data: ";
  return std::string(lead) + error_body(dialect, error, context) + "\n\n";
}

std::string_view keep_alive_event(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai:
      return ":\n\n";
    case Dialect::anthropic:
      return "event: ping\ndata: {\"type\":\"ping\"}\n\n";
  }
  std::unreachable();
}

std::string_view remedy(Code code) {
  constexpr std::string_view kReport = "This is a fault of Waxwing: please report it with the request id.";
  constexpr std::string_view kOperator = "Ask the operator of the worker; `waxwing verify` shows what it sends.";
  switch (code) {
    case Code::malformed:
    case Code::truncated:
      return kOperator;
    case Code::too_large:
      return "Send less, or raise the limit in the configuration.";
    case Code::unsupported:
      return "Leave the feature out, or use another provider.";
    case Code::open_failed:
    case Code::answer_forged:
      return "What came back was not made by the attested worker: the path to it is tampered with or broken.";
    case Code::key_unknown:
    case Code::expired:
    case Code::worker_changed:
      return "Send the request again: the worker is attested anew first.";
    case Code::replayed:
    case Code::conflict:
      return "The request has already been accepted once; send a new one.";
    case Code::stale:
      return "Check the clocks of this machine and of the worker.";
    case Code::policy_refused:
      return "No prompt goes to such a worker. Run `waxwing verify` to see which check failed; change the policy only "
             "if you trust "
             "what it "
             "found.";
    case Code::evidence_rejected:
      return "No prompt goes to such a worker. Run `waxwing verify` to see which check failed; do not use this worker "
             "until it "
             "passes.";
    case Code::evidence_unsupported:
      return "No prompt goes to such a worker. A newer Waxwing may know this kind of evidence.";
    case Code::evidence_malformed:
      return "No prompt goes to such a worker. Check that the URL names a Waxwing gateway.";
    case Code::worker_unreachable:
      return "Check the provider's URL, that its gateway runs, and the network between.";
    case Code::collateral_unavailable:
      return "Certificates of the hardware's maker could not be had: check the network, and whether it needs a proxy.";
    case Code::answer_cut:
      return "The answer is incomplete; the request may have run.";
    case Code::deadline:
      return "The request may have run. Raise the deadline of this provider if it needs longer.";
    case Code::cancelled:
      return "";
    case Code::bad_request:
      return "";
    case Code::unauthorized:
      return "Set the API key of this daemon, not the provider's.";
    case Code::forbidden:
      return "Use the daemon's own address, or allow this host or origin in its configuration.";
    case Code::not_found:
      return "The base URL of OpenAI clients ends in /v1, that of Anthropic clients does not.";
    case Code::rate_limited:
      return "Wait as long as retry-after says.";
    case Code::config_invalid:
      return "`waxwing check-config` names the line.";
    case Code::io:
      return "Check disk space and permissions of the state directory.";
    case Code::internal:
      return kReport;
  }
  std::unreachable();
}

std::string_view anthropic_type(Code code) {
  switch (code) {
    case Code::bad_request:
    case Code::unsupported:
      return "invalid_request_error";
    case Code::too_large:
      return "request_too_large";
    case Code::unauthorized:
      return "authentication_error";
    case Code::policy_refused:
    case Code::evidence_rejected:
    case Code::evidence_unsupported:
    case Code::stale:
    case Code::forbidden:
      return "permission_error";
    case Code::not_found:
      return "not_found_error";
    case Code::rate_limited:
      return "rate_limit_error";
    case Code::replayed:
    case Code::conflict:
      return "conflict_error";
    case Code::deadline:
      return "timeout_error";
    case Code::worker_unreachable:
    case Code::collateral_unavailable:
    case Code::key_unknown:
    case Code::expired:
    case Code::worker_changed:
      return "overloaded_error";
    case Code::malformed:
    case Code::truncated:
    case Code::open_failed:
    case Code::evidence_malformed:
    case Code::answer_cut:
    case Code::answer_forged:
    case Code::cancelled:
    case Code::config_invalid:
    case Code::io:
    case Code::internal:
      return "api_error";
  }
  std::unreachable();
}

}  // namespace waxwing::dialect
