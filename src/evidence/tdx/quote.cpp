// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/tdx/quote.hpp"

#include <fmt/format.h>

#include <string_view>

#include "waxwing/base/byte_reader.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::evidence::tdx {
namespace {

constexpr std::string_view kHeaderTable = "Intel TDX DCAP Quoting Library API, Quote Header";
constexpr std::string_view kBodyTable = "Intel TDX DCAP Quoting Library API, TD Quote Body Descriptor";
constexpr std::string_view kSignatureTable = "Intel TDX DCAP Quoting Library API, ECDSA 256-bit Quote Signature Data";
constexpr std::string_view kCertificationTable = "Intel TDX DCAP Quoting Library API, QE Certification Data";

constexpr std::uint16_t kEcdsaP256 = 2;
constexpr std::uint32_t kTeeTdx = 0x81;
constexpr std::string_view kIntelVendor = "939a7233f79c4ca9940a0db3957f0607";
constexpr std::uint16_t kQeReportCertification = 6;
constexpr std::uint16_t kPckChain = 5;
constexpr std::size_t kMaxQeAuthData = 1024;

struct Header {
  std::uint16_t key_type = 0;
  std::uint32_t tee_type = 0;
  ByteArray<16> vendor{};
};

Header read_header(ByteReader& in, Quote& quote) {
  Header header;
  quote.version = in.u16_le();
  header.key_type = in.u16_le();
  header.tee_type = in.u32_le();
  in.bytes(4);  // SVNs of quoting and provisioning enclave in older headers, in an order that readers disagree on
  header.vendor = in.array<16>();
  in.bytes(20);  // user data
  return header;
}

void read_body(ByteReader& in, Quote& quote) {
  TdReport& body = quote.body;
  body.tee_tcb_svn = in.array<16>();
  body.mr_seam = in.array<kRegisterSize>();
  body.mr_signer_seam = in.array<kRegisterSize>();
  body.seam_attributes = in.array<8>();
  body.td_attributes.bytes = in.array<8>();
  body.xfam = in.array<8>();
  body.mr_td = in.array<kRegisterSize>();
  body.mr_config_id = in.array<kRegisterSize>();
  body.mr_owner = in.array<kRegisterSize>();
  body.mr_owner_config = in.array<kRegisterSize>();
  for (Register& rtmr : body.rtmr) rtmr = in.array<kRegisterSize>();
  body.report_data = in.array<64>();
  if (quote.body_type == BodyType::td15) {
    body.tee_tcb_svn2 = in.array<16>();
    body.mr_service_td = in.array<kRegisterSize>();
  }
}

/// Intel SDM volume 3D, REPORT: MAC and key id do not travel in a quote.
QeReport read_qe_report(ByteView bytes) {
  QeReport report;
  ByteReader in("SGX report", bytes);
  in.bytes(16);  // CPUSVN
  report.misc_select = in.array<4>();
  in.bytes(28);
  report.attributes = in.array<16>();
  in.bytes(32);  // MRENCLAVE
  in.bytes(32);
  report.mr_signer = in.array<32>();
  in.bytes(96);
  report.isv_prod_id = in.u16_le();
  report.isv_svn = in.u16_le();
  in.bytes(60);
  report.report_data = in.array<64>();
  if (in.ok()) report.signed_bytes = to_array<kQeReportSize>(bytes);
  return report;
}

struct CertificationTypes {
  std::uint16_t outer = 0;
  std::uint16_t inner = 0;
};

/// A length that must say what is left, no more and no less.
void read_length_of_rest(ByteReader& in, std::string_view what) {
  const std::size_t size = in.u32_le();
  if (size != in.remaining())
    in.reject(Code::malformed, fmt::format("{} bytes of {}, {} are there", size, what, in.remaining()));
}

void read_authentication(ByteReader& in, Quote& quote, CertificationTypes& types) {
  ByteReader data("TDX quote's signature data", in.bytes(in.u32_le()));
  quote.signature = data.array<64>();
  quote.attestation_key = data.array<64>();
  types.outer = data.u16_le();
  read_length_of_rest(data, "certification data");
  quote.qe_report = read_qe_report(data.bytes(kQeReportSize));
  quote.qe_report_signature = data.array<64>();
  const std::size_t auth_size = data.u16_le();
  if (auth_size > kMaxQeAuthData) data.reject(Code::too_large, "more than 1024 bytes of QE authentication data");
  quote.qe_auth_data = to_bytes(data.bytes(auth_size));
  types.inner = data.u16_le();
  read_length_of_rest(data, "certificates");
  quote.pck_chain_pem = as_text(data.rest());
  if (quote.pck_chain_pem.ends_with('\0')) quote.pck_chain_pem.pop_back();
  if (const auto status = data.status(); !status) in.reject(status.error().code(), status.error().text());
}

bool check_header(const Header& header, Checklist& checks) {
  bool known = checks.require("tdx.format.key-type", header.key_type == kEcdsaP256, "2 (ECDSA P-256)",
                              fmt::format("{}", header.key_type), kHeaderTable);
  known &= checks.require("tdx.format.tee-type", header.tee_type == kTeeTdx, "0x81 (TDX)",
                          fmt::format("{:#x}", header.tee_type), kHeaderTable);
  known &= checks.require("tdx.format.qe-vendor", to_hex(header.vendor) == kIntelVendor, std::string(kIntelVendor),
                          to_hex(header.vendor), kHeaderTable);
  return known;
}

/// Version 5 names its body; that of version 4 is always TD report 1.0.
bool read_body_type(ByteReader& in, Quote& quote, Checklist& checks) {
  if (quote.version == 4) return true;
  const std::uint16_t type = in.u16_le();
  const std::uint32_t size = in.u32_le();
  const bool td10 = type == static_cast<std::uint16_t>(BodyType::td10) && size == kTd10Size;
  const bool td15 = type == static_cast<std::uint16_t>(BodyType::td15) && size == kTd15Size;
  quote.body_type = td15 ? BodyType::td15 : BodyType::td10;
  // A quote that ends before is too short, not of a wrong type.
  return !in.ok() || checks.require("tdx.format.body-type", td10 || td15, "type 2 with 584 bytes, or 3 with 648",
                                    fmt::format("type {} with {} bytes", type, size), kBodyTable);
}

std::unexpected<Error> malformed(const Checklist& checks) {
  const Check* failure = checks.first_failure();
  return fail(Code::evidence_malformed,
              fmt::format("TDX quote: {} does not hold", failure != nullptr ? failure->name : "a check"));
}

}  // namespace

Result<Quote> parse_unverified(ByteView bytes, TrailingBytes trailing, Checklist& checks) {
  ByteReader in("TDX quote", bytes);
  Quote quote;
  const Header header = read_header(in, quote);
  if (in.ok()) {
    if (!checks.require("tdx.format.version", quote.version == 4 || quote.version == 5, "4 or 5",
                        fmt::format("{}", quote.version), kHeaderTable))
      return fail(Code::evidence_unsupported, fmt::format("TDX quote version {} is not known", quote.version));
    if (!check_header(header, checks) || !read_body_type(in, quote, checks)) {
      if (header.tee_type != kTeeTdx) return fail(Code::evidence_unsupported, "the quote is not one of a TDX guest");
      return malformed(checks);
    }
  }
  read_body(in, quote);
  const std::size_t signed_size = in.position();
  CertificationTypes types;
  read_authentication(in, quote, types);
  const auto lengths = in.status();
  checks.require("tdx.format.length", lengths.has_value(), "every length fits",
                 lengths ? "every length fits" : lengths.error().text(), kSignatureTable);
  if (!lengths) return malformed(checks);

  checks.require("tdx.format.certification", types.outer == kQeReportCertification && types.inner == kPckChain,
                 "types 6 and 5", fmt::format("types {} and {}", types.outer, types.inner), kCertificationTable);
  const ByteView tail = in.rest();
  switch (trailing) {
    case TrailingBytes::zero_only:
      checks.require("tdx.format.trailing", all_zero(tail), "nothing but zeros",
                     fmt::format("{} {}bytes", tail.size(), all_zero(tail) ? "zero " : ""), kSignatureTable);
      break;
    case TrailingBytes::any:
      checks.skip("tdx.format.trailing", "the caller allows any", kSignatureTable);
      break;
  }
  if (checks.failed()) return malformed(checks);
  quote.signed_bytes = to_bytes(bytes.first(signed_size));
  return quote;
}

Result<Quote> parse_unverified(ByteView bytes, TrailingBytes trailing) {
  Checklist checks;
  return parse_unverified(bytes, trailing, checks);
}

}  // namespace waxwing::evidence::tdx
