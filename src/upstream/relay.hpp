// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "sessions.hpp"
#include "waxwing/base/plaintext.hpp"
#include "waxwing/net/relay.hpp"
#include "waxwing/provider/waxwing/request.hpp"
#include "waxwing/sealed/message.hpp"

namespace waxwing::upstream {

/// A request's body while it may still have to be sealed a second time: everything read so far, as long as it fits.
class KeptBody {
 public:
  KeptBody(ReplayBudget& budget, std::size_t most) : budget_(budget), most_(most) {}
  ~KeptBody() { give_up(); }
  KeptBody(const KeptBody&) = delete;
  KeptBody& operator=(const KeptBody&) = delete;

  /// What the head says of the length: a body that will not fit is not kept from the start.
  void expect(net::BodyLength length);
  void keep(ByteView piece);
  /// Wipes what was kept; nothing more is kept.
  void give_up();
  /// Whether everything read so far is here.
  [[nodiscard]] bool whole() const { return keeping_; }
  [[nodiscard]] ByteView view() const { return bytes_.view(); }

 private:
  ReplayBudget& budget_;
  std::size_t most_;
  bool keeping_ = true;
  Plaintext bytes_;
};

/// One request on its way: seal, send, open, deliver; attest and send again where the protocol allows it.
class RelayedRequest {
 public:
  RelayedRequest(Provider::Sessions& sessions, const Request& request, net::BodySource& source, net::AnswerSink& sink);

  [[nodiscard]] net::Task<> run();

 private:
  enum class Step : std::uint8_t { done, again };

  [[nodiscard]] net::Task<Step> attempt();
  [[nodiscard]] Result<sealed::RequestComposer> seal_head();
  [[nodiscard]] net::Task<> upload(sealed::RequestComposer& composer);
  [[nodiscard]] Result<net::Sent> send_sealed(sealed::RequestComposer& composer);
  [[nodiscard]] net::Task<Step> read_answer(sealed::ResponseOpener opener);
  [[nodiscard]] net::Task<sealed::MessageStep> next_step(sealed::AnswerReader& reader);
  [[nodiscard]] net::Task<Step> on_problem(sealed::AnswerReader& reader);
  [[nodiscard]] Result<net::Sent> start_answer(const sealed::ResponseHead& head);
  [[nodiscard]] net::Task<> deliver_rest(sealed::AnswerReader& reader);
  [[nodiscard]] net::Task<> more_wire();
  [[nodiscard]] Result<net::Sent> send_batch(ByteView piece);
  [[nodiscard]] net::Task<Step> after_hint();
  [[nodiscard]] net::Task<Step> after_other_tls_key();
  [[nodiscard]] provider::native::BodyKept body_kept() const;
  [[nodiscard]] bool connection_was_stale(const Error& error) const;

  Provider::Sessions& sessions_;
  const ProviderOptions& options_;
  const Request& request_;
  net::BodySource& source_;
  net::AnswerSink& sink_;
  KeptBody kept_;
  bool source_ended_ = false;
  bool source_failed_ = false;

  SessionPtr session_;
  std::optional<provider::native::SealedRequest> sealed_;
  net::ConnectionPool::Lease lease_;
  net::Reuse reuse_ = net::Reuse::allowed;

  ByteView wire_;  ///< of the answer, not yet opened; lies in the connection's buffer
  sealed::Input wire_input_ = sealed::Input::open;
  Plaintext batch_;  ///< opened pieces that go to the app in one system call
};

}  // namespace waxwing::upstream
