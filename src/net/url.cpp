// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/url.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <cstdint>

#include "http_chars.hpp"
#include "socket.hpp"

namespace waxwing::net {
namespace {

std::unexpected<Error> invalid(const char* why) {
  return fail(Code::config_invalid, why);
}

bool is_loopback_host(const std::string& host) {
  const bool v4 = host.starts_with("127.") && ip_address(host, 0).has_value();
  return v4 || host == "::1" || host == "localhost";
}

std::string with_port(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::uint16_t default_port(Scheme scheme) {
  return scheme == Scheme::https ? 443 : 80;
}

/// Letters, digits, "-", ".", "_": what resolvers take and no reader of Host mistakes.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return is_digit(c) || is_alpha(c) || c == '-' || c == '.' || c == '_';
  });
}

bool is_absolute_path(std::string_view path) {
  return path.starts_with('/') && path.size() > 1 && path.find('\0') == std::string_view::npos;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return invalid("bad port");
  return port;
}

/// "." or "..", also percent-encoded, between slashes.
bool has_dot_segment(std::string path) {
  std::ranges::transform(path, path.begin(), to_lower);
  for (auto at = path.find("%2e"); at != std::string::npos; at = path.find("%2e", at)) path.replace(at, 3, ".");
  path += '/';
  return path.find("/./") != std::string::npos || path.find("/../") != std::string::npos;
}

Result<std::string> host_of(const boost::urls::url_view& url) {
  switch (url.host_type()) {
    case boost::urls::host_type::ipv4:
    case boost::urls::host_type::ipv6:
      return url.host_address();
    case boost::urls::host_type::name: {
      std::string host(static_cast<std::string_view>(url.encoded_host()));
      std::ranges::transform(host, host.begin(), to_lower);
      if (!is_plain_name(host)) return invalid("unusable host name");
      return host;
    }
    case boost::urls::host_type::none:
    case boost::urls::host_type::ipvfuture:
      break;
  }
  return invalid("URL without a usable host");
}

}  // namespace

std::string Origin::to_string() const {
  if (scheme == Scheme::unix_socket) return "unix:" + socket;
  return (scheme == Scheme::https ? "https://" : "http://") + host_field();
}

std::string Origin::host_field() const {
  if (scheme == Scheme::unix_socket) return "localhost";
  if (port != default_port(scheme)) return with_port(host, port);
  return host.find(':') != std::string::npos ? "[" + host + "]" : host;
}

bool Origin::is_loopback() const {
  return scheme == Scheme::unix_socket || is_loopback_host(host);
}

Result<Url> parse_url(std::string_view text) {
  if (text.starts_with("unix:")) {
    const std::string_view path = text.substr(5);
    if (!is_absolute_path(path)) return invalid("unix: needs an absolute path");
    WAXWING_TRY(unix_address(std::string(path)));
    return Url{{Scheme::unix_socket, {}, 0, std::string(path)}, {}};
  }
  const auto parsed = boost::urls::parse_uri(boost::core::string_view(text.data(), text.size()));
  if (parsed.has_error()) return invalid("not a URL");
  const boost::urls::url_view& url = *parsed;

  Url out;
  if (equal_ignoring_case(std::string(url.scheme()), "https")) {
    out.origin.scheme = Scheme::https;
  } else if (!equal_ignoring_case(std::string(url.scheme()), "http")) {
    return invalid("URL scheme is not http, https or unix");
  }
  if (url.has_userinfo()) return invalid("URL with user information");
  if (url.has_query() || url.has_fragment()) return invalid("URL with a query or fragment");
  WAXWING_ASSIGN(out.origin.host, host_of(url));
  out.origin.port = default_port(out.origin.scheme);
  if (url.has_port()) {
    WAXWING_ASSIGN(out.origin.port, parse_port(std::string(url.port())));
    if (out.origin.port == 0) return invalid("port 0 in a URL");
  }
  out.base_path = std::string(static_cast<std::string_view>(url.encoded_path()));
  if (has_dot_segment(out.base_path)) return invalid("dot segment in a URL");
  while (out.base_path.ends_with('/')) out.base_path.pop_back();
  return out;
}

std::string ListenAddress::to_string() const {
  return socket.empty() ? with_port(host, port) : "unix:" + socket;
}

bool ListenAddress::is_loopback() const {
  return !socket.empty() || is_loopback_host(host);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  if (text.starts_with("unix:")) {
    const std::string path(text.substr(5));
    if (!is_absolute_path(path)) return invalid("unix: needs an absolute path");
    WAXWING_TRY(unix_address(path));
    return ListenAddress{{}, 0, path};
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid("listen address is not host:port");
  ListenAddress out;
  WAXWING_ASSIGN(out.port, parse_port(text.substr(colon + 1)));
  out.host = text.substr(0, colon);
  if (out.host.starts_with('[') && out.host.ends_with(']')) {
    out.host = out.host.substr(1, out.host.size() - 2);
  } else if (out.host.find(':') != std::string::npos) {
    return invalid("IPv6 listen address without brackets");
  }
  if (out.host != "localhost" && !ip_address(out.host, 0)) return invalid("listen address is not an IP address");
  return out;
}

}  // namespace waxwing::net
