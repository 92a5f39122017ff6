// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "waxwing/base/plaintext.hpp"
#include "waxwing/dialect/endpoints.hpp"
#include "waxwing/exchange/worker_keys.hpp"
#include "waxwing/gateway/gateway.hpp"
#include "waxwing/net/http_client.hpp"
#include "waxwing/sealed/message.hpp"

namespace waxwing::gateway {

/// One sealed request from its first byte to the last of its answer. Three things can go wrong, each with one way out:
/// the request does not open (plain answer without details), it opens and is refused or the engine fails before its
/// answer (an answer inside the seal), or either side breaks off later (the answer ends without its last chunk).
class SealedRequest {
 public:
  SealedRequest(Gateway& gateway, net::ServerConnection& client, std::string source,
                std::shared_ptr<const exchange::WorkerKeyRing> ring, const exchange::WorkerId& worker);
  SealedRequest(const SealedRequest&) = delete;
  SealedRequest& operator=(const SealedRequest&) = delete;
  ~SealedRequest() = default;

  [[nodiscard]] net::Task<> run();

 private:
  // Reading the request.
  [[nodiscard]] Result<sealed::MessageStep> try_next();
  [[nodiscard]] net::Task<sealed::MessageStep> next();
  void take(const net::BodyPiece& piece);
  [[nodiscard]] net::Task<> read_head();
  [[nodiscard]] net::Task<> hold_small_body();

  // Deciding.
  [[nodiscard]] Result<net::RequestHead> admit();
  [[nodiscard]] Result<void> admit_client(const sealed::RequestHead& head);
  [[nodiscard]] Result<void> admit_once(const sealed::RequestHead& head);
  [[nodiscard]] Result<std::string> route(const sealed::RequestHead& head);
  [[nodiscard]] net::RequestHead engine_head(const sealed::RequestHead& head, std::string_view target) const;

  // Asking the engine.
  [[nodiscard]] net::Task<> relay(net::RequestHead head);
  [[nodiscard]] net::Task<> ask(const net::RequestHead& head);
  [[nodiscard]] net::Task<> upload();
  [[nodiscard]] bool may_ask_again(const Error& error, bool reused) const;

  // Answering.
  [[nodiscard]] net::Task<> deliver();
  [[nodiscard]] net::Task<> deliver_body(sealed::AnswerComposer& composer);
  [[nodiscard]] net::Task<> answer_error(Error error);
  [[nodiscard]] net::Task<> answer(sealed::ResponseHead head, std::string body);
  [[nodiscard]] net::Task<> refuse(Error error);
  [[nodiscard]] Result<net::Sent> begin_outer();
  [[nodiscard]] Result<net::Sent> push(sealed::AnswerComposer& composer);
  [[nodiscard]] net::Task<> push_rest(sealed::AnswerComposer& composer);

  [[nodiscard]] net::Deadline write_idle() const { return net::Deadline::within(gateway_.options_.write_idle); }

  Gateway& gateway_;
  net::ServerConnection& client_;
  std::string source_;
  Now arrived_;
  sealed::RequestReader reader_;
  ByteView wire_;  // of the client's body, not read yet
  sealed::Input input_ = sealed::Input::open;
  std::optional<Error> request_failure_;  // why the request cannot be read on
  Plaintext held_;                        // the body, or its beginning
  bool complete_ = false;                 // held_ is the whole body, and the last chunk has verified
  dialect::Dialect dialect_ = dialect::Dialect::openai;
  net::ClientConnection* engine_ = nullptr;  // while it works for us
  BootTime asked_at_{};
};

}  // namespace waxwing::gateway
