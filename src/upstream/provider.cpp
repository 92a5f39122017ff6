// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/upstream/provider.hpp"

#include <utility>

#include "relay.hpp"
#include "sessions.hpp"
#include "waxwing/crypto/hash.hpp"

namespace waxwing::upstream {

using net::BodyPiece;
using net::Sent;

namespace {

/// A request without a body.
class NoBody final : public net::BodySource {
 public:
  [[nodiscard]] net::BodyLength length() const override { return net::BodyLength::none(); }
  [[nodiscard]] Result<BodyPiece> try_read() override { return BodyPiece{BodyPiece::State::end, {}}; }
  [[nodiscard]] net::Task<BodyPiece> read_or_answer(net::ClientConnection& /*other*/,
                                                    net::Deadline /*deadline*/) override {
    co_return BodyPiece{BodyPiece::State::end, {}};
  }
};

/// Collects a small answer.
class Collected final : public net::AnswerSink {
 public:
  explicit Collected(std::size_t most) : most_(most) {}
  [[nodiscard]] Result<Sent> start(const net::ResponseHead& head, net::BodyLength /*length*/) override {
    status_ = head.status;
    return Sent::all;
  }
  [[nodiscard]] Result<Sent> send(std::span<const ByteView> parts) override {
    for (const ByteView part : parts) {
      if (text_.size() + part.size() > most_)
        return fail(Code::too_large, "the worker's answer is longer than expected");
      text_ += as_text(part);
    }
    return Sent::all;
  }
  [[nodiscard]] Result<Sent> finish() override { return Sent::all; }
  [[nodiscard]] net::Task<> flush(net::Deadline /*deadline*/) override { co_return Result<void>{}; }
  [[nodiscard]] bool started() const override { return status_ != 0; }

  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::string& text() { return text_; }

 private:
  std::size_t most_;
  int status_ = 0;
  std::string text_;
};

}  // namespace

struct Provider::Models {
  std::optional<std::string> list;
  crypto::Sha256Digest fetched_for{};  ///< of the credential it was fetched with
  BootTime until{};
};

Provider::Provider(const Environment& environment, ProviderOptions options,
                   std::shared_ptr<const appraisal::Policy> policy)
    : sessions_(std::make_unique<Sessions>(environment, std::move(options), std::move(policy))),
      models_(std::make_unique<Models>()) {}

Provider::~Provider() = default;

const ProviderOptions& Provider::options() const {
  return sessions_->options();
}

net::Task<> Provider::maintain() {
  return sessions_->maintain();
}

net::Task<> Provider::first_session(net::Deadline deadline) {
  WAXWING_CO_TRY(co_await sessions_->acquire(deadline));
  co_return Result<void>{};
}

net::Task<> Provider::run(Request request, net::BodySource& source, net::AnswerSink& sink) {
  RelayedRequest relayed(*sessions_, request, source, sink);
  co_return co_await relayed.run();
}

net::Task<std::string> Provider::models(const net::Fields& caller) {
  net::Fields fields{{"accept", "application/json"}};
  std::string credential;
  for (const std::string_view name : {"authorization", "x-api-key"}) {
    if (const auto value = caller.find(name); value && options().api_key.empty()) {
      fields.add(name, *value);
      credential += std::string(name) + ": " + std::string(*value) + ";";
    }
  }
  const crypto::Sha256Digest who = crypto::sha256(SecretBytes::take(credential).expose(SecretAccess{}));
  const bool known = models_->list && models_->fetched_for == who;
  if (known && sessions_->now().boot < models_->until) co_return *models_->list;

  NoBody source;
  Collected sink(options().models_size);
  auto fetched = co_await run({.method = "GET", .target = "/v1/models", .fields = fields}, source, sink);
  if (fetched && sink.status() == 200) {
    models_->list = std::move(sink.text());
    models_->fetched_for = who;
    models_->until = net::Deadline::within(options().models_cache).instant(sessions_->now().boot);
    co_return *models_->list;
  }
  constexpr int kUnauthorized = 401;
  constexpr int kForbidden = 403;
  if (fetched && (sink.status() == kUnauthorized || sink.status() == kForbidden))
    co_return fail(Code::unauthorized, "the worker does not know the API key");
  if (known) co_return *models_->list;
  if (!fetched) co_return std::unexpected(std::move(fetched).error());
  co_return fail(Code::worker_unreachable, "the engine gave no model list");
}

Readiness Provider::readiness() const {
  return sessions_->readiness();
}

std::string Provider::label() const {
  return sessions_->label();
}

std::optional<appraisal::Verdict> Provider::last_verdict() const {
  return sessions_->last_verdict();
}

}  // namespace waxwing::upstream
