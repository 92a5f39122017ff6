// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "waxwing/base/error.hpp"
#include "waxwing/dialect/endpoints.hpp"
#include "waxwing/net/http_head.hpp"

namespace waxwing::listener {

enum class Transport : std::uint8_t { tcp, unix_socket };

/// Which requests are looked at at all. The local API holds keys and spends money: a web page that the user happens to
/// visit must not reach it, neither directly nor through a name that it rebinds to this machine.
struct Admission {
  /// Values of Host accepted beside "localhost" and the loopback addresses, without a port; lower case.
  std::vector<std::string> hosts;

  /// Code::forbidden: a Host that is not ours (DNS rebinding), any Origin, a Sec-Fetch-Site that names another site.
  /// Unix sockets have no name to rebind: there Host is not looked at.
  [[nodiscard]] Result<void> admit(const net::RequestHead& request, Transport transport) const;
};

/// Code::bad_request unless the body's content type is the endpoint's: a page may send text/plain anywhere without
/// being asked, application/json only after a preflight that is never answered.
[[nodiscard]] Result<void> check_content_type(const net::RequestHead& request, const dialect::Endpoint& endpoint);

}  // namespace waxwing::listener
