// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/sev_snp/report.hpp"

#include <fmt/format.h>

#include <utility>

#include "waxwing/base/byte_reader.hpp"

namespace waxwing::evidence::sev_snp {
namespace {

constexpr std::string_view kReportTable = "AMD 56860, Table ATTESTATION_REPORT";
constexpr std::string_view kSignatureTable = "AMD 56860, Table ECDSA P-384 with SHA-384 signature";
constexpr std::uint32_t kOldestVersion = 2;
constexpr std::uint32_t kNewestVersion = 5;
constexpr std::uint32_t kEcdsaP384Sha384 = 1;
constexpr std::uint64_t kPolicyReservedOne = 1ULL << 17U;
constexpr std::uint64_t kPolicyReservedZero = ~((1ULL << 26U) - 1);

/// Reads the fields in order and notes whether everything reserved was zero.
class Layout {
 public:
  explicit Layout(ByteView bytes) : in_("SEV-SNP report", bytes) {}

  Report read() {
    Report report;
    read_guest(report);
    read_identity(report);
    read_platform(report);
    reserved(152);  // 0x208
    report.signature_r = in_.array<72>();
    report.signature_s = in_.array<72>();
    reserved(368);  // after the signature, not signed
    return report;
  }

  [[nodiscard]] bool reserved_zero() const { return reserved_zero_; }

 private:
  void reserved(std::size_t n) { reserved_zero_ &= all_zero(in_.bytes(n)); }

  void read_guest(Report& report) {  // 0x000
    report.version = in_.u32_le();
    report.guest_svn = in_.u32_le();
    report.policy.bits = in_.u64_le();
    report.family_id = in_.array<16>();
    report.image_id = in_.array<16>();
    report.vmpl = in_.u32_le();
    report.signature_algorithm = in_.u32_le();
    report.current_tcb = in_.array<8>();
    report.platform_info = in_.u64_le();
    report.key_info = in_.u32_le();
    reserved(4);
  }

  void read_identity(Report& report) {  // 0x050
    report.report_data = in_.array<64>();
    report.measurement = in_.array<kMeasurementSize>();
    report.host_data = in_.array<32>();
    report.id_key_digest = in_.array<48>();
    report.author_key_digest = in_.array<48>();
    report.report_id = in_.array<32>();
    report.report_id_ma = in_.array<32>();
  }

  void read_platform(Report& report) {  // 0x180
    report.reported_tcb = in_.array<8>();
    if (report.version >= 3) {
      report.cpuid = Cpuid{in_.u8(), in_.u8(), in_.u8()};
      reserved(21);
    } else {
      reserved(24);
    }
    report.chip_id = in_.array<64>();
    report.committed_tcb = in_.array<8>();
    report.current_version = read_version();
    report.committed_version = read_version();
    report.launch_tcb = in_.array<8>();
    if (report.version >= 5) {
      report.launch_mitigations = in_.u64_le();
      report.current_mitigations = in_.u64_le();
    } else {
      reserved(16);
    }
  }

  FirmwareVersion read_version() {  // build, minor, major, reserved
    FirmwareVersion version;
    version.build = in_.u8();
    version.minor = in_.u8();
    version.major = in_.u8();
    reserved(1);
    return version;
  }

  ByteReader in_;
  bool reserved_zero_ = true;
};

bool known_signing_key(SigningKey key) {
  return key == SigningKey::vcek || key == SigningKey::vlek || key == SigningKey::none;
}

void check_fields(const Report& report, bool reserved_zero, Checklist& checks) {
  checks.require("snp.format.signature-algorithm", report.signature_algorithm == kEcdsaP384Sha384,
                 "1 (ECDSA P-384 with SHA-384)", fmt::format("{}", report.signature_algorithm), kReportTable);
  checks.require("snp.format.policy",
                 (report.policy.bits & kPolicyReservedOne) != 0 && (report.policy.bits & kPolicyReservedZero) == 0,
                 "bit 17 one, bits 63:26 zero", fmt::format("{:#x}", report.policy.bits),
                 "AMD 56860, Table GUEST_POLICY");
  checks.require("snp.format.key-info", known_signing_key(report.signing_key()) && (report.key_info >> 5U) == 0,
                 "signing key 0, 1 or 7, bits 31:5 zero", fmt::format("{:#x}", report.key_info), kReportTable);
  checks.require("snp.format.vmpl", report.vmpl <= 3, "0 to 3", fmt::format("{}", report.vmpl), kReportTable);
  checks.require("snp.format.reserved", reserved_zero, "zero", reserved_zero ? "zero" : "other bytes", kSignatureTable);
}

}  // namespace

std::string_view to_string(Product product) {
  switch (product) {
    case Product::milan:
      return "Milan";
    case Product::genoa:
      return "Genoa";
    case Product::turin:
      return "Turin";
  }
  std::unreachable();
}

std::optional<Product> product_from_string(std::string_view name) {
  for (const Product product : {Product::milan, Product::genoa, Product::turin})
    if (name == to_string(product)) return product;
  return std::nullopt;
}

std::string_view to_string(SigningKey key) {
  switch (key) {
    case SigningKey::vcek:
      return "VCEK";
    case SigningKey::vlek:
      return "VLEK";
    case SigningKey::none:
      return "none";
  }
  return "unknown";  // bits of a peer that parse_unverified has not judged yet
}

Tcb Tcb::decode(const TcbBytes& bytes, Product product) {
  const auto at = [&bytes](std::size_t i) { return std::to_integer<std::uint8_t>(bytes[i]); };
  if (product == Product::turin) return {at(0), at(1), at(2), at(3), at(7)};
  return {std::nullopt, at(0), at(1), at(6), at(7)};
}

TcbBytes Tcb::encode(Product product) const {
  TcbBytes bytes{};
  if (product == Product::turin) {
    bytes = {std::byte{fmc.value_or(0)}, std::byte{boot_loader}, std::byte{tee}, std::byte{snp}};
  } else {
    bytes = {std::byte{boot_loader}, std::byte{tee}};
    bytes[6] = std::byte{snp};
  }
  bytes[7] = std::byte{microcode};
  return bytes;
}

bool Tcb::at_least(const Tcb& minimum) const {
  return fmc.value_or(0) >= minimum.fmc.value_or(0) && boot_loader >= minimum.boot_loader && tee >= minimum.tee &&
         snp >= minimum.snp && microcode >= minimum.microcode;
}

std::string to_string(const Tcb& tcb) {
  return fmt::format("{}bl {}, tee {}, snp {}, ucode {}", tcb.fmc ? fmt::format("fmc {}, ", *tcb.fmc) : "",
                     tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode);
}

std::string to_string(const FirmwareVersion& version) {
  return fmt::format("{}.{}.{}", version.major, version.minor, version.build);
}

std::optional<Product> product_of(const Cpuid& cpuid) {
  const std::uint8_t model = cpuid.model;
  if (cpuid.family == 0x19) {
    if (model <= 0x0F) return Product::milan;
    if ((model >= 0x10 && model <= 0x1F) || (model >= 0xA0 && model <= 0xAF)) return Product::genoa;
  }
  if (cpuid.family == 0x1A && model <= 0x11) return Product::turin;
  return std::nullopt;
}

Result<Report> parse_unverified(ByteView bytes, Checklist& checks) {
  if (!checks.require("snp.format.length", bytes.size() == kReportSize, "1184 bytes",
                      fmt::format("{} bytes", bytes.size()), kReportTable))
    return fail(Code::evidence_malformed, "a SEV-SNP report has 1184 bytes");
  Layout layout(bytes);
  Report report = layout.read();
  if (!checks.require("snp.format.version", report.version >= kOldestVersion && report.version <= kNewestVersion,
                      "2 to 5", fmt::format("{}", report.version), kReportTable))
    return fail(Code::evidence_unsupported, fmt::format("SEV-SNP report version {} is not known", report.version));
  check_fields(report, layout.reserved_zero(), checks);
  if (const Check* failure = checks.first_failure())
    return fail(Code::evidence_malformed, fmt::format("SEV-SNP report: {} does not hold", failure->name));
  report.signed_bytes = to_array<kSignedSize>(bytes);
  return report;
}

Result<Report> parse_unverified(ByteView bytes) {
  Checklist checks;
  return parse_unverified(bytes, checks);
}

}  // namespace waxwing::evidence::sev_snp
