// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "json_object.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace waxwing::exchange {

using nlohmann::json;

JsonObject::JsonObject(std::string_view structure, const json& value) : structure_(structure), value_(value) {
  if (!value_.is_object()) error_.emplace(Code::malformed, fmt::format("{}: not an object", structure_));
}

void JsonObject::reject(Code code, std::string_view name, std::string_view why) {
  if (!error_) error_.emplace(code, fmt::format("{}: {}: {}", structure_, name, why));
}

const json* JsonObject::member(std::string_view name) {
  if (error_) return nullptr;
  asked_.emplace(name);
  const auto found = value_.find(name);
  if (found != value_.end()) return &*found;
  reject(Code::malformed, name, "missing");
  return nullptr;
}

const json* JsonObject::member(std::string_view name, json::value_t type, std::string_view wanted) {
  const json* value = member(name);
  if (value == nullptr || value->type() == type) return value;
  reject(Code::malformed, name, wanted);
  return nullptr;
}

std::string JsonObject::text(std::string_view name) {
  const json* value = member(name, json::value_t::string, "not a string");
  return value == nullptr ? std::string() : value->get_ref<const std::string&>();
}

std::uint64_t JsonObject::number(std::string_view name) {
  const json* value = member(name, json::value_t::number_unsigned, "not a number from 0 up");
  return value == nullptr ? 0 : value->get<std::uint64_t>();
}

WallTime JsonObject::time(std::string_view name) {
  const std::string written = text(name);
  if (!ok()) return {};
  const auto parsed = from_rfc3339(written);
  // One spelling per instant, so that two readers cannot differ.
  if (!parsed || to_rfc3339(*parsed) != written) {
    reject(Code::malformed, name, "not a time in UTC with whole seconds");
    return {};
  }
  return *parsed;
}

Bytes JsonObject::decoded(std::string_view name, const json* value, Decoder decode) {
  if (value == nullptr) return {};
  if (!value->is_string()) {
    reject(Code::malformed, name, "not a string");
    return {};
  }
  auto bytes = decode(value->get_ref<const std::string&>());
  if (bytes) return *std::move(bytes);
  reject(Code::malformed, name, "wrong encoding");
  return {};
}

Bytes JsonObject::hex_bytes(std::string_view name, const json* value) {
  Bytes bytes = decoded(name, value, from_hex);
  if (ok() && to_hex(bytes) != value->get_ref<const std::string&>()) {
    reject(Code::malformed, name, "hexadecimal is lowercase here");
  }
  return bytes;
}

Bytes JsonObject::base64(std::string_view name) {
  return decoded(name, member(name), from_base64);
}

std::optional<Bytes> JsonObject::base64_or_null(std::string_view name) {
  const json* value = member(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return decoded(name, value, from_base64);
}

std::span<const json> JsonObject::list(std::string_view name) {
  const json* value = member(name, json::value_t::array, "not an array");
  if (value == nullptr) return {};
  return value->get_ref<const json::array_t&>();
}

std::vector<Bytes> JsonObject::base64_list(std::string_view name) {
  std::vector<Bytes> out;
  for (const json& element : list(name)) out.push_back(decoded(name, &element, from_base64));
  return out;
}

std::vector<std::string> JsonObject::text_list(std::string_view name) {
  std::vector<std::string> out;
  for (const json& element : list(name)) {
    if (element.is_string()) {
      out.push_back(element.get_ref<const std::string&>());
    } else {
      reject(Code::malformed, name, "not a list of strings");
    }
  }
  return out;
}

const json& JsonObject::any(std::string_view name) {
  static const json kNull;
  const json* value = member(name);
  return value == nullptr ? kNull : *value;
}

void JsonObject::ignore(const std::string& name) {
  asked_.insert(name);
}

Result<void> JsonObject::finish() {
  if (error_) return std::unexpected(*error_);
  const bool all_asked =
      std::ranges::all_of(value_.items(), [&](const auto& item) { return asked_.contains(item.key()); });
  // The name is the peer's: it is not repeated.
  if (!all_asked) return fail(Code::malformed, fmt::format("{}: a member that is not part of it", structure_));
  return {};
}

std::string json_quote(std::string_view text) {
  return json(text).dump();
}

}  // namespace waxwing::exchange
