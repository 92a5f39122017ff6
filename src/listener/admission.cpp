// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/listener/admission.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

namespace waxwing::listener {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// "name:port", "name", "[v6]:port" or "[v6]" without the port; nothing when it is none of these.
std::optional<std::string> host_name(std::string_view field) {
  if (field.starts_with('[')) {
    const std::size_t close = field.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view rest = field.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    return lower(field.substr(1, close - 1));
  }
  const std::size_t colon = field.find(':');
  if (colon != std::string_view::npos && field.find(':', colon + 1) != std::string_view::npos) return std::nullopt;
  return lower(field.substr(0, colon));
}

bool is_this_machine(std::string_view name) {
  constexpr auto kNames = std::to_array<std::string_view>({"localhost", "127.0.0.1", "::1"});
  return std::ranges::find(kNames, name) != kNames.end();
}

/// The media type of a content-type value, without parameters.
std::string media_type(std::string_view value) {
  std::string_view type = value.substr(0, value.find(';'));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.remove_suffix(1);
  return lower(type);
}

}  // namespace

Result<void> Admission::admit(const net::RequestHead& request, Transport transport) const {
  if (transport == Transport::tcp) {
    const auto field = request.fields.find("host");
    const auto name = field ? host_name(*field) : std::nullopt;
    if (!name || !(is_this_machine(*name) || std::ranges::find(hosts, *name) != hosts.end()))
      return fail(Code::forbidden, "the Host of this request is not one this service answers to");
  }
  if (request.fields.count("origin") > 0)
    return fail(Code::forbidden, "requests of web pages (with an Origin) are not served");
  if (const auto site = request.fields.find("sec-fetch-site"); site && *site != "none" && *site != "same-origin")
    return fail(Code::forbidden, "requests that a web page makes to another site are not served");
  return {};
}

Result<void> check_content_type(const net::RequestHead& request, const dialect::Endpoint& endpoint) {
  if (endpoint.body == dialect::BodyKind::none) return {};
  const auto field = request.fields.find("content-type");
  const std::string type = field && request.fields.count("content-type") == 1 ? media_type(*field) : std::string();
  switch (endpoint.body) {
    case dialect::BodyKind::json:
      if (type != "application/json")
        return fail(Code::bad_request, "this endpoint takes one body with content-type application/json");
      break;
    case dialect::BodyKind::multipart:
      if (type != "multipart/form-data")
        return fail(Code::bad_request, "this endpoint takes one body with content-type multipart/form-data");
      break;
    case dialect::BodyKind::none:
      break;
  }
  return {};
}

}  // namespace waxwing::listener
