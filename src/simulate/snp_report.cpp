// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "waxwing/base/byte_reader.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::simulate {

namespace sev_snp = evidence::sev_snp;

ByteArray<sev_snp::kMeasurementSize> simulated_measurement() {
  return crypto::sha384(as_bytes("waxwing simulated guest"));
}

// Written from the table, not with the reader's code, so that a mistake in one shows in the other.
Bytes encode_report(const Report& report) {
  Bytes out;
  out.reserve(sev_snp::kReportSize);
  ByteWriter writer(out);
  const auto version = [&writer](const sev_snp::FirmwareVersion& v) {
    writer.u8(v.build).u8(v.minor).u8(v.major).u8(0);
  };
  writer.u32_le(report.version).u32_le(report.guest_svn).u64_le(report.policy.bits);
  writer.bytes(report.family_id).bytes(report.image_id);
  writer.u32_le(report.vmpl).u32_le(report.signature_algorithm).bytes(report.current_tcb);
  writer.u64_le(report.platform_info).u32_le(report.key_info).zeros(4);
  writer.bytes(report.report_data).bytes(report.measurement).bytes(report.host_data);
  writer.bytes(report.id_key_digest).bytes(report.author_key_digest);
  writer.bytes(report.report_id).bytes(report.report_id_ma).bytes(report.reported_tcb);
  const sev_snp::Cpuid cpuid = report.cpuid.value_or(sev_snp::Cpuid{});
  writer.u8(cpuid.family).u8(cpuid.model).u8(cpuid.stepping).zeros(21);
  writer.bytes(report.chip_id).bytes(report.committed_tcb);
  version(report.current_version);
  version(report.committed_version);
  writer.bytes(report.launch_tcb).u64_le(report.launch_mitigations).u64_le(report.current_mitigations).zeros(152);
  writer.bytes(report.signature_r).bytes(report.signature_s).zeros(368);
  return out;
}

Result<void> sign_report(MutableByteView report, const crypto::SigningKey& key) {
  if (report.size() != sev_snp::kReportSize) return fail(Code::bad_request, "a report has 1184 bytes");
  WAXWING_ASSIGN(const auto signature, key.sign_ecdsa(report.first(sev_snp::kSignedSize)));
  const MutableByteView r = report.subspan(sev_snp::kSignedSize, 72);
  const MutableByteView s = report.subspan(sev_snp::kSignedSize + 72, 72);
  std::ranges::fill(r, std::byte{0});
  std::ranges::fill(s, std::byte{0});
  std::ranges::reverse_copy(signature.r, r.begin());  // the report's scalars are little-endian
  std::ranges::reverse_copy(signature.s, s.begin());
  return {};
}

}  // namespace waxwing::simulate
