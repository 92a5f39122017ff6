// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace waxwing::net {
namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

std::unexpected<Error> failed(const char* call) {
  return fail(Code::io, std::string(call) + ": " + system_text(errno));
}

void set_option(int fd, int level, int option, int value) {
  static_cast<void>(::setsockopt(fd, level, option, &value, sizeof(value)));
}

const sockaddr_un& as_unix(const SocketAddress& address) {
  return reinterpret_cast<const sockaddr_un&>(address.storage);
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

std::string system_text(int error) {
  return std::generic_category().message(error);
}

Result<SocketAddress> ip_address(const std::string& literal, std::uint16_t port) {
  SocketAddress out;
  auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
  if (::inet_pton(AF_INET, literal.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.size = sizeof(v4);
    return out;
  }
  if (::inet_pton(AF_INET6, literal.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    out.size = sizeof(v6);
    return out;
  }
  return fail(Code::config_invalid, "not an IP address");
}

Result<SocketAddress> unix_address(const std::string& path) {
  SocketAddress out;
  auto& address = reinterpret_cast<sockaddr_un&>(out.storage);
  if (path.empty() || path.size() >= sizeof(address.sun_path) || path.find('\0') != std::string::npos) {
    return fail(Code::config_invalid, "socket path empty or too long");
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return out;
}

PeerAddress peer_address(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address.storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return {text.data(), ntohs(v4.sin_port)};
  }
  if (address.family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address.storage);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(v6.sin6_port)};
  }
  return {};
}

PeerAddress peer_of(int fd) {
  SocketAddress address;
  return ::getpeername(fd, address.get(), &address.size) == 0 ? peer_address(address) : PeerAddress{};
}

ListenAddress local_address_of(int fd) {
  SocketAddress address;
  if (::getsockname(fd, address.get(), &address.size) != 0) return {};
  if (address.family() == AF_UNIX) return {{}, 0, as_unix(address).sun_path};
  const PeerAddress local = peer_address(address);
  return {local.host, local.port, {}};
}

Result<Fd> start_connect(const SocketAddress& address) {
  Fd fd(::socket(address.family(), kSocketFlags, 0));
  if (!fd.valid()) return failed("socket");
  if (::connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) return failed("connect");
  return fd;
}

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof(error);
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool is_alive(const SocketAddress& unix_socket) {
  const Fd fd(::socket(AF_UNIX, kSocketFlags, 0));
  // A full backlog (EAGAIN) is a sign of life too.
  return fd.valid() && (::connect(fd.get(), unix_socket.get(), unix_socket.size) == 0 || errno == EAGAIN);
}

Result<Fd> listen_on(const SocketAddress& address, int backlog) {
  Fd fd(::socket(address.family(), kSocketFlags, 0));
  if (!fd.valid()) return failed("socket");
  if (address.family() != AF_UNIX) set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (address.family() == AF_UNIX) {
    const char* path = as_unix(address).sun_path;
    struct stat status{};
    if (::lstat(path, &status) == 0 && S_ISSOCK(status.st_mode) && !is_alive(address)) ::unlink(path);
  }
  if (::bind(fd.get(), address.get(), address.size) != 0) return failed("bind");
  // Nobody can connect before listen(), so there is no moment with wider permissions.
  if (address.family() == AF_UNIX && ::chmod(as_unix(address).sun_path, S_IRUSR | S_IWUSR) != 0) return failed("chmod");
  if (::listen(fd.get(), backlog) != 0) return failed("listen");
  return fd;
}

void set_no_delay(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void set_keep_alive(int fd) {
  // A peer that vanished without a word is found within about a minute, also where no deadline of ours runs.
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
}

void set_abortive(int fd) {
  const linger value{.l_onoff = 1, .l_linger = 0};
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &value, sizeof(value)));
}

}  // namespace waxwing::net
