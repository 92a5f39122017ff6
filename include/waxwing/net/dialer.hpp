// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "waxwing/net/loop.hpp"
#include "waxwing/net/stream.hpp"
#include "waxwing/net/tls.hpp"
#include "waxwing/net/url.hpp"

namespace waxwing::net {

struct DialTarget {
  Origin origin;
  /// Needed for https; not allowed for http. For unix sockets it may be either.
  std::optional<TlsPeer> tls;
};

/// Makes connections. An interface, so that proxies and test doubles can stand in.
///
///     DirectDialer dialer(loop);
///     WAXWING_CO_ASSIGN(StreamPtr stream, co_await dialer.dial({url.origin, TlsPeer{context, pin}},
///     loop.deadline_in(10s)));
///
/// The stream is ready for the first request byte: the handshake is over and TlsPeer::expected_spki has been compared.
/// Errors: Code::worker_unreachable (name, connect, handshake, their deadline: nothing has been sent yet),
/// Code::evidence_rejected (certificate refused, or another key than the pin), Code::cancelled, Code::config_invalid
/// (https without TlsPeer).
class Dialer {
 public:
  virtual ~Dialer() = default;
  [[nodiscard]] virtual Task<StreamPtr> dial(DialTarget target, Deadline deadline) = 0;
};

/// Resolves and connects itself: addresses in the resolver's order (RFC 6724), families alternating, one after another,
/// each with its share of the time that is left.
class DirectDialer final : public Dialer {
 public:
  explicit DirectDialer(Loop& loop) : loop_(loop) {}
  [[nodiscard]] Task<StreamPtr> dial(DialTarget target, Deadline deadline) override;

 private:
  Loop& loop_;
};

}  // namespace waxwing::net
