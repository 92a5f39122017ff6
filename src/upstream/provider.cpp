// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/upstream/provider.hpp"

#include <utility>

#include "relay.hpp"
#include "sessions.hpp"

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

Provider::Provider(const Environment& environment, ProviderOptions options,
                   std::shared_ptr<const appraisal::Policy> policy)
    : sessions_(std::make_unique<Sessions>(environment, std::move(options), std::move(policy))) {}

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

net::Task<std::string> Provider::models() {
  if (models_ && sessions_->now().boot < models_until_) co_return *models_;
  NoBody source;
  Collected sink(options().models_size);
  const net::Fields fields{{"accept", "application/json"}};
  auto fetched = co_await run({.method = "GET", .target = "/v1/models", .fields = fields}, source, sink);
  if (fetched && sink.status() == 200) {
    models_ = std::move(sink.text());
    models_until_ = sessions_->now().boot + options().models_cache;
    co_return *models_;
  }
  if (models_) co_return *models_;
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

void Provider::replace_policy(std::shared_ptr<const appraisal::Policy> policy) {
  sessions_->replace_policy(std::move(policy));
}

}  // namespace waxwing::upstream
