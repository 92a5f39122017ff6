// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "waxwing/crypto/hash.hpp"
#include "waxwing/simulate/tdx.hpp"

namespace waxwing::simulate {
namespace {

using crypto::CertificateBuilder;
using crypto::SignatureScheme;
using crypto::SigningKey;

constexpr std::chrono::hours kDay(24);
constexpr auto kPckLife = 7 * 365 * kDay;
constexpr auto kCollateralLife = 30 * kDay;

constexpr std::uint8_t kModuleSvn = 7;
constexpr std::uint8_t kModuleMajor = 1;
constexpr std::uint16_t kQeSvn = 4;
constexpr std::uint16_t kQeProduct = 2;
constexpr std::uint32_t kEvaluation = 20;

// --- DER of the SGX extension ---------------------------------------------------------------------------------------

constexpr std::byte kOctetString{0x04};
constexpr std::byte kObjectIdentifier{0x06};
constexpr std::byte kEnumerated{0x0A};
constexpr std::byte kSequence{0x30};
/// 1.2.840.113741.1.13.1
constexpr std::array kArc = {std::byte{0x2A}, std::byte{0x86}, std::byte{0x48}, std::byte{0x86}, std::byte{0xF8},
                             std::byte{0x4D}, std::byte{0x01}, std::byte{0x0D}, std::byte{0x01}};

Bytes tlv(std::byte tag, ByteView content) {
  if (content.size() > 0xFFFF) throw std::length_error("DER content too long");
  Bytes der{tag};
  if (content.size() >= 0x100) {
    der.push_back(std::byte{0x82});
    der.push_back(static_cast<std::byte>(content.size() >> 8U));
  } else if (content.size() >= 0x80) {
    der.push_back(std::byte{0x81});
  }
  der.push_back(static_cast<std::byte>(content.size()));
  append(der, content);
  return der;
}

/// SEQUENCE of the OID that the numbers continue, and a value.
Bytes pair(std::initializer_list<std::size_t> numbers, ByteView value) {
  Bytes oid = to_bytes(kArc);
  for (const std::size_t number : numbers) oid.push_back(static_cast<std::byte>(number));
  Bytes content = tlv(kObjectIdentifier, oid);
  append(content, value);
  return tlv(kSequence, content);
}

tdx::TcbComponents components_of(const std::array<std::uint8_t, tdx::kComponents>& svns) {
  tdx::TcbComponents components;
  std::ranges::transform(svns, components.begin(), [](std::uint8_t svn) { return tdx::TcbComponent{svn, "", ""}; });
  return components;
}

tdx::Register measurement(std::string_view what) {
  return crypto::sha384({as_bytes("waxwing simulated trust domain "), as_bytes(what)});
}

ByteArray<32> qe_signer() {
  return crypto::sha256(as_bytes("waxwing simulated quoting enclave"));
}

ByteArray<64> joined(const crypto::EcdsaSignature& signature) {
  Bytes r_s = signature.r;
  append(r_s, signature.s);
  return to_array<64>(r_s);
}

}  // namespace

Bytes sgx_extension(const tdx::Platform& platform) {
  Bytes tcb;
  for (std::size_t i = 0; i < tdx::kComponents; ++i)
    append(tcb, pair({2, i + 1}, crypto::der_integer(platform.components[i])));
  append(tcb, pair({2, 17}, crypto::der_integer(platform.pcesvn)));
  append(tcb, pair({2, 18}, tlv(kOctetString, platform.cpu_svn)));
  Bytes content;
  append(content, pair({1}, tlv(kOctetString, ByteArray<16>{})));
  append(content, pair({2}, tlv(kSequence, tcb)));
  append(content, pair({3}, tlv(kOctetString, platform.pce_id)));
  append(content, pair({4}, tlv(kOctetString, platform.fmspc)));
  append(content, pair({5}, tlv(kEnumerated, ByteArray<1>{std::byte{1}})));
  return tlv(kSequence, content);
}

CertificateBuilder pck_builder(const tdx::Platform& platform, const crypto::PublicKey& key, WallTime now) {
  CertificateBuilder builder;
  builder.serial(serial_of(TdxSerial::pck))
      .subject(intel_name("Intel SGX PCK Certificate"))
      .issuer(intel_name("Intel SGX PCK Platform CA"))
      .validity(now - kDay, now - kDay + kPckLife)
      .public_key(key)
      .extension("1.2.840.113741.1.13.1", crypto::Criticality::non_critical, sgx_extension(platform));
  return builder;
}

Result<TdxPlatform> TdxPlatform::create(const TdxRoot& root, WallTime now) {
  tdx::Platform platform;
  platform.fmspc = to_array<6>(as_bytes("SIMTDX"));  // no family of Intel's
  platform.components = {4, 4, 2, 2, 4, 1, 0, 5};
  std::ranges::transform(platform.components, platform.cpu_svn.begin(),
                         [](std::uint8_t svn) { return static_cast<std::byte>(svn); });
  platform.pcesvn = 13;
  WAXWING_ASSIGN(auto pck, SigningKey::generate(SigningKey::Algorithm::p256));
  WAXWING_ASSIGN(auto attestation, SigningKey::generate(SigningKey::Algorithm::p256));
  WAXWING_ASSIGN(Bytes leaf,
                 pck_builder(platform, pck.public_key(), now).sign(root.keys().pck_ca, SignatureScheme::ecdsa));
  return TdxPlatform(platform, std::make_shared<const Keys>(Keys{std::move(pck), std::move(attestation)}),
                     {std::move(leaf), root.pck_ca(), root.root()});
}

tdx::Quote TdxPlatform::blank_quote() const {
  tdx::Quote quote;
  quote.version = 5;
  quote.body_type = tdx::BodyType::td15;
  tdx::TdReport& td = quote.body;
  td.tee_tcb_svn = {std::byte{kModuleSvn}, std::byte{kModuleMajor}, std::byte{4}};
  td.tee_tcb_svn2 = td.tee_tcb_svn;
  td.mr_seam = measurement("module");
  td.td_attributes.bytes[3] = std::byte{0x10};  // SEPT_VE_DISABLE
  td.xfam = {std::byte{0xE7}, std::byte{0x02}, std::byte{0x06}};
  td.mr_td = measurement("mrtd");
  td.rtmr = {measurement("rtmr0"), measurement("rtmr1"), measurement("rtmr2"), measurement("rtmr3")};
  quote.qe_report.attributes[0] = std::byte{0x11};  // INIT, PROVISION_KEY
  quote.qe_report.mr_signer = qe_signer();
  quote.qe_report.isv_prod_id = kQeProduct;
  quote.qe_report.isv_svn = kQeSvn;
  quote.qe_auth_data.resize(32);
  quote.pck_chain_pem = to_pem_chain(chain_);
  return quote;
}

void TdxPlatform::name_attestation_key(tdx::Quote& quote) const {
  const Bytes spki = keys_->attestation.public_key().spki();
  quote.attestation_key = to_array<64>(ByteView(spki).last(64));  // an uncompressed point ends it
  const auto digest = crypto::sha256({quote.attestation_key, quote.qe_auth_data});
  quote.qe_report.report_data = {};
  std::ranges::copy(digest, quote.qe_report.report_data.begin());
}

Result<void> TdxPlatform::sign_qe_report(tdx::Quote& quote) const {
  WAXWING_ASSIGN(const auto signature, keys_->pck.sign_ecdsa(encode_qe_report(quote.qe_report)));
  quote.qe_report_signature = joined(signature);
  return {};
}

Result<void> TdxPlatform::sign_body(tdx::Quote& quote) const {
  WAXWING_ASSIGN(const auto signature, keys_->attestation.sign_ecdsa(encode_signed_part(quote)));
  quote.signature = joined(signature);
  return {};
}

Result<Bytes> TdxPlatform::sign(tdx::Quote quote) const {
  name_attestation_key(quote);
  WAXWING_TRY(sign_qe_report(quote));
  WAXWING_TRY(sign_body(quote));
  return encode_quote(quote);
}

tdx::TcbInfo TdxPlatform::tcb_info(WallTime now) const {
  tdx::TcbInfo info;
  info.issue_date = now;
  info.next_update = now + kCollateralLife;
  info.fmspc = platform_.fmspc;
  info.pce_id = platform_.pce_id;
  info.evaluation_number = kEvaluation;
  info.module.attributes_mask.fill(std::byte{0xFF});
  tdx::ModuleIdentity identity = info.module;
  identity.id = "TDX_01";
  identity.levels = {{kModuleSvn, {tdx::TcbStatus::up_to_date, now, {}}},
                     {kModuleSvn - 2, {tdx::TcbStatus::out_of_date, now - 365 * kDay, {"SIMULATED-SA-00001"}}}};
  info.module_identities = {std::move(identity)};
  tdx::PlatformLevel newest;
  newest.sgx = components_of(platform_.components);
  newest.pcesvn = platform_.pcesvn;
  newest.tdx = components_of({5, 0, 4});
  newest.standing = {tdx::TcbStatus::up_to_date, now, {}};
  tdx::PlatformLevel older = newest;
  older.sgx[0].svn = 2;
  older.pcesvn = 11;
  older.tdx[2].svn = 3;
  older.standing = {tdx::TcbStatus::out_of_date, now - 365 * kDay, {"SIMULATED-SA-00002"}};
  info.levels = {std::move(newest), std::move(older)};
  return info;
}

tdx::QeIdentity TdxPlatform::qe_identity(WallTime now) const {
  tdx::QeIdentity identity;
  identity.issue_date = now;
  identity.next_update = now + kCollateralLife;
  identity.evaluation_number = kEvaluation;
  identity.misc_select_mask.fill(std::byte{0xFF});
  identity.attributes[0] = std::byte{0x11};
  std::ranges::fill_n(identity.attributes_mask.begin(), 8, std::byte{0xFF});
  identity.attributes_mask[0] = std::byte{0xFB};
  identity.mr_signer = qe_signer();
  identity.isv_prod_id = kQeProduct;
  identity.levels = {{kQeSvn, {tdx::TcbStatus::up_to_date, now, {}}},
                     {kQeSvn - 2, {tdx::TcbStatus::out_of_date, now - 365 * kDay, {"SIMULATED-SA-00003"}}}};
  return identity;
}

Result<CollateralParts> TdxPlatform::collateral_parts(const TdxRoot& root, WallTime now) const {
  CollateralParts parts;
  parts.pck_crl_chain = {root.pck_ca(), root.root()};
  WAXWING_ASSIGN(parts.root_ca_crl, root.root_crl(now, now + kCollateralLife, {}));
  WAXWING_ASSIGN(parts.pck_crl, root.pck_crl(now, now + kCollateralLife, {}));
  for (SignedText* document : {&parts.tcb_info, &parts.qe_identity}) {
    document->text =
        document == &parts.tcb_info ? encode_tcb_info(tcb_info(now)) : encode_qe_identity(qe_identity(now));
    document->chain = {root.tcb_signer(), root.root()};
    WAXWING_ASSIGN(document->signature, sign_text(document->text, root.keys().tcb_signer));
  }
  return parts;
}

Result<std::string> TdxPlatform::collateral(const TdxRoot& root, WallTime now) const {
  WAXWING_ASSIGN(const auto parts, collateral_parts(root, now));
  return encode_collateral(parts);
}

}  // namespace waxwing::simulate
