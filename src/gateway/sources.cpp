// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway/sources.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstring>

#include "waxwing/base/encoding.hpp"

namespace waxwing::gateway {
namespace {

constexpr std::chrono::minutes kWindow{1};

}  // namespace

std::string source_of(const net::PeerAddress& peer) {
  if (peer.is_unix()) return "unix";
  ByteArray<16> address{};
  if (inet_pton(AF_INET6, peer.host.c_str(), address.data()) != 1) return peer.host;
  // ::ffff:a.b.c.d is an IPv4 peer on a dual-stack socket: its /64 would be everybody's.
  constexpr std::size_t kMappedPrefix = 12;
  constexpr std::array<std::uint8_t, kMappedPrefix> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(address.data(), kMapped.data(), kMapped.size()) == 0) return to_hex(address);
  return to_hex(ByteView(address).first(8)) + "/64";
}

const MinuteCounter::Entry* MinuteCounter::find(std::string_view source, BootTime now) const {
  const auto found = entries_.find(std::string(source));
  const Entry* entry = found != entries_.end() ? &found->second : entries_.size() >= sources_ ? &others_ : nullptr;
  return entry != nullptr && now - entry->begun < kWindow ? entry : nullptr;
}

void MinuteCounter::count(std::string_view source, BootTime now) {
  const std::string key(source);
  if (!entries_.contains(key) && entries_.size() >= sources_) {
    std::erase_if(entries_, [&](const auto& entry) { return now - entry.second.begun >= kWindow; });
  }
  Entry& entry = entries_.contains(key) || entries_.size() < sources_ ? entries_[key] : others_;
  if (now - entry.begun >= kWindow) entry = {now, 0};
  ++entry.events;
}

bool MinuteCounter::exceeded(std::string_view source, BootTime now) const {
  const Entry* entry = find(source, now);
  return entry != nullptr && entry->events >= limit_;
}

RunningCounter::Hold RunningCounter::enter(std::string_view source) {
  std::string key(source);
  std::uint32_t& running = running_[key];
  if (running >= limit_) return {nullptr, {}};
  ++running;
  ++total_;
  return {this, std::move(key)};
}

void RunningCounter::release(const std::string& source) {
  --total_;
  const auto found = running_.find(source);
  if (found != running_.end() && --found->second == 0) running_.erase(found);
}

}  // namespace waxwing::gateway
