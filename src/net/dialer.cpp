// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/dialer.hpp"

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "socket.hpp"
#include "waxwing/net/event.hpp"

namespace waxwing::net {

namespace asio = boost::asio;

namespace {

/// Our own cancellation stays what it is; everything else that goes wrong before the first request byte means:
/// unreachable.
Error unreachable(Error error) {
  if (error.code() == Code::cancelled || error.code() == Code::evidence_rejected ||
      error.code() == Code::config_invalid) {
    return error;
  }
  return {Code::worker_unreachable, error.describe()};
}

/// First family first, then alternating (RFC 8305 section 4), each in its order.
std::vector<SocketAddress> interleave(std::vector<SocketAddress> addresses) {
  if (addresses.empty()) return addresses;
  const int family = addresses.front().family();
  std::vector<SocketAddress> first;
  std::vector<SocketAddress> second;
  for (const auto& address : addresses) (address.family() == family ? first : second).push_back(address);
  addresses.clear();
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) addresses.push_back(first[i]);
    if (i < second.size()) addresses.push_back(second[i]);
  }
  return addresses;
}

struct Lookup {
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, Executor>;
  explicit Lookup(Loop& loop) : resolver(loop.executor()), done(loop) {}
  Resolver resolver;
  Event done;
  std::vector<SocketAddress> addresses;
  std::string error;
};

Task<std::vector<SocketAddress>> look_up(Loop& loop, std::string host, std::uint16_t port, Deadline deadline) {
  if (auto literal = ip_address(host, port)) co_return std::vector{*literal};
  if (host == "localhost") {
    // RFC 6761 section 6.3: never ask a resolver, which could answer anything.
    co_return std::vector{*ip_address("127.0.0.1", port), *ip_address("::1", port)};
  }
  const auto lookup = std::make_shared<Lookup>(loop);  // owners: this task and the completion handler
  lookup->resolver.async_resolve(
      host, std::to_string(port), Lookup::Resolver::numeric_service,
      [lookup](const boost::system::error_code& error, const Lookup::Resolver::results_type& results) {
        if (error) lookup->error = error.message();
        for (const auto& result : results) {
          SocketAddress address;
          address.size = static_cast<socklen_t>(result.endpoint().size());
          std::memcpy(&address.storage, result.endpoint().data(), result.endpoint().size());
          lookup->addresses.push_back(address);
        }
        lookup->done.signal();
      });
  const Wake wake = co_await lookup->done.wait(deadline);
  if (wake != Wake::signalled) lookup->resolver.cancel();
  WAXWING_CO_TRY(to_result(wake, "resolving a name"));
  if (lookup->addresses.empty()) co_return fail(Code::worker_unreachable, "cannot resolve the name: " + lookup->error);
  co_return interleave(std::move(lookup->addresses));
}

Task<StreamPtr> connect_to(Loop& loop, SocketAddress address, Deadline deadline) {
  WAXWING_CO_ASSIGN(Fd fd, start_connect(address));
  Stream connecting(loop, fd.release());
  WAXWING_CO_TRY(co_await connecting.writable(deadline));
  if (const int error = pending_error(connecting.native_handle()); error != 0) {
    co_return fail(Code::worker_unreachable, system_text(error));
  }
  // A new registration: in one that has waited for writing, every later wait for reading also reports "writable".
  co_return std::make_unique<Stream>(loop, connecting.release());
}

/// One address after another; each gets its share of the time left, so that a silent one cannot use it up.
Task<StreamPtr> connect_any(Loop& loop, std::vector<SocketAddress> addresses, BootTime end) {
  Error last(Code::worker_unreachable, "no address");
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const BootTime now = loop.now();
    if (now >= end) co_return fail(Code::deadline, "deadline passed while connecting");
    const auto left = end == BootTime::max() ? std::chrono::nanoseconds(std::chrono::seconds(60)) : end - now;
    const auto share = left / static_cast<std::int64_t>(addresses.size() - i);
    auto stream = co_await connect_to(loop, addresses[i], Deadline::at(now + share));
    if (stream || stream.error().code() == Code::cancelled) co_return stream;
    last = std::move(stream).error();
  }
  co_return std::unexpected(std::move(last));
}

Task<StreamPtr> dial_plain(Loop& loop, Origin origin, BootTime end) {
  if (origin.scheme == Scheme::unix_socket) {
    WAXWING_CO_ASSIGN(const SocketAddress address, unix_address(origin.socket));
    co_return co_await connect_to(loop, address, Deadline::at(end));
  }
  WAXWING_CO_ASSIGN(auto addresses, co_await look_up(loop, origin.host, origin.port, Deadline::at(end)));
  co_return co_await connect_any(loop, std::move(addresses), end);
}

}  // namespace

Task<StreamPtr> DirectDialer::dial(DialTarget target, Deadline deadline) {
  const Origin& origin = target.origin;
  if (origin.scheme == Scheme::https && !target.tls) co_return fail(Code::config_invalid, "https without TLS settings");
  if (origin.scheme == Scheme::http && target.tls) co_return fail(Code::config_invalid, "TLS settings for plain http");
  const BootTime end = deadline.is_none() ? BootTime::max() : deadline.instant(loop_.now());
  auto stream = co_await dial_plain(loop_, origin, end);
  if (stream && target.tls) {
    const auto done = co_await (*stream)->handshake_client(*target.tls, origin.host, Deadline::at(end));
    if (!done) stream = std::unexpected(done.error());
  }
  if (!stream)
    co_return std::unexpected(unreachable(std::move(stream).error()).with("connecting to " + origin.to_string()));
  co_return stream;
}

}  // namespace waxwing::net
