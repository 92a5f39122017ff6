// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/sev_snp/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "ek_extensions.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::evidence::sev_snp {
namespace {

using crypto::Certificate;

constexpr std::string_view kReportTable = "AMD 56860, Table ATTESTATION_REPORT";
constexpr std::string_view kTcbTable = "AMD 56860, Table TCB_VERSION";
constexpr std::string_view kSignatureTable = "AMD 56860, Table ECDSA P-384 with SHA-384 signature";
constexpr std::string_view kEkFormat = "AMD 57230, VCEK and VLEK certificate format";
constexpr std::string_view kEkExtensionTable = "AMD 57230, Table VCEK X.509v3 extensions";
constexpr std::string_view kChainFormat = "AMD 57230, ASK and ARK certificate format";
constexpr std::string_view kCrlFormat = "AMD 57230, certificate revocation list; RFC 5280 section 5";

constexpr std::string_view kAmdName = "O=Advanced Micro Devices,ST=CA,L=Santa Clara,C=US,OU=Engineering";
constexpr std::size_t kScalarSize = 48;

std::string amd_subject(std::string_view cn) {
  return fmt::format("CN={},{}", cn, kAmdName);
}

/// By the certificate's own name; `none` when it is neither.
SigningKey kind_of(const Certificate& ek) {
  const std::string cn = ek.subject_cn();
  if (cn == "SEV-VCEK") return SigningKey::vcek;
  if (cn == "SEV-VLEK") return SigningKey::vlek;
  return SigningKey::none;
}

std::string ark_cn(Product product) {
  return fmt::format("ARK-{}", to_string(product));
}

std::string intermediate_cn(Product product, SigningKey kind) {
  return fmt::format("{}{}", kind == SigningKey::vlek ? "SEV-VLEK-" : "SEV-", to_string(product));
}

/// The product that ends a CN such as "ARK-Milan", "SEV-Milan" or "SEV-VLEK-Milan".
std::optional<Product> product_in_cn(std::string_view cn) {
  const std::size_t dash = cn.rfind('-');
  return dash == std::string_view::npos ? std::nullopt : product_from_string(cn.substr(dash + 1));
}

std::string name_or_none(std::optional<Product> product) {
  return std::string(product ? to_string(*product) : "unknown");
}

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

/// Zero bytes above the 48 of a P-384 scalar, then the scalar big-endian.
std::optional<Bytes> scalar(const ByteArray<72>& little_endian) {
  const ByteView all = little_endian;
  if (!all_zero(all.subspan(kScalarSize))) return std::nullopt;
  return Bytes(little_endian.rend() - static_cast<std::ptrdiff_t>(kScalarSize), little_endian.rend());
}

bool within(WallTime from, WallTime now, std::optional<WallTime> until) {
  return to_unix(from) <= to_unix(now) && until && to_unix(now) <= to_unix(*until);
}

std::string span_of(WallTime from, std::optional<WallTime> until) {
  return fmt::format("{} to {}", to_rfc3339(from), until ? to_rfc3339(*until) : "open end");
}

struct Anchor {
  Certificate certificate;
  std::string label;
  bool trusted;
};

/// leaf, intermediate and root that were looked at; `trusted` says whether the root may vouch.
struct Chain {
  Certificate intermediate;
  Anchor anchor;
};

/// Every ARK the chain could end in: first those that may vouch, which are the policy's own certificates and, among
/// those that came with the evidence, the pinned ones; then the others that came, so that a verdict can say that the
/// root is what is wrong ("snp.root.pinned").
std::vector<Anchor> anchors_for(std::string_view cn, const Endorsements& endorsements, const Roots& roots) {
  std::vector<Anchor> anchors;
  for (const Root& root : roots.certificates)
    if (root.ark.subject_cn() == cn) anchors.push_back({root.ark, root.label, true});
  std::vector<Anchor> strangers;
  for (const Certificate& shipped : endorsements.intermediates) {
    if (shipped.subject_cn() != cn) continue;
    const auto pin = std::ranges::find(roots.pinned, shipped.fingerprint(), &PinnedRoot::certificate_sha256);
    if (pin != roots.pinned.end() && ark_cn(pin->product) == cn)
      anchors.push_back({shipped, pin->label, true});
    else
      strangers.push_back({shipped, "", false});
  }
  anchors.insert(anchors.end(), strangers.begin(), strangers.end());
  return anchors;
}

class Verification {
 public:
  Verification(const Report& report, const Endorsements& endorsements, WallTime now, Checklist& checks)
      : report_(report),
        endorsements_(endorsements),
        ek_(endorsements.ek),
        now_(now),
        checks_(checks),
        kind_(kind_of(ek_)),
        extensions_(read_ek_extensions(ek_, kind_)) {}

  /// Groups 2 to 4: whose key it claims to be.
  void check_key() {
    checks_.require("snp.key.type", report_.signing_key() != SigningKey::none && report_.signing_key() == kind_,
                    "VCEK or VLEK, as the certificate",
                    fmt::format("report {}, certificate {}", to_string(report_.signing_key()), ek_.subject_cn()),
                    kReportTable);
    check_product_known();
    const auto key = ek_.public_key();
    const bool p384 = key && key->is_ec(crypto::Curve::p384);
    key_usable_ = checks_.require("snp.ek.key", p384, "EC P-384", p384 ? "EC P-384" : "another key", kEkFormat);
    checks_.require("snp.ek.subject",
                    ek_.subject() == amd_subject("SEV-VCEK") || ek_.subject() == amd_subject("SEV-VLEK"),
                    amd_subject("SEV-VCEK or SEV-VLEK"), ek_.subject(), kEkFormat);
    checks_.require("snp.ek.extensions", extensions_.problems.empty(), "each once, well-formed",
                    extensions_.problems.empty() ? "each once, well-formed" : join(extensions_.problems),
                    kEkExtensionTable);
    checks_.require("snp.ek.critical", !ek_.has_unknown_critical_extension(), "none",
                    ek_.has_unknown_critical_extension() ? "an unknown critical extension" : "none",
                    "RFC 5280 section 4.2");
    checks_.require("snp.ek.not-ca", !ek_.is_ca(), "no authority", ek_.is_ca() ? "an authority" : "no authority",
                    kEkFormat);
  }

  /// Group 5: from the key to a root.
  void check_chain(const Roots& roots) {
    const std::string failure = select_chain(roots);
    check_agreement();
    check_root();
    check_names();
    checks_.require("snp.chain.path", failure.empty(), "three certificates, each signed by the next",
                    failure.empty() ? "three certificates, each signed by the next" : failure,
                    "RFC 5280 section 6; AMD 57230, certificate chain");
    if (!chain_) return;
    check_signature_algorithms();
    check_issuer_keys();
    check_validity();
  }

  /// Group 6.
  void check_crl(CrlPolicy policy) {
    const auto& crl = endorsements_.crl;
    switch (policy) {
      case CrlPolicy::required:
        checks_.require("snp.crl.present", crl.has_value(), "a revocation list", crl ? "one" : "none", kCrlFormat);
        break;
      case CrlPolicy::if_present:
        if (!crl) checks_.skip("snp.crl.present", "no revocation list came, and the policy asks for none", kCrlFormat);
        break;
    }
    if (!crl || !chain_) return;
    const Certificate& ark = chain_->anchor.certificate;
    const bool genuine = crl->issued_by(ark) && crl->signed_by(ark) && crl->is_signed_with_pss_sha384();
    checks_.require("snp.crl.signature", genuine, "the root's", genuine ? "the root's" : "not the root's", kCrlFormat);
    checks_.require("snp.crl.validity", within(crl->this_update(), now_, crl->next_update()), to_rfc3339(now_),
                    span_of(crl->this_update(), crl->next_update()), kCrlFormat);
    const bool revoked = crl->revokes(chain_->intermediate);
    checks_.require("snp.crl.revocation", !revoked, "not revoked",
                    fmt::format("{} {}", chain_->intermediate.subject_cn(), revoked ? "is revoked" : "not revoked"),
                    kCrlFormat);
  }

  /// Groups 7 to 9: the report against the key, and against itself.
  void check_report() {
    check_signature();
    if (!product_) return;
    check_ek_tcb();
    check_chip_id();
    check_tcb_layout();
    check_order();
  }

  [[nodiscard]] std::optional<Product> product() const { return product_; }
  [[nodiscard]] const std::optional<Chain>& chain() const { return chain_; }

  [[nodiscard]] WallTime not_after() const {
    WallTime end =
        std::min({ek_.not_after(), chain_->intermediate.not_after(), chain_->anchor.certificate.not_after()});
    if (endorsements_.crl && endorsements_.crl->next_update()) end = std::min(end, *endorsements_.crl->next_update());
    return end;
  }

 private:
  void check_product_known() {
    const auto of_ek = extensions_.product();
    const auto of_cpu = report_.cpuid ? product_of(*report_.cpuid) : std::nullopt;
    const std::string found =
        report_.cpuid ? fmt::format("family {:#x}, model {:#x}", report_.cpuid->family, report_.cpuid->model)
                      : fmt::format("certificate names \"{}\"", name_or_none(of_ek));
    checks_.require("snp.product.known", report_.cpuid ? of_cpu.has_value() : of_ek.has_value(),
                    "Milan, Genoa or Turin", found,
                    "AMD 56860, Table ATTESTATION_REPORT, CPUID_FAM_ID and CPUID_MOD_ID");
    product_ = of_cpu ? of_cpu : of_ek;
  }

  /// Tries each intermediate with the issuer's name against each root with its issuer's name; keeps the first pair that
  /// holds, else the first that was tried. Returns what is wrong, empty for nothing.
  std::string select_chain(const Roots& roots) {
    std::string failure = "no intermediate certificate of the issuer's name";
    for (const Certificate& candidate : endorsements_.intermediates) {
      if (candidate.subject_cn() != ek_.issuer_cn()) continue;
      if (!chain_) failure = "no root certificate of the intermediate's issuer";
      for (const Anchor& anchor : anchors_for(candidate.issuer_cn(), endorsements_, roots)) {
        const auto built =
            crypto::verify_chain(ek_, std::span(&candidate, 1), std::span(&anchor.certificate, 1), 3, now_);
        const bool holds = built || is_about_time(built.error().kind);
        if (holds || !chain_) {
          chain_ = Chain{candidate, anchor};
          failure = holds ? "" : built.error().text;
        }
        if (holds) return failure;
      }
    }
    return failure;
  }

  /// Signatures are verified before dates are looked at; "snp.chain.validity" judges the dates.
  static bool is_about_time(crypto::ChainError kind) {
    return kind == crypto::ChainError::not_yet_valid || kind == crypto::ChainError::expired;
  }

  void check_agreement() {
    if (!product_) return checks_.skip("snp.product.agreement", "the product is not known", kChainFormat);
    const auto of_ek = extensions_.product();
    const auto of_issuer = product_in_cn(ek_.issuer_cn());
    const auto of_root = chain_ ? product_in_cn(chain_->anchor.certificate.subject_cn()) : of_issuer;
    checks_.require(
        "snp.product.agreement", of_ek == product_ && of_issuer == product_ && of_root == product_,
        std::string(to_string(*product_)),
        fmt::format("key {}, issuer {}, root {}", name_or_none(of_ek), name_or_none(of_issuer), name_or_none(of_root)),
        kChainFormat);
  }

  void check_root() {
    const bool trusted = chain_ && chain_->anchor.trusted;
    checks_.require("snp.root.pinned", trusted, "a pinned root",
                    chain_ ? fmt::format("{} {}{}", chain_->anchor.certificate.subject_cn(),
                                         to_hex(chain_->anchor.certificate.fingerprint()),
                                         chain_->anchor.label.empty() ? "" : fmt::format(" ({})", chain_->anchor.label))
                           : "no root certificate",
                    "AMD 57230, cert_chain");
  }

  void check_names() {
    const auto issuer_product = product_in_cn(ek_.issuer_cn());
    if (!chain_ || !issuer_product) return checks_.skip("snp.chain.names", "there is no chain to name", kChainFormat);
    const std::string intermediate = amd_subject(intermediate_cn(*issuer_product, kind_));
    const std::string root = amd_subject(ark_cn(*issuer_product));
    const std::string found_root = chain_->anchor.certificate.subject();
    checks_.require("snp.chain.names", chain_->intermediate.subject() == intermediate && found_root == root,
                    fmt::format("{}; {}", intermediate, root),
                    fmt::format("{}; {}", chain_->intermediate.subject(), found_root), kChainFormat);
  }

  void check_signature_algorithms() {
    std::vector<std::string> others;
    for (const Certificate* certificate : certificates())
      if (!certificate->is_signed_with_pss_sha384()) others.push_back(certificate->subject_cn());
    checks_.require("snp.chain.signature-algorithm", others.empty(), "RSASSA-PSS, SHA-384, MGF1-SHA-384, salt 48",
                    others.empty() ? "the same" : fmt::format("another algorithm on {}", join(others)), kChainFormat);
  }

  void check_issuer_keys() {
    std::vector<std::string> others;
    for (const Certificate* issuer : {&chain_->intermediate, &chain_->anchor.certificate}) {
      const auto key = issuer->public_key();
      if (!key || !key->is_rsa(4096)) others.push_back(issuer->subject_cn());
    }
    checks_.require("snp.chain.keys", others.empty(), "RSA-4096",
                    others.empty() ? "RSA-4096" : fmt::format("another key in {}", join(others)), kChainFormat);
  }

  void check_validity() {
    std::vector<std::string> outside;
    for (const Certificate* certificate : certificates())
      if (!within(certificate->not_before(), now_, certificate->not_after()))
        outside.push_back(fmt::format("{} is valid {}", certificate->subject_cn(),
                                      span_of(certificate->not_before(), certificate->not_after())));
    checks_.require("snp.chain.validity", outside.empty(), fmt::format("valid at {}", to_rfc3339(now_)),
                    outside.empty() ? fmt::format("all until {}", to_rfc3339(not_after())) : join(outside),
                    "RFC 5280 section 4.1.2.5");
  }

  void check_signature() {
    if (!key_usable_) return checks_.skip("snp.signature", "there is no P-384 key to check it with", kSignatureTable);
    const auto key = ek_.public_key();
    const auto r = scalar(report_.signature_r);
    const auto s = scalar(report_.signature_s);
    const bool holds = key && r && s && key->verify_ecdsa(report_.signed_bytes, *r, *s).has_value();
    checks_.require("snp.signature", holds, "the endorsement key's", holds ? "the endorsement key's" : "not verified",
                    kSignatureTable);
  }

  void check_ek_tcb() {
    const Tcb reported = Tcb::decode(report_.reported_tcb, *product_);
    const EkExtensions& ek = extensions_;
    const bool equal = ek.boot_loader == reported.boot_loader && ek.tee == reported.tee && ek.snp == reported.snp &&
                       ek.microcode == reported.microcode && (!reported.fmc || ek.fmc == reported.fmc);
    const Tcb certified{reported.fmc ? ek.fmc : std::nullopt, ek.boot_loader.value_or(0), ek.tee.value_or(0),
                        ek.snp.value_or(0), ek.microcode.value_or(0)};
    checks_.require("snp.ek.tcb", equal, to_string(certified), to_string(reported), kEkExtensionTable);
  }

  void check_chip_id() {
    if (kind_ != SigningKey::vcek)
      return checks_.skip("snp.ek.chip-id", "a VLEK is not bound to a chip", kEkExtensionTable);
    const ByteView chip = report_.chip_id;
    if (report_.chip_key_masked() && all_zero(chip))
      return checks_.skip("snp.ek.chip-id", "the report masks its chip", kReportTable);
    const Bytes certified = extensions_.hardware_id.value_or(Bytes());
    const std::size_t size = *product_ == Product::turin ? 8 : 64;
    const bool equal =
        certified.size() == size && constant_time_equal(certified, chip.first(size)) && all_zero(chip.subspan(size));
    checks_.require("snp.ek.chip-id", equal, to_hex(certified), to_hex(chip), kEkExtensionTable);
  }

  void check_tcb_layout() {
    const auto canonical = [this](const TcbBytes& tcb) { return Tcb::decode(tcb, *product_).encode(*product_) == tcb; };
    const bool zero = canonical(report_.current_tcb) && canonical(report_.reported_tcb) &&
                      canonical(report_.committed_tcb) && canonical(report_.launch_tcb);
    checks_.require("snp.tcb.layout", zero, "zero", zero ? "zero" : "other bytes", kTcbTable);
  }

  void check_order() {
    const Tcb current = Tcb::decode(report_.current_tcb, *product_);
    const Tcb reported = Tcb::decode(report_.reported_tcb, *product_);
    const Tcb committed = Tcb::decode(report_.committed_tcb, *product_);
    checks_.require("snp.tcb.order", current.at_least(reported) && current.at_least(committed),
                    fmt::format("at most {}", to_string(current)),
                    fmt::format("reported {}; committed {}", to_string(reported), to_string(committed)), kReportTable);
    checks_.require("snp.firmware.order", report_.committed_version <= report_.current_version,
                    fmt::format("at most {}", to_string(report_.current_version)), to_string(report_.committed_version),
                    kReportTable);
  }

  [[nodiscard]] std::array<const Certificate*, 3> certificates() const {
    return {&ek_, &chain_->intermediate, &chain_->anchor.certificate};
  }

  const Report& report_;
  const Endorsements& endorsements_;
  const Certificate& ek_;
  WallTime now_;
  Checklist& checks_;
  SigningKey kind_;
  EkExtensions extensions_;
  bool key_usable_ = false;
  std::optional<Product> product_;
  std::optional<Chain> chain_;
};

}  // namespace

Result<Endorsements> Endorsements::from_der(std::span<const Bytes> certificates, std::optional<ByteView> crl,
                                            const Limits& limits) {
  if (certificates.empty()) return fail(Code::evidence_malformed, "the endorsements hold no certificate");
  if (certificates.size() > limits.certificates) return fail(Code::too_large, "too many certificates");
  std::vector<Certificate> parsed;
  for (const Bytes& der : certificates) {
    if (der.size() > limits.certificate) return fail(Code::too_large, "a certificate is too large");
    auto certificate = Certificate::from_der(der);
    if (!certificate)
      return fail(Code::evidence_malformed,
                  fmt::format("certificate {} of the endorsements does not parse", parsed.size()));
    parsed.push_back(*std::move(certificate));
  }
  Endorsements endorsements{parsed.front(), {parsed.begin() + 1, parsed.end()}, std::nullopt};
  if (crl) {
    if (crl->size() > limits.certificate) return fail(Code::too_large, "the revocation list is too large");
    auto list = crypto::Crl::from_der(*crl);
    if (!list) return fail(Code::evidence_malformed, "the revocation list does not parse");
    endorsements.crl = *std::move(list);
  }
  return endorsements;
}

crypto::Sha256Digest VerifiedReport::evidence_sha256() const {
  return crypto::sha256(report_.signed_bytes);
}

bool VerifiedReport::chip_id_masked() const {
  return report_.chip_key_masked() && all_zero(report_.chip_id);
}

Result<VerifiedReport> verify(const Report& report, const Endorsements& endorsements, const Roots& roots, WallTime now,
                              CrlPolicy crl_policy, Checklist& checks) {
  Verification verification(report, endorsements, now, checks);
  verification.check_key();
  verification.check_chain(roots);
  verification.check_crl(crl_policy);
  verification.check_report();
  const auto product = verification.product();
  const auto& chain = verification.chain();
  if (const Check* failure = checks.first_failure()) {
    const Code code = failure->name == "snp.product.known" ? Code::evidence_unsupported : Code::evidence_rejected;
    return fail(
        code, fmt::format("{} does not hold: expected {}, found {}", failure->name, failure->expected, failure->found));
  }
  // Unreachable after checks that passed; kept so that a mistake above cannot become trust.
  if (!product || !chain) return fail(Code::evidence_rejected, "the evidence has no chain or no product");

  VerifiedReport verified;
  verified.report_ = report;
  verified.product_ = *product;
  verified.anchor_label_ = chain->anchor.label;
  verified.anchor_sha256_ = chain->anchor.certificate.fingerprint();
  verified.ek_sha256_ = endorsements.ek.fingerprint();
  verified.not_after_ = verification.not_after();
  return verified;
}

}  // namespace waxwing::evidence::sev_snp
