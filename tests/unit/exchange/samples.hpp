// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "support/scripted_random.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/exchange/document.hpp"
#include "waxwing/exchange/statement.hpp"
#include "waxwing/exchange/worker_keys.hpp"

namespace waxwing::test {

inline WallTime noon() {
  return from_rfc3339("2026-11-24T12:00:00Z").value();
}

template <std::size_t N>
ByteArray<N> filled(std::uint8_t value) {
  ByteArray<N> out;
  out.fill(static_cast<std::byte>(value));
  return out;
}

/// Every optional member is there.
inline exchange::Statement full_statement() {
  exchange::Statement s;
  s.worker = filled<16>(0x11);
  s.keys = to_bytes(as_bytes("not looked at by the statement's reader"));
  s.ehbp_key = filled<32>(0x22);
  s.tls_spki_sha256 = filled<32>(0x33);
  s.devices = {{"nvidia-gpu", filled<32>(0x44)}};
  s.engine_reach = exchange::EngineReach::loopback;
  s.config_sha256 = filled<32>(0x55);
  s.build = "waxwing-gateway 1.0 \"test\"";
  s.features = {"pad-256", "other"};
  s.issued_at = noon();
  s.expires_at = noon() + std::chrono::minutes(70);
  return s;
}

inline std::string text_of(const exchange::Statement& s) {
  return std::string(as_text(encode_statement(s).value()));
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::invalid_argument("nothing to replace");
  return text.replace(at, from.size(), to);
}

inline exchange::AttestationDocument sample_document() {
  exchange::AttestationDocument d;
  d.statement = encode_statement(full_statement()).value();
  d.evidence = {{"sev-snp", to_bytes(as_bytes("a report")),
                 exchange::encode_snp_endorsements({{to_bytes(as_bytes("ek")), to_bytes(as_bytes("ask"))}, {}})},
                {"nvidia-gpu", to_bytes(as_bytes("a device's")), "null"}};
  d.nonce_path = {2, 5, {filled<32>(1), filled<32>(2), filled<32>(3)}};
  return d;
}

}  // namespace waxwing::test
