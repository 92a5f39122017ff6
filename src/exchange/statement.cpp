// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <utility>

#include "json_object.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/base/json_strict.hpp"
#include "waxwing/base/limits.hpp"

namespace waxwing::exchange {
namespace {

constexpr std::size_t kMaxBuild = 128;
constexpr std::size_t kMaxName = 64;
constexpr auto kMembers =
    std::to_array<std::string_view>({"v", "worker", "keys", "ehbp_key", "tls_spki_sha256", "devices", "engine",
                                     "config_sha256", "build", "features", "issued_at", "expires_at", "ext"});

// Names of features, device kinds and extension members.
bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_build(std::string_view text) {
  return !text.empty() && text.size() <= kMaxBuild &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

bool all_distinct(std::vector<std::string> names) {
  std::ranges::sort(names);
  return std::ranges::adjacent_find(names) == names.end();
}

bool are_names(const std::vector<std::string>& names) {
  return std::ranges::all_of(names, is_name) && all_distinct(names);
}

bool is_whole_seconds(WallTime t) {
  return t == from_unix(to_unix(t));
}

/// What both sides hold a statement to, beyond the types of its members; the text names the member.
Result<void> check_shape(const Statement& s) {
  const auto bad = [](std::string_view what) { return fail(Code::malformed, fmt::format("statement: {}", what)); };
  if (s.keys.empty()) return bad("keys: empty");
  if (!std::ranges::all_of(s.devices, [](const DeviceDigest& d) { return is_name(d.kind); }))
    return bad("devices: kind");
  if (!is_build(s.build)) return bad("build: not 1 to 128 printable characters");
  if (!are_names(s.features)) return bad("features: not distinct names");
  if (!are_names(s.ext)) return bad("ext: not distinct names");
  for (const std::string_view member : kMembers) {
    if (std::ranges::find(s.ext, member) != s.ext.end()) return bad("ext: names a member of this version");
  }
  if (s.expires_at <= s.issued_at) return bad("expires_at: not after issued_at");
  return {};
}

std::vector<DeviceDigest> read_devices(JsonObject& statement) {
  std::vector<DeviceDigest> devices;
  for (const nlohmann::json& element : statement.list("devices")) {
    JsonObject in("statement device", element);
    DeviceDigest device{in.text("kind"), in.hex<32>("sha256")};
    if (const auto ended = in.finish(); !ended) {
      statement.reject(Code::malformed, "devices", ended.error().text());
      return {};
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

EngineReach read_engine(JsonObject& statement) {
  JsonObject in("statement engine", statement.any("engine"));
  const auto reach = appraisal::engine_reach_from_string(in.text("reach"));
  const auto ended = in.finish();
  if (!ended) {
    statement.reject(Code::malformed, "engine", ended.error().text());
  } else if (!reach) {
    statement.reject(Code::malformed, "engine", "an unknown reach");
  }
  return reach.value_or(EngineReach::remote);
}

template <std::size_t N>
std::string hex_or_null(const std::optional<ByteArray<N>>& value) {
  return value ? fmt::format("\"{}\"", to_hex(*value)) : "null";
}

}  // namespace

bool Statement::has_feature(std::string_view name) const {
  return std::ranges::find(features, name) != features.end();
}

Result<Bytes> encode_statement(const Statement& s) {
  const auto shape = check_shape(s);
  if (!shape || !s.ext.empty() || !is_whole_seconds(s.issued_at) || !is_whole_seconds(s.expires_at)) {
    return fail(Code::internal, shape ? "statement: not one this version writes" : shape.error().text());
  }
  const std::string devices = json_list(s.devices, [](const DeviceDigest& d) {
    return fmt::format(R"({{"kind":{},"sha256":"{}"}})", json_quote(d.kind), to_hex(d.sha256));
  });
  const std::string features = json_list(s.features, [](const std::string& name) { return json_quote(name); });
  const std::string text = fmt::format(
      R"({{"v":"{}","worker":"{}","keys":"{}","ehbp_key":{},"tls_spki_sha256":{},"devices":{},"engine":{{"reach":"{}"}},)"
      R"("config_sha256":"{}","build":{},"features":{},"issued_at":"{}","expires_at":"{}","ext":[]}})",
      kProtocolVersion, to_base64url(s.worker), to_base64(s.keys), hex_or_null(s.ehbp_key),
      hex_or_null(s.tls_spki_sha256), devices, appraisal::to_string(s.engine_reach), to_hex(s.config_sha256),
      json_quote(s.build), features, to_rfc3339(s.issued_at), to_rfc3339(s.expires_at));
  if (text.size() > kMaxStatementSize) return fail(Code::internal, "statement: more than 64 KiB");
  return to_bytes(as_bytes(text));
}

Result<Statement> parse_statement(ByteView bytes) {
  WAXWING_ASSIGN(const nlohmann::json root, parse_json_strict(as_text(bytes), Limits::statement()));
  JsonObject in("statement", root);
  const std::string version = in.text("v");
  // Said first: the members of another version are not ours to judge.
  if (in.ok() && version != kProtocolVersion) return fail(Code::unsupported, "statement: another protocol version");

  Statement s;
  s.worker = in.base64url<16>("worker");
  s.keys = in.base64("keys");
  s.ehbp_key = in.hex_or_null<32>("ehbp_key");
  s.tls_spki_sha256 = in.hex_or_null<32>("tls_spki_sha256");
  s.devices = read_devices(in);
  s.engine_reach = read_engine(in);
  s.config_sha256 = in.hex<32>("config_sha256");
  s.build = in.text("build");
  s.features = in.text_list("features");
  s.issued_at = in.time("issued_at");
  s.expires_at = in.time("expires_at");
  s.ext = in.text_list("ext");
  for (const std::string& name : s.ext) in.ignore(name);
  WAXWING_TRY(in.finish());
  WAXWING_TRY(check_shape(s));
  return s;
}

std::string request_path(const WorkerId& worker) {
  return std::string(kRequestPathPrefix) + to_base64url(worker);
}

Result<WorkerId> parse_request_path(std::string_view path) {
  if (path.starts_with(kRequestPathPrefix)) {
    const auto worker = from_base64url(path.substr(kRequestPathPrefix.size()));
    if (worker && worker->size() == WorkerId{}.size()) return to_array<WorkerId{}.size()>(*worker);
  }
  return fail(Code::not_found, "not the path of a worker");
}

}  // namespace waxwing::exchange
