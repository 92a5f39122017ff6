// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <utility>

#include "waxwing/crypto/hash.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::simulate {
namespace {

namespace sev_snp = evidence::sev_snp;
using crypto::CertificateBuilder;
using crypto::CertificateExtension;
using crypto::Criticality;

constexpr std::chrono::hours kDay(24);
constexpr auto kEkLife = 7 * 365 * kDay;
constexpr std::string_view kArc = "1.3.6.1.4.1.3704.1.";

sev_snp::Tcb current_tcb(Product product) {
  switch (product) {
    case Product::milan:
      return {std::nullopt, 4, 0, 24, 219};
    case Product::genoa:
      return {std::nullopt, 10, 0, 27, 84};
    case Product::turin:
      return {std::uint8_t{1}, 3, 2, 5, 97};
  }
  std::unreachable();
}

sev_snp::Cpuid cpuid_of(Product product) {
  switch (product) {
    case Product::milan:
      return {0x19, 0x01, 1};
    case Product::genoa:
      return {0x19, 0x11, 1};
    case Product::turin:
      return {0x1A, 0x02, 1};
  }
  std::unreachable();
}

std::string product_name(Product product, sev_snp::SigningKey kind) {
  std::string name(to_string(product));
  // A VLEK is for many chips and names no stepping; Turin's certificates name none either.
  if (kind == sev_snp::SigningKey::vcek && product == Product::milan) name += "-B0";
  if (kind == sev_snp::SigningKey::vcek && product == Product::genoa) name += "-B1";
  return name;
}

std::string_view subject_cn(sev_snp::SigningKey kind) {
  return kind == sev_snp::SigningKey::vlek ? "SEV-VLEK" : "SEV-VCEK";
}

}  // namespace

std::vector<CertificateExtension> ek_extensions(const EkSpec& spec) {
  std::vector<CertificateExtension> extensions;
  const auto add = [&extensions](std::string_view suffix, Bytes value) {
    extensions.push_back({std::string(kArc).append(suffix), Criticality::non_critical, std::move(value)});
  };
  const bool turin = spec.product == Product::turin;
  add("1", crypto::der_integer(turin ? 1 : 0));
  add("2", crypto::der_ia5_string(product_name(spec.product, spec.kind)));
  add("3.1", crypto::der_integer(spec.tcb.boot_loader));
  add("3.2", crypto::der_integer(spec.tcb.tee));
  if (turin) add("3.9", crypto::der_integer(spec.tcb.fmc.value_or(0)));
  add("3.3", crypto::der_integer(spec.tcb.snp));
  add("3.8", crypto::der_integer(spec.tcb.microcode));
  if (spec.kind == sev_snp::SigningKey::vlek)
    add("5", crypto::der_ia5_string(spec.csp_id));
  else
    add("4", spec.hardware_id);  // raw, as AMD writes it
  return extensions;
}

CertificateBuilder ek_builder(const EkSpec& spec, const crypto::PublicKey& key, WallTime now) {
  const std::string issuer =
      std::string(spec.kind == sev_snp::SigningKey::vlek ? "SEV-VLEK-" : "SEV-").append(to_string(spec.product));
  CertificateBuilder builder;
  builder.subject(amd_name(subject_cn(spec.kind)))
      .issuer(amd_name(issuer))
      .validity(now - kDay, now - kDay + kEkLife)
      .public_key(key);
  for (CertificateExtension& extension : ek_extensions(spec)) builder.extension(std::move(extension));
  return builder;
}

SnpChip::SnpChip(EkSpec spec, crypto::SigningKey key, std::vector<Bytes> chain)
    : spec_(std::move(spec)), key_(std::make_unique<crypto::SigningKey>(std::move(key))), chain_(std::move(chain)) {}

Result<SnpChip> SnpChip::create(const SnpRoot& root, WallTime now, sev_snp::SigningKey kind) {
  const bool vlek = kind == sev_snp::SigningKey::vlek;
  EkSpec spec;
  spec.kind = kind;
  spec.product = root.product();
  spec.tcb = current_tcb(root.product());
  const crypto::Sha512Digest identity = crypto::sha512({as_bytes("waxwing simulated chip"), root.ark()});
  if (vlek)
    spec.csp_id = "CN=simulated.invalid";
  else
    spec.hardware_id = to_bytes(ByteView(identity).first(root.product() == Product::turin ? 8 : 64));
  WAXWING_ASSIGN(auto key, crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p384));
  WAXWING_ASSIGN(
      Bytes ek, ek_builder(spec, key.public_key(), now).sign(root.keys().ask, crypto::SignatureScheme::rsa_pss_sha384));
  return SnpChip(std::move(spec), std::move(key), {std::move(ek), vlek ? root.asvk() : root.ask(), root.ark()});
}

Report SnpChip::blank_report() const {
  Report report;
  report.version = 5;
  report.policy.bits = 0x30000;  // SMT allowed, bit 17 always one
  report.signature_algorithm = 1;
  report.platform_info = 0x25;  // SMT, ECC, alias check complete
  report.key_info = static_cast<std::uint32_t>(spec_.kind) << 2U;
  report.measurement = simulated_measurement();
  report.report_id_ma.fill(std::byte{0xFF});  // no migration agent
  report.cpuid = cpuid_of(spec_.product);
  std::ranges::copy(spec_.hardware_id, report.chip_id.begin());
  const sev_snp::TcbBytes tcb = spec_.tcb.encode(spec_.product);
  report.current_tcb = report.reported_tcb = report.committed_tcb = report.launch_tcb = tcb;
  report.current_version = report.committed_version = {1, 55, 39};
  report.launch_mitigations = report.current_mitigations = 3;
  return report;
}

Result<Bytes> SnpChip::sign(const Report& report) const {
  Bytes bytes = encode_report(report);
  WAXWING_TRY(sign_report(bytes, *key_));
  return bytes;
}

}  // namespace waxwing::simulate
