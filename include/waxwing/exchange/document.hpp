// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/crypto/merkle.hpp"

/// The attestation document of protocol waxwing/1 (docs/protocols/waxwing.md sections 2 and 4): a statement, evidence,
/// and the way from the client's nonce to the nonce root that the evidence carries.
namespace waxwing::exchange {

inline constexpr std::size_t kMaxDocumentSize = std::size_t{1} << 20U;

/// Drawn by a client for one question and never used again.
using Nonce = ByteArray<32>;

/// "/.well-known/waxwing/attestation?nonce=<43 characters, base64url>".
inline constexpr std::string_view kAttestationPath = "/.well-known/waxwing/attestation";
[[nodiscard]] std::string attestation_target(const Nonce& nonce);
/// The gateway's side: the value of `nonce`. Code::bad_request unless it is 32 bytes.
[[nodiscard]] Result<Nonce> parse_nonce(std::string_view base64url);

/// RFC 6962 audit path of one nonce: 0 <= index < size <= 2^20.
struct NoncePath {
  std::uint64_t index = 0;
  std::uint64_t size = 1;
  std::vector<crypto::MerkleHash> nodes;
  friend bool operator==(const NoncePath&, const NoncePath&) = default;
};

/// One piece of evidence. `endorsements` is the kind's own JSON value as text ("null" when there is none).
struct EvidenceItem {
  std::string kind;  ///< "sev-snp", ...
  Bytes data;
  std::string endorsements = "null";
};

struct AttestationDocument {
  Bytes statement;  ///< exactly as received: what is hashed is what is read
  std::vector<EvidenceItem> evidence;
  NoncePath nonce_path;
};

/// Code::malformed or Code::too_large. Proves nothing.
[[nodiscard]] Result<AttestationDocument> parse_document(std::string_view json, const Limits& limits);
/// Precondition: every `endorsements` is a JSON text.
[[nodiscard]] std::string encode_document(const AttestationDocument& document);

/// The endorsements of "sev-snp" evidence: {"chain": [base64 DER: endorsement key, intermediates, root], "crl": base64
/// DER or null}.
struct SnpEndorsements {
  std::vector<Bytes> chain;
  std::optional<Bytes> crl;
  friend bool operator==(const SnpEndorsements&, const SnpEndorsements&) = default;
};
[[nodiscard]] std::string encode_snp_endorsements(const SnpEndorsements& endorsements);
/// Code::malformed or Code::too_large; the certificates themselves are not read.
[[nodiscard]] Result<SnpEndorsements> parse_snp_endorsements(std::string_view json, const Limits& limits);

/// The root that this nonce and its path lead to; Code::malformed when the path cannot belong to (index, size).
[[nodiscard]] Result<crypto::MerkleHash> nonce_root(const Nonce& nonce, const NoncePath& path);

/// REPORTDATA: SHA-512("waxwing/1 report-data" || 0x00 || nonce_root || SHA-512(statement)).
[[nodiscard]] ByteArray<64> report_data(const crypto::MerkleHash& nonce_root, ByteView statement);
/// The nonce of further (device) evidence: SHA-256("waxwing/1 device" || 0x00 || nonce_root).
[[nodiscard]] crypto::Sha256Digest device_nonce(const crypto::MerkleHash& nonce_root);

}  // namespace waxwing::exchange
