// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <utility>

#include "waxwing/crypto/x509.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::simulate {
namespace {

namespace sev_snp = evidence::sev_snp;
using crypto::CertificateBuilder;
using crypto::SignatureScheme;
using crypto::SigningKey;

constexpr std::chrono::hours kDay(24);
constexpr auto kRootLife = 20 * 365 * kDay;

// Serial numbers as AMD numbers its own: product in the upper byte, 0x0001 an ASK, 0x0101 an ASVK.
constexpr ByteArray<3> kArkSerial = {std::byte{1}, std::byte{0}, std::byte{0}};
constexpr ByteArray<3> kAskSerial = {std::byte{1}, std::byte{0}, std::byte{1}};
constexpr ByteArray<3> kAsvkSerial = {std::byte{1}, std::byte{1}, std::byte{1}};

std::string cn(std::string_view prefix, Product product) {
  return std::string(prefix).append(to_string(product));
}

/// The PEM blocks of a text, each with its own markers.
std::vector<std::string_view> pem_blocks(std::string_view text) {
  std::vector<std::string_view> blocks;
  for (std::size_t from = text.find("-----BEGIN"); from != std::string_view::npos;) {
    const std::size_t next = text.find("-----BEGIN", from + 1);
    blocks.push_back(text.substr(from, next == std::string_view::npos ? next : next - from));
    from = next;
  }
  return blocks;
}

Result<crypto::Certificate> one_certificate(std::string_view pem) {
  WAXWING_ASSIGN(const auto certificates, crypto::Certificate::from_pem(pem, 1));
  if (certificates.size() != 1) return fail(Code::malformed, "one certificate is expected");
  return certificates.front();
}

}  // namespace

crypto::DistinguishedName amd_name(std::string_view cn) {
  return {{"OU", "Engineering"},  {"C", "US"}, {"L", "Santa Clara"}, {"ST", "CA"}, {"O", "Advanced Micro Devices"},
          {"CN", std::string(cn)}};
}

SnpRoot::SnpRoot(Product product, std::shared_ptr<const Keys> keys, WallTime from)
    : product_(product), keys_(std::move(keys)), from_(from) {}

Result<SnpRoot> SnpRoot::create(Product product, WallTime now) {
  WAXWING_ASSIGN(auto ark, SigningKey::generate(SigningKey::Algorithm::rsa4096));
  WAXWING_ASSIGN(auto ask, SigningKey::generate(SigningKey::Algorithm::rsa4096));
  SnpRoot root(product, std::make_shared<const Keys>(Keys{std::move(ark), std::move(ask)}), now - kDay);
  WAXWING_TRY(root.issue());
  return root;
}

Result<SnpRoot> SnpRoot::sibling(Product product, WallTime now) const {
  SnpRoot root(product, keys_, now - kDay);
  WAXWING_TRY(root.issue());
  return root;
}

CertificateBuilder SnpRoot::intermediate_builder(sev_snp::SigningKey kind) const {
  const bool vlek = kind == sev_snp::SigningKey::vlek;
  CertificateBuilder builder;
  builder.serial(vlek ? asvk_serial() : ask_serial())
      .subject(amd_name(cn(vlek ? "SEV-VLEK-" : "SEV-", product_)))
      .issuer(amd_name(cn("ARK-", product_)))
      .validity(from_, from_ + kRootLife)
      .public_key(keys_->ask.public_key())
      .extension(crypto::basic_constraints_ca(0))
      .extension(crypto::key_usage_cert_and_crl_sign());
  return builder;
}

Result<void> SnpRoot::issue() {
  CertificateBuilder ark;
  ark.serial(kArkSerial)
      .subject(amd_name(cn("ARK-", product_)))
      .issuer(amd_name(cn("ARK-", product_)))
      .validity(from_, from_ + kRootLife)
      .public_key(keys_->ark.public_key())
      .extension(crypto::basic_constraints_ca())
      .extension(crypto::key_usage_cert_and_crl_sign());
  constexpr auto kPss = SignatureScheme::rsa_pss_sha384;
  WAXWING_ASSIGN(ark_, ark.sign(keys_->ark, kPss));
  WAXWING_ASSIGN(ask_, intermediate_builder(sev_snp::SigningKey::vcek).sign(keys_->ark, kPss));
  WAXWING_ASSIGN(asvk_, intermediate_builder(sev_snp::SigningKey::vlek).sign(keys_->ark, kPss));
  return {};
}

Result<SnpRoot> SnpRoot::restore(const SecretBytes& text) {
  const auto blocks = pem_blocks(text.expose_text(SecretAccess()));
  if (blocks.size() != 5) return fail(Code::malformed, "simulated root material has five PEM blocks");
  WAXWING_ASSIGN(auto ark_key, SigningKey::from_pkcs8_pem(blocks[0]));
  WAXWING_ASSIGN(auto ask_key, SigningKey::from_pkcs8_pem(blocks[1]));
  WAXWING_ASSIGN(const auto ark, one_certificate(blocks[2]));
  WAXWING_ASSIGN(const auto ask, one_certificate(blocks[3]));
  WAXWING_ASSIGN(const auto asvk, one_certificate(blocks[4]));
  const std::string name = ark.subject_cn();
  const auto product =
      name.starts_with("ARK-") ? sev_snp::product_from_string(std::string_view(name).substr(4)) : std::nullopt;
  const bool belongs = ark.spki_sha256() == crypto::sha256(ark_key.public_key().spki()) &&
                       ask.spki_sha256() == crypto::sha256(ask_key.public_key().spki()) &&
                       asvk.spki_sha256() == ask.spki_sha256();
  if (!product || !belongs)
    return fail(Code::malformed, "simulated root material: keys and certificates do not belong together");
  SnpRoot root(*product, std::make_shared<const Keys>(Keys{std::move(ark_key), std::move(ask_key)}), ark.not_before());
  root.ark_ = to_bytes(ark.der());
  root.ask_ = to_bytes(ask.der());
  root.asvk_ = to_bytes(asvk.der());
  return root;
}

Result<SecretBytes> SnpRoot::serialise() const {
  WAXWING_ASSIGN(const auto ark_key, keys_->ark.to_pkcs8_pem());
  WAXWING_ASSIGN(const auto ask_key, keys_->ask.to_pkcs8_pem());
  const std::string certificates =
      crypto::to_pem("CERTIFICATE", ark_) + crypto::to_pem("CERTIFICATE", ask_) + crypto::to_pem("CERTIFICATE", asvk_);
  std::string text;
  // Reserved in full: a buffer that grows would leave copies of the keys behind.
  text.reserve(ark_key.size() + ask_key.size() + certificates.size());
  text.append(ark_key.expose_text(SecretAccess())).append(ask_key.expose_text(SecretAccess())).append(certificates);
  return SecretBytes::take(text);
}

std::string SnpRoot::ark_pem() const {
  return crypto::to_pem("CERTIFICATE", ark_);
}
ByteView SnpRoot::ask_serial() const {
  return kAskSerial;
}
ByteView SnpRoot::asvk_serial() const {
  return kAsvkSerial;
}

Result<Bytes> SnpRoot::crl(WallTime this_update, WallTime next_update, std::span<const Bytes> revoked) const {
  crypto::CrlBuilder builder;
  builder.issuer(amd_name(cn("ARK-", product_))).this_update(this_update).next_update(next_update);
  for (const Bytes& serial : revoked) builder.revoke(serial, this_update);
  return builder.sign(keys_->ark, SignatureScheme::rsa_pss_sha384);
}

}  // namespace waxwing::simulate
