// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/byte_reader.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/simulate/tdx.hpp"

namespace waxwing::simulate {
namespace {

// Intel TDX DCAP Quoting Library API, Quote Header and ECDSA 256-bit Quote Signature Data.
constexpr std::string_view kIntelVendor = "939a7233f79c4ca9940a0db3957f0607";

void write_header(ByteWriter& out, std::uint16_t version) {
  out.u16_le(version).u16_le(2).u32_le(0x81).zeros(4).bytes(from_hex(kIntelVendor).value()).zeros(20);
}

void write_body(ByteWriter& out, const tdx::TdReport& td, tdx::BodyType type) {
  out.bytes(td.tee_tcb_svn).bytes(td.mr_seam).bytes(td.mr_signer_seam).bytes(td.seam_attributes);
  out.bytes(td.td_attributes.bytes).bytes(td.xfam).bytes(td.mr_td);
  out.bytes(td.mr_config_id).bytes(td.mr_owner).bytes(td.mr_owner_config);
  for (const tdx::Register& rtmr : td.rtmr) out.bytes(rtmr);
  out.bytes(td.report_data);
  if (type == tdx::BodyType::td15) out.bytes(td.tee_tcb_svn2).bytes(td.mr_service_td);
}

}  // namespace

Bytes encode_signed_part(const tdx::Quote& quote) {
  Bytes bytes;
  ByteWriter out(bytes);
  write_header(out, quote.version);
  if (quote.version >= 5) {
    const bool td15 = quote.body_type == tdx::BodyType::td15;
    out.u16_le(td15 ? 3 : 2).u32_le(td15 ? 648 : 584);
  }
  write_body(out, quote.body, quote.body_type);
  return bytes;
}

Bytes encode_qe_report(const tdx::QeReport& report) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.zeros(16).bytes(report.misc_select).zeros(28).bytes(report.attributes).zeros(64).bytes(report.mr_signer);
  out.zeros(96).u16_le(report.isv_prod_id).u16_le(report.isv_svn).zeros(60).bytes(report.report_data);
  return bytes;
}

Bytes encode_quote(const tdx::Quote& quote) {
  const auto size = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
  Bytes certification;
  ByteWriter inner(certification);
  inner.bytes(encode_qe_report(quote.qe_report)).bytes(quote.qe_report_signature);
  inner.u16_le(static_cast<std::uint16_t>(quote.qe_auth_data.size())).bytes(quote.qe_auth_data);
  inner.u16_le(5).u32_le(size(quote.pck_chain_pem.size() + 1)).bytes(as_bytes(quote.pck_chain_pem)).u8(0);

  Bytes bytes = encode_signed_part(quote);
  ByteWriter out(bytes);
  out.u32_le(size(64 + 64 + 6 + certification.size())).bytes(quote.signature).bytes(quote.attestation_key);
  out.u16_le(6).u32_le(size(certification.size())).bytes(certification);
  return bytes;
}

}  // namespace waxwing::simulate
