// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/tdx/verify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

#include "pck_extensions.hpp"
#include "standing.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::evidence::tdx {
namespace {

using crypto::Certificate;
using crypto::Crl;

constexpr std::string_view kPckProfile = "Intel SGX PCK certificate and CRL profile";
constexpr std::string_view kPckExtensionTable = "Intel SGX PCK certificate and CRL profile, SGX extensions";
constexpr std::string_view kValidityClause = "RFC 5280 section 4.1.2.5";
constexpr std::string_view kPathClause = "RFC 5280 section 6; Intel SGX PCK certificate and CRL profile";
constexpr std::string_view kCrlClause = "RFC 5280 section 5; Intel SGX PCK certificate and CRL profile";
constexpr std::string_view kTcbInfoClause = "Intel PCS API v4, Get TDX TCB Info";
constexpr std::string_view kQeIdentityClause = "Intel PCS API v4, Get TDX QE Identity";
constexpr std::string_view kSignatureTable = "Intel TDX DCAP Quoting Library API, ECDSA 256-bit Quote Signature Data";
constexpr std::string_view kModuleClause = "Intel PCS API v4, Get TDX TCB Info, tdxModuleIdentities";
constexpr std::string_view kLevelClause = "Intel PCS API v4, Get TDX TCB Info, tcbLevels";
constexpr std::string_view kReportTable = "Intel SDM volume 3D, REPORT";

constexpr std::string_view kRootCn = "Intel SGX Root CA";
constexpr std::string_view kPlatformCaCn = "Intel SGX PCK Platform CA";
constexpr std::string_view kProcessorCaCn = "Intel SGX PCK Processor CA";
constexpr std::string_view kPckCn = "Intel SGX PCK Certificate";
constexpr std::string_view kTcbSigningCn = "Intel SGX TCB Signing";
constexpr std::size_t kPckChainLength = 3;
constexpr std::size_t kSigningChainLength = 2;

bool is_pck_ca(std::string_view cn) {
  return cn == kPlatformCaCn || cn == kProcessorCaCn;
}

bool within(WallTime from, WallTime now, std::optional<WallTime> until) {
  return to_unix(from) <= to_unix(now) && until && to_unix(now) <= to_unix(*until);
}

std::string span_of(WallTime from, std::optional<WallTime> until) {
  return fmt::format("{} to {}", to_rfc3339(from), until ? to_rfc3339(*until) : "open end");
}

/// Dates are judged by checks of their own.
bool is_about_time(crypto::ChainError kind) {
  return kind == crypto::ChainError::not_yet_valid || kind == crypto::ChainError::expired;
}

bool is_p256_with_sha256(const Certificate& certificate) {
  const auto key = certificate.public_key();
  return certificate.version() == 3 && key && key->is_ec(crypto::Curve::p256) &&
         certificate.is_signed_with_ecdsa_sha256();
}

bool signature_holds(const Certificate& signer, ByteView message, const ByteArray<64>& signature) {
  const auto key = signer.public_key();
  const ByteView r_s = signature;
  return key && key->is_ec(crypto::Curve::p256) && key->verify_ecdsa(message, r_s.first(32), r_s.last(32)).has_value();
}

template <std::size_t N>
bool equal_under_mask(const ByteArray<N>& value, const ByteArray<N>& wanted, const ByteArray<N>& mask) {
  for (std::size_t i = 0; i < N; ++i)
    if ((value[i] & mask[i]) != (wanted[i] & mask[i])) return false;
  return true;
}

/// Leaf, intermediate, root as the quote carries them; `label` and `trusted` say what the root is.
struct PckChain {
  Certificate pck;
  Certificate issuer;
  Certificate root;
  std::string label;
  bool trusted = false;
};

class Verification {
 public:
  Verification(const Quote& quote, const Collateral& collateral, WallTime now, Checklist& checks)
      : quote_(quote), collateral_(collateral), now_(now), checks_(checks) {}

  void check_pck_chain(const Roots& roots) {
    read_pck_chain(roots);
    if (!chain_) return;
    checks_.require("tdx.root.pinned", chain_->trusted, "a pinned root",
                    fmt::format("{} {}{}", chain_->root.subject_cn(), to_hex(chain_->root.fingerprint()),
                                chain_->label.empty() ? "" : fmt::format(" ({})", chain_->label)),
                    kPckProfile);
    const std::string names =
        fmt::format("{}; {}; {}", chain_->pck.subject_cn(), chain_->issuer.subject_cn(), chain_->root.subject_cn());
    checks_.require("tdx.pck.names",
                    chain_->pck.subject_cn() == kPckCn && !chain_->pck.is_ca() &&
                        is_pck_ca(chain_->issuer.subject_cn()) && chain_->root.subject_cn() == kRootCn,
                    fmt::format("{}, no authority; {} or {}; {}", kPckCn, kPlatformCaCn, kProcessorCaCn, kRootCn),
                    chain_->pck.is_ca() ? fmt::format("{}, the first an authority", names) : names, kPckProfile);
    const auto path = crypto::verify_chain(chain_->pck, std::span(&chain_->issuer, 1), std::span(&chain_->root, 1),
                                           kPckChainLength, now_);
    const bool holds = path || is_about_time(path.error().kind);
    checks_.require("tdx.pck.path", holds, "each signed by the next",
                    holds ? "each signed by the next" : path.error().text, kPathClause);
    check_algorithms();
    check_validity();
    extensions_ = read_pck_extensions(chain_->pck);
    checks_.require("tdx.pck.extensions", extensions_.problems.empty(), "each once, well-formed",
                    extensions_.problems.empty() ? "each once, well-formed"
                                                 : fmt::format("{}", fmt::join(extensions_.problems, ", ")),
                    kPckExtensionTable);
  }

  void check_revocation() {
    if (!chain_) return;
    const Crl& of_root = collateral_.root_ca_crl;
    check_crl_signature("tdx.root-crl.signature", of_root, chain_->root);
    checks_.require("tdx.root-crl.validity", within(of_root.this_update(), now_, of_root.next_update()),
                    fmt::format("current at {}", to_rfc3339(now_)),
                    span_of(of_root.this_update(), of_root.next_update()), kCrlClause);
    check_not_revoked("tdx.root-crl.revocation", of_root,
                      {&chain_->root, &chain_->issuer, &collateral_.pck_crl_issuer_chain.front(),
                       &collateral_.tcb_info.chain.front(), &collateral_.qe_identity.chain.front()});
    check_pck_crl_issuer();
    const Crl& of_pck = collateral_.pck_crl;
    check_crl_signature("tdx.pck-crl.signature", of_pck, chain_->issuer);
    checks_.require("tdx.pck-crl.validity", within(of_pck.this_update(), now_, of_pck.next_update()),
                    fmt::format("current at {}", to_rfc3339(now_)), span_of(of_pck.this_update(), of_pck.next_update()),
                    kCrlClause);
    check_not_revoked("tdx.pck-crl.revocation", of_pck, {&chain_->pck});
  }

  void check_tcb_info() {
    const SignedDocument& document = collateral_.tcb_info;
    if (!check_signer("tdx.tcb-info.chain", document, kTcbInfoClause) ||
        !check_document_signature("tdx.tcb-info.signature", document, kTcbInfoClause))
      return;
    auto parsed = parse_tcb_info(document.text);
    if (!check_parsed("tdx.tcb-info.type", "tdx.tcb-info.format", parsed, "TDX, version 3", kTcbInfoClause)) return;
    info_ = *std::move(parsed);
    check_current("tdx.tcb-info.validity", *info_, kTcbInfoClause);
    checks_.require("tdx.tcb-info.fmspc", info_->fmspc == platform().fmspc, to_hex(platform().fmspc),
                    to_hex(info_->fmspc), kTcbInfoClause);
    checks_.require("tdx.tcb-info.pce-id", info_->pce_id == platform().pce_id, to_hex(platform().pce_id),
                    to_hex(info_->pce_id), kTcbInfoClause);
  }

  void check_qe_identity() {
    const SignedDocument& document = collateral_.qe_identity;
    if (!check_signer("tdx.qe-identity.chain", document, kQeIdentityClause) ||
        !check_document_signature("tdx.qe-identity.signature", document, kQeIdentityClause))
      return;
    auto parsed = parse_qe_identity(document.text);
    if (!check_parsed("tdx.qe-identity.type", "tdx.qe-identity.format", parsed, "TD_QE, version 2 or 3",
                      kQeIdentityClause))
      return;
    qe_ = *std::move(parsed);
    check_current("tdx.qe-identity.validity", *qe_, kQeIdentityClause);
  }

  /// From the platform's key over the quoting enclave to the quote.
  void check_signatures() {
    const QeReport& report = quote_.qe_report;
    if (chain_)
      checks_.require("tdx.qe.signature", signature_holds(chain_->pck, report.signed_bytes, quote_.qe_report_signature),
                      "the PCK's", "of these bytes and that key", kSignatureTable);
    const auto digest = crypto::sha256({quote_.attestation_key, quote_.qe_auth_data});
    const ByteView data = report.report_data;
    checks_.require("tdx.qe.report-data", std::ranges::equal(data.first(32), digest) && all_zero(data.subspan(32)),
                    fmt::format("{}, then zeros", to_hex(digest)), to_hex(data), kSignatureTable);
    check_qe_is_the_one();
    checks_.require("tdx.qe.debug", (report.attributes[0] & std::byte{2}) == std::byte{0}, "no debugging",
                    to_hex(report.attributes), kReportTable);
    const auto key = crypto::PublicKey::from_ec_point(crypto::Curve::p256, quote_.attestation_key);
    const ByteView r_s = quote_.signature;
    const bool holds = key && key->verify_ecdsa(quote_.signed_bytes, r_s.first(32), r_s.last(32)).has_value();
    checks_.require("tdx.quote.signature", holds, "the attestation key's",
                    holds ? "the attestation key's" : "not verified", kSignatureTable);
  }

  void check_standing() {
    if (!info_ || !qe_ || !chain_)
      return checks_.skip("tdx.tcb.level", "there is nothing to compare the platform to", kLevelClause);
    const Standing standing{quote_.body, quote_.body_type, quote_.qe_report, platform(), *info_, *qe_};
    check_module(standing);
    const ReachedLevels levels = standing.reached();
    const std::string behind = describe(standing.shortfalls());
    bool known = reached("tdx.tcb.level", levels.tdx != nullptr, behind, kLevelClause);
    if (standing.module_major() > 0)
      known &= reached("tdx.module.level", levels.module != nullptr, behind, kModuleClause);
    else
      checks_.skip("tdx.module.level", "the platform's level judges this module", kModuleClause);
    known &= reached("tdx.qe.level", levels.qe != nullptr, behind, kQeIdentityClause);
    if (!known || levels.tdx == nullptr || levels.qe == nullptr) return;
    const bool statuses = levels.tdx->standing.status && levels.qe->standing.status &&
                          (levels.module == nullptr || levels.module->standing.status);
    if (checks_.require("tdx.tcb.status", statuses, "known", statuses ? "known" : "a status that is not known",
                        kLevelClause) &&
        statuses)
      result_ = standing.result(levels);
  }

  [[nodiscard]] const std::optional<PckChain>& chain() const { return chain_; }
  [[nodiscard]] const Platform& platform() const { return extensions_.platform; }
  [[nodiscard]] const std::optional<TcbResult>& result() const { return result_; }
  [[nodiscard]] std::uint32_t evaluation_number() const {
    return std::min(info_->evaluation_number, qe_->evaluation_number);
  }

  /// Precondition: the chain and both documents are there.
  [[nodiscard]] WallTime not_after() const {
    WallTime end = std::min({chain_->pck.not_after(), chain_->issuer.not_after(), chain_->root.not_after(),
                             info_->next_update, qe_->next_update});
    for (const auto* chain :
         {&collateral_.pck_crl_issuer_chain, &collateral_.tcb_info.chain, &collateral_.qe_identity.chain})
      for (const Certificate& certificate : *chain) end = std::min(end, certificate.not_after());
    for (const Crl* crl : {&collateral_.root_ca_crl, &collateral_.pck_crl})
      if (const auto next = crl->next_update()) end = std::min(end, *next);
    return end;
  }

 private:
  void read_pck_chain(const Roots& roots) {
    const auto parsed = Certificate::from_pem(quote_.pck_chain_pem, kPckChainLength);
    const bool whole = parsed && parsed->size() == kPckChainLength;
    checks_.require("tdx.pck.certificates", whole, "three certificates",
                    whole    ? "three certificates"
                    : parsed ? fmt::format("{} certificates", parsed->size())
                             : parsed.error().text(),
                    kPckProfile);
    if (!whole) return;
    chain_ = PckChain{(*parsed)[0], (*parsed)[1], (*parsed)[2], {}, false};
    const auto fingerprint = chain_->root.fingerprint();
    const auto own = std::ranges::find_if(
        roots.certificates, [&](const Root& root) { return root.certificate.fingerprint() == fingerprint; });
    const auto pin = std::ranges::find(roots.pinned, fingerprint, &PinnedRoot::certificate_sha256);
    chain_->trusted = own != roots.certificates.end() || pin != roots.pinned.end();
    if (own != roots.certificates.end())
      chain_->label = own->label;
    else if (pin != roots.pinned.end())
      chain_->label = pin->label;
  }

  void check_algorithms() {
    std::vector<std::string> others;
    for (const Certificate* certificate : {&chain_->pck, &chain_->issuer, &chain_->root})
      if (!is_p256_with_sha256(*certificate)) others.push_back(certificate->subject_cn());
    checks_.require("tdx.pck.algorithms", others.empty(), "version 3, P-256, ECDSA with SHA-256",
                    others.empty() ? "the same" : fmt::format("otherwise in {}", fmt::join(others, ", ")), kPckProfile);
  }

  void check_validity() {
    std::vector<std::string> outside;
    for (const Certificate* certificate : {&chain_->pck, &chain_->issuer, &chain_->root})
      if (!within(certificate->not_before(), now_, certificate->not_after()))
        outside.push_back(fmt::format("{} is valid {}", certificate->subject_cn(),
                                      span_of(certificate->not_before(), certificate->not_after())));
    checks_.require("tdx.pck.validity", outside.empty(), fmt::format("valid at {}", to_rfc3339(now_)),
                    outside.empty() ? "all are" : fmt::format("{}", fmt::join(outside, ", ")), kValidityClause);
  }

  void check_crl_signature(CheckName name, const Crl& crl, const Certificate& issuer) {
    const bool genuine = crl.issued_by(issuer) && crl.signed_by(issuer) && crl.is_signed_with_ecdsa_sha256();
    const std::string wanted = fmt::format("{}'s", issuer.subject_cn());
    checks_.require(name, genuine, wanted, genuine ? wanted : "another's", kCrlClause);
  }

  void check_not_revoked(CheckName name, const Crl& crl, std::initializer_list<const Certificate*> certificates) {
    std::vector<std::string> revoked;
    for (const Certificate* certificate : certificates)
      if (crl.revokes(*certificate)) revoked.push_back(certificate->subject_cn());
    checks_.require(name, revoked.empty(), "not revoked",
                    revoked.empty() ? "not revoked" : fmt::format("{} is revoked", fmt::join(revoked, ", ")),
                    kCrlClause);
  }

  /// What is wrong with a signer and the root above it, empty for nothing. Precondition: the PCK chain is there.
  [[nodiscard]] std::string problem_of(const std::vector<Certificate>& chain) const {
    if (chain.size() != kSigningChainLength) return fmt::format("{} certificates", chain.size());
    if (chain[1].fingerprint() != chain_->root.fingerprint()) return "it ends in another root";
    if (!is_p256_with_sha256(chain[0])) return "it is not of version 3 with P-256, ECDSA and SHA-256";
    const auto path = crypto::verify_chain(chain[0], {}, std::span(&chain[1], 1), kSigningChainLength, now_);
    return path ? "" : path.error().text;
  }

  bool check_signer(CheckName name, const SignedDocument& document, std::string_view clause) {
    if (!chain_) {
      checks_.skip(name, "there is no root to compare its own to", clause);
      return false;
    }
    std::string problem = problem_of(document.chain);
    const Certificate& signer = document.chain.front();
    if (problem.empty() && signer.subject_cn() != kTcbSigningCn) problem = fmt::format("{}", signer.subject_cn());
    if (problem.empty() && signer.is_ca()) problem = "it is an authority";
    const std::string wanted = fmt::format("{} below the same root, valid at {}", kTcbSigningCn, to_rfc3339(now_));
    return checks_.require(name, problem.empty(), wanted, problem.empty() ? wanted : problem, clause);
  }

  void check_pck_crl_issuer() {
    const std::vector<Certificate>& chain = collateral_.pck_crl_issuer_chain;
    std::string problem = problem_of(chain);
    if (problem.empty() && (chain[0].subject_cn() != chain_->issuer.subject_cn() ||
                            chain[0].spki_sha256() != chain_->issuer.spki_sha256()))
      problem = fmt::format("{} with another key", chain[0].subject_cn());
    const std::string wanted = fmt::format("{}, the PCK's issuer", chain_->issuer.subject_cn());
    checks_.require("tdx.pck-crl.issuer", problem.empty(), wanted, problem.empty() ? wanted : problem, kCrlClause);
  }

  bool check_document_signature(CheckName name, const SignedDocument& document, std::string_view clause) {
    const bool holds = signature_holds(document.chain.front(), as_bytes(document.text), document.signature);
    return checks_.require(name, holds, "its signer's", holds ? "its signer's" : "not verified", clause);
  }

  template <class T>
  bool check_parsed(CheckName type, CheckName format, const Result<T>& parsed, std::string_view wanted,
                    std::string_view clause) {
    const bool other = !parsed && parsed.error().code() == Code::unsupported;
    checks_.require(type, !other, std::string(wanted), other ? parsed.error().text() : std::string(wanted), clause);
    if (!other)
      checks_.require(format, parsed.has_value(), "well-formed", parsed ? "well-formed" : parsed.error().text(),
                      clause);
    return parsed.has_value();
  }

  template <class T>
  void check_current(CheckName name, const T& document, std::string_view clause) {
    checks_.require(name, within(document.issue_date, now_, document.next_update),
                    fmt::format("current at {}", to_rfc3339(now_)), span_of(document.issue_date, document.next_update),
                    clause);
  }

  void check_qe_is_the_one() {
    if (!qe_) return checks_.skip("tdx.qe.identity", "there is no identity to compare it to", kQeIdentityClause);
    const QeReport& report = quote_.qe_report;
    const bool equal = equal_under_mask(report.misc_select, qe_->misc_select, qe_->misc_select_mask) &&
                       equal_under_mask(report.attributes, qe_->attributes, qe_->attributes_mask) &&
                       report.mr_signer == qe_->mr_signer && report.isv_prod_id == qe_->isv_prod_id;
    checks_.require("tdx.qe.identity", equal,
                    fmt::format("MRSIGNER {}, ISVPRODID {}, ATTRIBUTES {}, MISCSELECT {}", to_hex(qe_->mr_signer),
                                qe_->isv_prod_id, to_hex(qe_->attributes), to_hex(qe_->misc_select)),
                    fmt::format("MRSIGNER {}, ISVPRODID {}, ATTRIBUTES {}, MISCSELECT {}", to_hex(report.mr_signer),
                                report.isv_prod_id, to_hex(report.attributes), to_hex(report.misc_select)),
                    kQeIdentityClause);
  }

  void check_module(const Standing& standing) {
    const TdReport& td = quote_.body;
    const ModuleIdentity* identity = standing.module();
    const bool equal = identity != nullptr && td.mr_signer_seam == identity->mr_signer &&
                       equal_under_mask(td.seam_attributes, identity->attributes, identity->attributes_mask) &&
                       all_zero(td.seam_attributes);
    checks_.require("tdx.module.identity", equal,
                    identity != nullptr ? fmt::format("MRSIGNERSEAM {}, SEAMATTRIBUTES {}", to_hex(identity->mr_signer),
                                                      to_hex(identity->attributes))
                                        : "a module that TCB info names",
                    fmt::format("major version {}, MRSIGNERSEAM {}, SEAMATTRIBUTES {}", standing.module_major(),
                                to_hex(td.mr_signer_seam), to_hex(td.seam_attributes)),
                    kModuleClause);
  }

  static std::string describe(const std::vector<Shortfall>& shortfalls) {
    if (shortfalls.empty()) return "the newest level";
    std::vector<std::string> texts;
    texts.reserve(shortfalls.size());
    for (const Shortfall& shortfall : shortfalls) texts.push_back(to_string(shortfall));
    return fmt::format("{}", fmt::join(texts, "; "));
  }

  bool reached(CheckName name, bool ok, const std::string& behind, std::string_view clause) {
    return checks_.require(name, ok, "one of the levels", ok ? "reached" : fmt::format("below all: {}", behind),
                           clause);
  }

  const Quote& quote_;
  const Collateral& collateral_;
  WallTime now_;
  Checklist& checks_;
  std::optional<PckChain> chain_;
  PckExtensions extensions_;
  std::optional<TcbInfo> info_;
  std::optional<QeIdentity> qe_;
  std::optional<TcbResult> result_;
};

}  // namespace

std::string to_string(const Shortfall& shortfall) {
  return fmt::format("{}: {}, newest {}", shortfall.component, shortfall.found, shortfall.newest);
}

crypto::Sha256Digest VerifiedQuote::evidence_sha256() const {
  return crypto::sha256(quote_.signed_bytes);
}

Result<VerifiedQuote> verify(const Quote& quote, const Collateral& collateral, const Roots& roots, WallTime now,
                             Checklist& checks) {
  if (collateral.pck_crl_issuer_chain.empty() || collateral.tcb_info.chain.empty() ||
      collateral.qe_identity.chain.empty())
    return fail(Code::evidence_malformed, "TDX collateral without a chain");
  Verification verification(quote, collateral, now, checks);
  verification.check_pck_chain(roots);
  verification.check_revocation();
  verification.check_tcb_info();
  verification.check_qe_identity();
  verification.check_signatures();
  verification.check_standing();
  if (const Check* failure = checks.first_failure())
    return fail(Code::evidence_rejected, fmt::format("{} does not hold: expected {}, found {}", failure->name,
                                                     failure->expected, failure->found));
  const auto& chain = verification.chain();
  const auto& result = verification.result();
  // Unreachable after checks that passed; kept so that a mistake above cannot become trust.
  if (!chain || !chain->trusted || !result)
    return fail(Code::evidence_rejected, "the evidence has no chain or no level");

  VerifiedQuote verified;
  verified.quote_ = quote;
  verified.platform_ = verification.platform();
  verified.tcb_ = *result;
  verified.evaluation_number_ = verification.evaluation_number();
  verified.anchor_label_ = chain->label;
  verified.anchor_sha256_ = chain->root.fingerprint();
  verified.pck_sha256_ = chain->pck.fingerprint();
  verified.not_after_ = verification.not_after();
  return verified;
}

}  // namespace waxwing::evidence::tdx
