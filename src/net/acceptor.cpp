// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/acceptor.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "socket.hpp"
#include "waxwing/net/event.hpp"

namespace waxwing::net {

namespace asio = boost::asio;

struct Acceptor::Core : std::enable_shared_from_this<Acceptor::Core> {
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  enum class Unlink : std::uint8_t { no, yes };

  Core(Loop& on, int fd, Unlink at_end)
      : loop(on), descriptor(on.executor(), fd), ready(on), address(local_address_of(fd)), unlink(at_end) {}

  void arm() {
    if (std::exchange(armed, true)) return;
    descriptor.async_wait(Descriptor::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& /*error*/) {
                            self->armed = false;
                            if (self->ready.has_waiter()) self->ready.signal_now();
                          });
  }

  void close() {
    if (!descriptor.is_open()) return;
    if (unlink == Unlink::yes) ::unlink(address.socket.c_str());
    boost::system::error_code ignored;
    descriptor.close(ignored);
    ready.signal();
  }

  Loop& loop;
  Descriptor descriptor;
  Event ready;
  ListenAddress address;
  Unlink unlink;
  bool armed = false;
};

Acceptor::Acceptor(std::shared_ptr<Core> core) : core_(std::move(core)) {}
Acceptor::Acceptor(Acceptor&&) noexcept = default;
Acceptor& Acceptor::operator=(Acceptor&& other) noexcept {
  std::swap(core_, other.core_);
  return *this;
}
Acceptor::~Acceptor() {
  close();
}

Result<Acceptor> Acceptor::listen(Loop& loop, const ListenAddress& address, int backlog) {
  const bool is_unix = !address.socket.empty();
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  WAXWING_ASSIGN(const SocketAddress where, is_unix ? unix_address(address.socket) : ip_address(host, address.port));
  auto fd = listen_on(where, backlog);
  if (!fd) return std::unexpected(std::move(fd).error().with("listening on " + address.to_string()));
  const auto unlink = is_unix ? Core::Unlink::yes : Core::Unlink::no;
  return Acceptor(std::make_shared<Core>(loop, fd->release(), unlink));
}

Result<Acceptor> Acceptor::adopt(Loop& loop, int fd) {
  int listening = 0;
  socklen_t size = sizeof(listening);
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0) {
    return fail(Code::config_invalid, "inherited descriptor is not a listening socket");
  }
  return Acceptor(std::make_shared<Core>(loop, fd, Core::Unlink::no));
}

Task<StreamPtr> Acceptor::accept(Deadline deadline) {
  const auto core = core_;
  for (;;) {
    if (!core->descriptor.is_open()) co_return fail(Code::cancelled, "listener closed");
    Fd fd(::accept4(core->descriptor.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) co_return std::make_unique<Stream>(core->loop, fd.release());
    switch (errno) {
      case EAGAIN: {
        core->ready.reset();
        core->arm();
        WAXWING_CO_TRY(to_result(co_await core->ready.wait(deadline), "accepting"));
        break;
      }
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM: {
        // Out of descriptors: the connection stays in the backlog until one is free.
        core->ready.reset();
        const Wake wake = co_await core->ready.wait(Deadline::within(std::chrono::seconds(1)));
        if (wake == Wake::cancelled) co_return fail(Code::cancelled, "cancelled while accepting");
        break;
      }
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
      case EOPNOTSUPP:
        co_return fail(Code::io, "accept: " + system_text(errno));
      default:
        break;  // faults of one peer or its network (ECONNABORTED, EPROTO, ENETDOWN ...)
    }
  }
}

void Acceptor::close() {
  if (core_ != nullptr) core_->close();
}

const ListenAddress& Acceptor::address() const {
  return core_->address;
}

}  // namespace waxwing::net
