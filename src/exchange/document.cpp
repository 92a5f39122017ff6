// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/document.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "json_object.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/base/json_strict.hpp"
#include "waxwing/exchange/nonce_batch.hpp"
#include "waxwing/exchange/statement.hpp"

namespace waxwing::exchange {
namespace {

constexpr std::size_t kMaxEvidence = 8;
constexpr std::size_t kMaxKind = 64;
// A path of 2^20 leaves has 20 nodes.
constexpr std::size_t kMaxNodes = 20;
constexpr std::string_view kReportDataLabel = "waxwing/1 report-data";
constexpr std::string_view kDeviceNonceLabel = "waxwing/1 device";
constexpr std::byte kZero{0};

ByteView zero() {
  return {&kZero, 1};
}

Result<EvidenceItem> read_evidence(const nlohmann::json& value) {
  JsonObject in("evidence", value);
  EvidenceItem item;
  item.kind = in.text("kind");
  item.data = in.base64("data");
  item.endorsements = in.any("endorsements").dump();
  WAXWING_TRY(in.finish());
  if (item.kind.empty() || item.kind.size() > kMaxKind) return fail(Code::malformed, "evidence: kind: wrong length");
  return item;
}

Result<NoncePath> read_nonce_path(const nlohmann::json& value) {
  JsonObject in("nonce path", value);
  NoncePath path;
  path.index = in.number("index");
  path.size = in.number("size");
  for (const Bytes& node : in.base64_list("nodes")) {
    if (node.size() != crypto::MerkleHash{}.size()) {
      in.reject(Code::malformed, "nodes", "a node that is not 32 bytes");
      break;
    }
    path.nodes.push_back(to_array<32>(node));
  }
  if (path.nodes.size() > kMaxNodes) in.reject(Code::malformed, "nodes", "too many");
  WAXWING_TRY(in.finish());
  return path;
}

std::string quoted_base64(ByteView bytes) {
  return fmt::format("\"{}\"", to_base64(bytes));
}

}  // namespace

std::string attestation_target(const Nonce& nonce) {
  return fmt::format("{}?nonce={}", kAttestationPath, to_base64url(nonce));
}

Result<Nonce> parse_nonce(std::string_view base64url) {
  const auto bytes = from_base64url(base64url);
  if (!bytes || bytes->size() != Nonce{}.size()) return fail(Code::bad_request, "nonce: not 32 bytes in base64url");
  return to_array<Nonce{}.size()>(*bytes);
}

Result<AttestationDocument> parse_document(std::string_view json, const Limits& limits) {
  WAXWING_ASSIGN(const nlohmann::json root, parse_json_strict(json, limits));
  JsonObject in("attestation document", root);
  AttestationDocument document;
  document.statement = in.base64("statement");
  const auto evidence = in.list("evidence");
  const nlohmann::json& nonce_path = in.any("nonce_path");
  WAXWING_TRY(in.finish());

  if (document.statement.empty() || document.statement.size() > kMaxStatementSize) {
    return fail(Code::malformed, "attestation document: statement: wrong length");
  }
  if (evidence.empty() || evidence.size() > kMaxEvidence) {
    return fail(Code::malformed, "attestation document: evidence: none or too many");
  }
  for (const nlohmann::json& item : evidence) {
    WAXWING_ASSIGN(EvidenceItem read, read_evidence(item));
    document.evidence.push_back(std::move(read));
  }
  WAXWING_ASSIGN(document.nonce_path, read_nonce_path(nonce_path));
  return document;
}

std::string encode_document(const AttestationDocument& document) {
  const std::string evidence = json_list(document.evidence, [](const EvidenceItem& item) {
    return fmt::format(R"({{"kind":{},"data":"{}","endorsements":{}}})", json_quote(item.kind), to_base64(item.data),
                       item.endorsements);
  });
  return fmt::format(
      R"({{"statement":"{}","evidence":{},"nonce_path":{{"index":{},"size":{},"nodes":{}}}}})",
      to_base64(document.statement), evidence, document.nonce_path.index, document.nonce_path.size,
      json_list(document.nonce_path.nodes, [](const crypto::MerkleHash& node) { return quoted_base64(node); }));
}

std::string encode_snp_endorsements(const SnpEndorsements& endorsements) {
  return fmt::format(R"({{"chain":{},"crl":{}}})",
                     json_list(endorsements.chain, [](const Bytes& der) { return quoted_base64(der); }),
                     endorsements.crl ? quoted_base64(*endorsements.crl) : "null");
}

Result<SnpEndorsements> parse_snp_endorsements(std::string_view json, const Limits& limits) {
  WAXWING_ASSIGN(const nlohmann::json root, parse_json_strict(json, limits));
  JsonObject in("endorsements", root);
  SnpEndorsements endorsements;
  endorsements.chain = in.base64_list("chain");
  endorsements.crl = in.base64_or_null("crl");
  WAXWING_TRY(in.finish());
  const auto fits = [&](const Bytes& der) { return !der.empty() && der.size() <= limits.certificate; };
  if (endorsements.chain.empty() || endorsements.chain.size() > limits.certificates ||
      !std::ranges::all_of(endorsements.chain, fits) || (endorsements.crl && !fits(*endorsements.crl))) {
    return fail(Code::malformed, "endorsements: no certificate, or one beyond the limits");
  }
  return endorsements;
}

Result<crypto::MerkleHash> nonce_root(const Nonce& nonce, const NoncePath& path) {
  if (path.size > kMaxNonces) return fail(Code::malformed, "nonce path: more leaves than the protocol allows");
  return crypto::merkle_root_from_path(crypto::merkle_leaf(nonce), path.index, path.size, path.nodes);
}

ByteArray<64> report_data(const crypto::MerkleHash& nonce_root, ByteView statement) {
  const crypto::Sha512Digest digest = crypto::sha512(statement);
  return crypto::sha512({as_bytes(kReportDataLabel), zero(), nonce_root, digest});
}

crypto::Sha256Digest device_nonce(const crypto::MerkleHash& nonce_root) {
  return crypto::sha256({as_bytes(kDeviceNonceLabel), zero(), nonce_root});
}

}  // namespace waxwing::exchange
