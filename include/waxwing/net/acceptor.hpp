// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "waxwing/net/loop.hpp"
#include "waxwing/net/stream.hpp"
#include "waxwing/net/url.hpp"

namespace waxwing::net {

/// A listening socket.
///
///     WAXWING_ASSIGN(auto acceptor, Acceptor::listen(loop, *parse_listen_address("127.0.0.1:0")));
///     acceptor.address().to_string();       // "127.0.0.1:40123": the real port
///     WAXWING_CO_ASSIGN(StreamPtr stream, co_await acceptor.accept(Deadline::none()));
///
/// accept() outlives what a single peer or a passing shortage can cause (ECONNABORTED; EMFILE waits and tries again).
class Acceptor {
 public:
  /// TCP (SO_REUSEADDR; an IPv6 address does not take IPv4 along) or unix (mode 0600; a stale socket file nobody
  /// listens on is replaced, the file is removed at the end). Code::io with the system's reason.
  [[nodiscard]] static Result<Acceptor> listen(Loop& loop, const ListenAddress& address, int backlog = 1024);
  /// A socket that is already bound and listening, as service managers hand over.
  [[nodiscard]] static Result<Acceptor> adopt(Loop& loop, int fd);
  Acceptor(Acceptor&&) noexcept;
  Acceptor& operator=(Acceptor&&) noexcept;
  ~Acceptor();

  [[nodiscard]] Task<StreamPtr> accept(Deadline deadline);
  /// Ends a pending accept with Code::cancelled; connections stay.
  void close();
  [[nodiscard]] const ListenAddress& address() const;

 private:
  struct Core;
  explicit Acceptor(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;  // owners: this and the completion handler in flight
};

}  // namespace waxwing::net
