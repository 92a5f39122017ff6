// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/appraisal/policy.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"

/// The statement of protocol waxwing/1 (docs/protocols/waxwing.md section 3): one JSON object that the worker signs by
/// having its hash in a hardware report. Both sides hash the very bytes that travel and read those same bytes.
namespace waxwing::exchange {

inline constexpr std::string_view kProtocolVersion = "waxwing/1";
inline constexpr std::size_t kMaxStatementSize = std::size_t{64} << 10U;
/// Feature: streamed answers can be padded (inner field `waxwing-pad: 256`).
inline constexpr std::string_view kFeaturePad256 = "pad-256";
/// Inner request field that says who may share a prompt cache; it never reaches the engine.
inline constexpr std::string_view kCacheScopeField = "waxwing-cache-scope";

/// 16 random bytes that name one set of worker keys: drawn at start, constant over key rotations.
using WorkerId = ByteArray<16>;

/// Where the gateway sends plaintext, decided from the address it really connects to.
using appraisal::EngineReach;

/// Evidence of a device beside the CPU's: its kind and the SHA-256 of its bytes.
struct DeviceDigest {
  std::string kind;
  crypto::Sha256Digest sha256{};
  friend bool operator==(const DeviceDigest&, const DeviceDigest&) = default;
};

struct Statement {
  WorkerId worker{};
  Bytes keys;                                           ///< body of application/ohttp-keys, the current key first
  std::optional<ByteArray<32>> ehbp_key;                ///< raw X25519 public key of the EHBP service, if it runs
  std::optional<crypto::Sha256Digest> tls_spki_sha256;  ///< of the key that terminates outer TLS inside the TEE
  std::vector<DeviceDigest> devices;
  EngineReach engine_reach = EngineReach::remote;
  crypto::Sha256Digest config_sha256{};  ///< of the gateway's canonical configuration
  std::string build;                     ///< printable ASCII, 1..128 bytes
  std::vector<std::string> features;     ///< [a-z0-9-]{1,64}, no duplicates
  WallTime issued_at{};                  ///< whole seconds; by the worker's (the host's) clock
  WallTime expires_at{};                 ///< after issued_at
  std::vector<std::string> ext;          ///< names of further members that a reader may ignore

  [[nodiscard]] std::chrono::seconds life() const {
    return std::chrono::duration_cast<std::chrono::seconds>(expires_at - issued_at);
  }
  [[nodiscard]] bool has_feature(std::string_view name) const;
  friend bool operator==(const Statement&, const Statement&) = default;
};

/// The canonical bytes: members in the order of the protocol document, no white space. Precondition: the fields keep to
/// the shapes above, and `ext` is empty (this version has no extension to write). Code::internal otherwise.
[[nodiscard]] Result<Bytes> encode_statement(const Statement& statement);

/// Strict: every member present, unknown ones only if named in `ext`, one spelling per value (lowercase hex, padded
/// base64, unpadded base64url, RFC 3339 UTC seconds). Code::malformed, Code::too_large, Code::unsupported (another
/// version).
[[nodiscard]] Result<Statement> parse_statement(ByteView bytes);

/// "/.well-known/waxwing/request/<worker, base64url>".
inline constexpr std::string_view kRequestPathPrefix = "/.well-known/waxwing/request/";
[[nodiscard]] std::string request_path(const WorkerId& worker);
/// The worker named by a request path; Code::not_found for anything else.
[[nodiscard]] Result<WorkerId> parse_request_path(std::string_view path);

}  // namespace waxwing::exchange
