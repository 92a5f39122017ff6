// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/socket.h>

#include <string>
#include <utility>

#include "waxwing/base/error.hpp"
#include "waxwing/net/stream.hpp"
#include "waxwing/net/url.hpp"

// The few system calls on sockets, as values and Results. Every socket made here is non-blocking and close-on-exec.
namespace waxwing::net {

/// A file descriptor with one owner.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

/// "Connection refused" and the like.
[[nodiscard]] std::string system_text(int error);

/// An IPv4 or IPv6 literal; Code::config_invalid for anything else.
[[nodiscard]] Result<SocketAddress> ip_address(const std::string& literal, std::uint16_t port);
/// Code::config_invalid when the path does not fit sockaddr_un.
[[nodiscard]] Result<SocketAddress> unix_address(const std::string& path);

[[nodiscard]] PeerAddress peer_address(const SocketAddress& address);
[[nodiscard]] PeerAddress peer_of(int fd);
[[nodiscard]] ListenAddress local_address_of(int fd);

/// A connect that is done or on its way; the result shows as SO_ERROR once the socket is writable. Code::io.
[[nodiscard]] Result<Fd> start_connect(const SocketAddress& address);
/// 0 or the errno of a connect that has ended.
[[nodiscard]] int pending_error(int fd);

[[nodiscard]] Result<Fd> listen_on(const SocketAddress& address, int backlog);
/// True when a process accepts connections on that unix socket.
[[nodiscard]] bool is_alive(const SocketAddress& unix_socket);

void set_no_delay(int fd);
void set_keep_alive(int fd);
/// Makes close() send RST.
void set_abortive(int fd);

}  // namespace waxwing::net
