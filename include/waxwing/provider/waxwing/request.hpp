// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/base/secret.hpp"
#include "waxwing/exchange/replay_guard.hpp"
#include "waxwing/exchange/session.hpp"
#include "waxwing/sealed/bhttp.hpp"
#include "waxwing/sealed/message.hpp"

/// How one sealed request behaves (docs/protocols/waxwing.md sections 6 and 7): what goes in beside the app's own
/// fields, and what each outer or inner answer leads to.
namespace waxwing::provider::native {

/// Problem type of an inner 400 whose cause is the date (RFC 9458 section 6.5.2).
inline constexpr std::string_view kProblemTypeDate = "https://iana.org/assignments/http-problem-types#date";

using sealed::Field;

/// Whether a field of the app's request goes inside the seal. A short list: nothing that tells of the app's machine
/// (user-agent, x-stainless-*), no cookie, nothing of the connection, and none of the fields that Waxwing itself sets.
[[nodiscard]] bool forwards_request_field(std::string_view lowercase_name);
/// Whether a field of the worker's inner answer goes to the app.
[[nodiscard]] bool forwards_response_field(std::string_view lowercase_name);

using sealed::AnswerPadding;

/// Inner field waxwing-cache-scope: base64url of the first 16 bytes of HMAC-SHA-256(installation secret, provider ||
/// 0x00 || local client key name). Says to the engine which prompts may share a prefix cache, and to nobody else whose
/// they are.
[[nodiscard]] std::string cache_scope(const Secret<32>& installation_secret, std::string_view provider,
                                      std::string_view client_key_name);

/// What came back outside the seal: words of an unproven edge.
struct OuterAnswer {
  int status = 0;
  std::string_view content_type;
  std::optional<std::chrono::seconds> retry_after;
};

/// What the inner head says.
struct InnerAnswer {
  int status = 0;
  std::string_view content_type;
  std::string_view date;  ///< the inner `date`, "" when absent
};

/// Next step of a request.
struct OpenAnswer {};   ///< the body is a sealed answer: open it
struct Deliver {};      ///< hand the inner answer to the app
struct Reattest {};     ///< a hint that the key is gone: attest again (ReattestGate), then call reattested()
struct ReadProblem {};  ///< an inner 400 that may be about the date: read its (small) body, then call problem()
struct Resend {};       ///< seal anew, with inner_fields(), to the session last given, and send once more
struct Stop {           ///< a typed end
  Error error;
  std::optional<std::chrono::seconds> retry_after;
};

enum class BodyKept : std::uint8_t { no, yes };

/// One request from its first sending to the first byte of its answer. It is sent at most three times: once, once more
/// for a key that a fresh attestation proves gone, once more for a date the worker corrected; always with the same
/// inner id.
///
///     SealedRequest request(random, session_key.fingerprint(), AnswerPadding::padded, scope);
///     seal(app_fields + request.inner_fields(now.wall));
///     switch (request.outer(answer, BodyKept::yes)) ...
class SealedRequest {
 public:
  SealedRequest(Random& random, const exchange::KeyFingerprint& key, AnswerPadding padding,
                std::optional<std::string> cache_scope);

  [[nodiscard]] const exchange::RequestId& id() const { return id_; }
  /// date, waxwing-request-id, waxwing-pad and waxwing-cache-scope, to go beside the app's fields.
  [[nodiscard]] std::vector<Field> inner_fields(WallTime now) const;

  /// The outer head: OpenAnswer, Reattest or Stop.
  [[nodiscard]] std::variant<OpenAnswer, Reattest, Stop> outer(const OuterAnswer& answer, BodyKept body);
  /// After Reattest, with the session that is live now: Resend if its list no longer holds the key that was used.
  [[nodiscard]] std::variant<Resend, Stop> reattested(const Result<const exchange::SessionKey*>& fresh);
  /// The inner head: Deliver or ReadProblem.
  [[nodiscard]] std::variant<Deliver, ReadProblem> inner(const InnerAnswer& answer, BodyKept body);
  /// The problem document of the inner 400 (at most kMaxProblemSize bytes of it): Resend with the worker's date, or
  /// Deliver.
  [[nodiscard]] std::variant<Resend, Deliver> problem(std::string_view json);

  static constexpr std::size_t kMaxProblemSize = 4096;

 private:
  exchange::RequestId id_;
  exchange::KeyFingerprint key_;
  AnswerPadding padding_;
  std::optional<std::string> cache_scope_;
  std::optional<WallTime> corrected_date_;
  std::optional<WallTime> offered_date_;
  bool resent_for_key_ = false;
  BodyKept body_ = BodyKept::no;
};

/// Lets hints of an edge cause one attestation at a time per worker, with a pause after each that grows while they
/// prove nothing. The caller's own renewals ahead of time do not go through it.
class ReattestGate {
 public:
  static constexpr std::chrono::seconds kFirstPause{1};
  static constexpr std::chrono::seconds kLongestPause{60};

  struct Begin {};  ///< attest, then call finished()
  struct Join {};   ///< one is under way: wait for its outcome
  struct Pause {    ///< not now
    std::chrono::seconds retry_after;
  };
  [[nodiscard]] std::variant<Begin, Join, Pause> hint(Now now);

  enum class Proved : std::uint8_t { nothing, key_change };
  /// Starts the next pause: the first again after a proven change, else twice as long as the last. A gate that nobody
  /// came to for the longest pause forgets.
  void finished(Proved proved, Now now);

 private:
  bool running_ = false;
  std::chrono::seconds next_pause_ = kFirstPause;
  BootTime open_at_{};
};

}  // namespace waxwing::provider::native
