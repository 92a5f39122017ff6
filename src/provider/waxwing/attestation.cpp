// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/provider/waxwing/attestation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/exchange/document.hpp"

namespace waxwing::provider::native {
namespace {

namespace sev_snp = evidence::sev_snp;
using evidence::Checklist;
using exchange::SessionKey;
using SessionKeyPtr = std::shared_ptr<const SessionKey>;

std::string_view to_string(crypto::AeadId id) {
  switch (id) {
    case crypto::AeadId::aes_128_gcm:
      return "aes-128-gcm";
    case crypto::AeadId::aes_256_gcm:
      return "aes-256-gcm";
    case crypto::AeadId::chacha20_poly1305:
      return "chacha20-poly1305";
  }
  return "";
}

/// Readers of shapes do not know what they read; here it is evidence.
Error as_evidence(const Error& error, std::string frame) {
  return Error(Code::evidence_malformed, error.text()).with(std::move(frame));
}

/// The only piece of evidence of our kind; others are for machines that know them.
Result<std::size_t> find_snp(const exchange::AttestationDocument& document) {
  const auto is_snp = [](const exchange::EvidenceItem& item) { return item.kind == kEvidenceKind; };
  const auto found = std::ranges::find_if(document.evidence, is_snp);
  if (found == document.evidence.end()) return fail(Code::evidence_unsupported, "no evidence of a kind known here");
  if (std::ranges::count_if(document.evidence, is_snp) != 1) {
    return fail(Code::evidence_malformed, "two pieces of evidence of one kind");
  }
  return static_cast<std::size_t>(found - document.evidence.begin());
}

Result<exchange::AttestationDocument> read_document(const std::string& text) {
  auto document = exchange::parse_document(text, Limits::evidence());
  if (!document) return std::unexpected(as_evidence(document.error(), "reading the attestation document"));
  return document;
}

Result<sev_snp::Endorsements> read_endorsements(const exchange::EvidenceItem& item) {
  const Limits limits = Limits::evidence();
  auto wire = exchange::parse_snp_endorsements(item.endorsements, limits);
  if (!wire) return std::unexpected(as_evidence(wire.error(), "reading the endorsements"));
  const std::optional<ByteView> crl = wire->crl ? std::optional<ByteView>(*wire->crl) : std::nullopt;
  return sev_snp::Endorsements::from_der(wire->chain, crl, limits);
}

Result<sev_snp::VerifiedReport> verify_evidence(const exchange::AttestationDocument& document,
                                                const sev_snp::Roots& roots, sev_snp::CrlPolicy crl, Now now,
                                                Checklist& checks) {
  WAXWING_ASSIGN(const std::size_t place, find_snp(document));
  const exchange::EvidenceItem& item = document.evidence[place];
  WAXWING_ASSIGN(const auto report, sev_snp::parse_unverified(item.data, checks));
  WAXWING_ASSIGN(const auto endorsements, read_endorsements(item));
  return sev_snp::verify(report, endorsements, roots, now.wall, crl, checks);
}

exchange::Answer circumstances(const AttestationAnswer& answer, const exchange::AttestationDocument& document) {
  return {.document = document, .nonce = answer.nonce, .drawn = answer.drawn, .peer = answer.peer};
}

/// What the way through the proof types leaves behind, also when it ends early.
struct Trail {
  Checklist checks;
  appraisal::VerdictFacts facts;
};

void add_facts(appraisal::VerdictFacts& facts, const SessionKey& key) {
  facts.worker = to_base64url(key.worker());
  facts.statement_sha256 = to_hex(key.statement_sha256());
  facts.engine_reach = appraisal::to_string(key.statement().engine_reach);
  facts.channel = fmt::format("{}, {}", crypto::to_string(key.public_key().id()), to_string(key.aead()));
  facts.not_after = key.not_after();
}

Result<SessionKeyPtr> run(const AttestationAnswer& answer, const Trust& trust, Now now, Trail& trail) {
  WAXWING_ASSIGN(const auto document, read_document(answer.document));
  WAXWING_ASSIGN(const auto verified, verify_evidence(document, trust.roots, trust.policy.snp.crl, now, trail.checks));
  trail.facts = appraisal::facts_of(verified);
  WAXWING_ASSIGN(const auto worker, appraisal::appraise(verified, trust.policy, now, trail.checks));
  trail.facts = appraisal::facts_of(worker);

  const exchange::ExchangePolicy policy{.kems = trust.client.kems,
                                        .padding = trust.client.padding,
                                        .tls_binding = trust.client.tls_binding,
                                        .max_age = trust.policy.max_age};
  const exchange::Answer bound{.document = document, .nonce = answer.nonce, .drawn = answer.drawn, .peer = answer.peer};
  WAXWING_ASSIGN(auto key, exchange::establish(worker, bound, policy, now, trail.checks));
  add_facts(trail.facts, key);
  return std::make_shared<const SessionKey>(std::move(key));
}

}  // namespace

Attested judge(const AttestationAnswer& answer, const Trust& trust, Now now) {
  Trail trail;
  auto key = run(answer, trust, now, trail);
  const std::optional<Error> error = key ? std::nullopt : std::optional(key.error());
  auto verdict = appraisal::judge(trail.checks, error, std::move(trail.facts), now.wall, {});
  return {std::move(verdict), std::move(key)};
}

appraisal::Verdict judge_evidence(const AttestationAnswer& answer, const sev_snp::Roots& roots, sev_snp::CrlPolicy crl,
                                  Now now) {
  Trail trail;
  const auto judged = [&]() -> Result<void> {
    WAXWING_ASSIGN(const auto document, read_document(answer.document));
    WAXWING_ASSIGN(const auto verified, verify_evidence(document, roots, crl, now, trail.checks));
    trail.facts = appraisal::facts_of(verified);
    return exchange::check_binding(verified.report().report_data, circumstances(answer, document), trail.checks);
  }();
  const std::optional<Error> error = judged ? std::nullopt : std::optional(judged.error());
  return appraisal::judge(trail.checks, error, std::move(trail.facts), now.wall, {});
}

AttestationQuestion::AttestationQuestion(const exchange::Nonce& nonce, Now drawn)
    : nonce_(nonce), drawn_(drawn), target_(exchange::attestation_target(nonce)) {}

AttestationQuestion AttestationQuestion::draw(Random& random, Now now) {
  return {random.array<exchange::Nonce{}.size()>(), now};
}

AttestationAnswer AttestationQuestion::answer(std::string document, std::optional<PeerKey> peer) && {
  return {std::move(document), nonce_, drawn_, peer};
}

}  // namespace waxwing::provider::native
