// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/provider/waxwing/attestation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "waxwing/appraisal/appraise.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/evidence/tdx/collateral.hpp"
#include "waxwing/evidence/tdx/quote.hpp"
#include "waxwing/exchange/document.hpp"

namespace waxwing::provider::native {
namespace {

namespace sev_snp = evidence::sev_snp;
namespace tdx = evidence::tdx;
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

/// The only piece of evidence of our kinds; others are for machines that know them.
Result<std::size_t> find_evidence(const exchange::AttestationDocument& document) {
  const auto is_known = [](const exchange::EvidenceItem& item) {
    return item.kind == kSnpKind || item.kind == kTdxKind;
  };
  const auto found = std::ranges::find_if(document.evidence, is_known);
  if (found == document.evidence.end()) return fail(Code::evidence_unsupported, "no evidence of a kind known here");
  if (std::ranges::count_if(document.evidence, is_known) != 1) {
    return fail(Code::evidence_malformed, "two pieces of evidence of one worker");
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

using Verified = std::variant<sev_snp::VerifiedReport, tdx::VerifiedQuote>;

/// What evidence of each kind is verified by.
struct Yardstick {
  const sev_snp::Roots& snp_roots;
  sev_snp::CrlPolicy crl;
  const tdx::Roots& tdx_roots;
  tdx::TrailingBytes trailing;
};

Result<Verified> verify_snp(const exchange::EvidenceItem& item, const Yardstick& yardstick, Now now,
                            Checklist& checks) {
  WAXWING_ASSIGN(const auto report, sev_snp::parse_unverified(item.data, checks));
  WAXWING_ASSIGN(const auto endorsements, read_endorsements(item));
  WAXWING_ASSIGN(auto verified,
                 sev_snp::verify(report, endorsements, yardstick.snp_roots, now.wall, yardstick.crl, checks));
  return verified;
}

Result<Verified> verify_tdx(const exchange::EvidenceItem& item, const Yardstick& yardstick, Now now,
                            Checklist& checks) {
  WAXWING_ASSIGN(const auto quote, tdx::parse_unverified(item.data, yardstick.trailing, checks));
  auto collateral = tdx::parse_collateral(item.endorsements, Limits::evidence());
  if (!collateral) return std::unexpected(as_evidence(collateral.error(), "reading the endorsements"));
  WAXWING_ASSIGN(auto verified, tdx::verify(quote, *collateral, yardstick.tdx_roots, now.wall, checks));
  return verified;
}

Result<Verified> verify_evidence(const exchange::AttestationDocument& document, const Yardstick& yardstick, Now now,
                                 Checklist& checks) {
  WAXWING_ASSIGN(const std::size_t place, find_evidence(document));
  const exchange::EvidenceItem& item = document.evidence[place];
  return item.kind == kTdxKind ? verify_tdx(item, yardstick, now, checks) : verify_snp(item, yardstick, now, checks);
}

appraisal::VerdictFacts facts_of(const Verified& verified) {
  return std::visit([](const auto& evidence) { return appraisal::facts_of(evidence); }, verified);
}

const ByteArray<64>& report_data_of(const Verified& verified) {
  if (const auto* quote = std::get_if<tdx::VerifiedQuote>(&verified)) return quote->quote().body.report_data;
  return std::get<sev_snp::VerifiedReport>(verified).report().report_data;
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
  const Yardstick yardstick{trust.roots, trust.policy.snp.crl, trust.policy.tdx_roots, trust.policy.tdx.trailing};
  WAXWING_ASSIGN(const Verified verified, verify_evidence(document, yardstick, now, trail.checks));
  trail.facts = facts_of(verified);
  WAXWING_ASSIGN(
      const auto worker,
      std::visit([&](const auto& evidence) { return appraisal::appraise(evidence, trust.policy, now, trail.checks); },
                 verified));
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

appraisal::Verdict judge_evidence(const AttestationAnswer& answer, const EvidenceRoots& roots, sev_snp::CrlPolicy crl,
                                  Now now) {
  Trail trail;
  const auto judged = [&]() -> Result<void> {
    WAXWING_ASSIGN(const auto document, read_document(answer.document));
    const Yardstick yardstick{roots.sev_snp, crl, roots.tdx, tdx::TrailingBytes::zero_only};
    WAXWING_ASSIGN(const Verified verified, verify_evidence(document, yardstick, now, trail.checks));
    trail.facts = facts_of(verified);
    return exchange::check_binding(report_data_of(verified), circumstances(answer, document), trail.checks);
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
