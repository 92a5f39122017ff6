// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "waxwing/base/error.hpp"

namespace waxwing::net {

enum class Scheme : std::uint8_t { http, https, unix_socket };

/// Where connections go: scheme, host and port, or the path of a unix socket. Two equal origins share a pool.
struct Origin {
  Scheme scheme = Scheme::http;
  std::string host;        ///< name, IPv4, or IPv6 without brackets; lower case
  std::uint16_t port = 0;  ///< filled in: 80 or 443 when the URL has none
  std::string socket;      ///< unix_socket: path of the socket
  friend bool operator==(const Origin&, const Origin&) = default;

  [[nodiscard]] std::string to_string() const;  ///< "https://host:8443", "unix:/run/x.sock"
  [[nodiscard]] std::string host_field()
      const;  ///< value of Host: "host", "host:8443", "[::1]:80", "localhost" for unix
  /// Whether the peer is this machine by its address alone: a unix socket, 127.0.0.0/8, ::1 or "localhost".
  [[nodiscard]] bool is_loopback() const;
};

/// An origin and the path below which requests go.
///
///     WAXWING_ASSIGN(const Url url, parse_url("https://gateway.example:8443/tenant"));
///     head.target = url.path_of("/v1/chat/completions");      // "/tenant/v1/chat/completions"
struct Url {
  Origin origin;
  std::string base_path;  ///< without a trailing slash; "" for the root
  [[nodiscard]] std::string path_of(std::string_view path) const { return base_path + std::string(path); }
  [[nodiscard]] std::string to_string() const { return origin.to_string() + base_path; }
};

/// RFC 3986 http:// and https:// URLs, and unix:/absolute/path. No user information, query or fragment (they would be
/// lost or leak), no dot segments, no port 0, no percent-encoded host. Code::config_invalid.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

/// "host:port", "[v6]:port" or "unix:/path" of a listener; port 0 means any. Code::config_invalid.
struct ListenAddress {
  std::string host;  ///< IP literal, or "localhost"
  std::uint16_t port = 0;
  std::string socket;
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] bool is_loopback() const;
};
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace waxwing::net
