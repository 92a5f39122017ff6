// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/evidence/check.hpp"

namespace waxwing::evidence::tdx {

inline constexpr std::size_t kHeaderSize = 48;
inline constexpr std::size_t kTd10Size = 584;
inline constexpr std::size_t kTd15Size = 648;
inline constexpr std::size_t kRegisterSize = 48;  ///< SHA-384
inline constexpr std::size_t kQeReportSize = 384;

/// A measurement register.
using Register = ByteArray<kRegisterSize>;
/// TEE_TCB_SVN: [0] SVN of the TDX module, [1] its major version, the rest as the TDX components of a TCB level.
using TeeTcbSvn = ByteArray<16>;

/// Of a version 5 quote; a version 4 quote holds td10.
enum class BodyType : std::uint16_t { td10 = 2, td15 = 3 };

/// TDATTRIBUTES as it stands in the report, bit 0 first.
struct TdAttributes {
  ByteArray<8> bytes{};
  /// The debug bit or another of the group that makes a TD untrusted (bits 7:0).
  [[nodiscard]] bool untrusted() const { return bytes[0] != std::byte{0}; }
  [[nodiscard]] bool sept_ve_disabled() const { return bit(28); }
  [[nodiscard]] bool migratable() const { return bit(29); }
  [[nodiscard]] bool bit(unsigned n) const { return ((bytes[n / 8] >> (n % 8)) & std::byte{1}) != std::byte{0}; }
};

/// What the TDX module says of the trust domain: TD report 1.0, and the two last fields of 1.5.
struct TdReport {
  TeeTcbSvn tee_tcb_svn{};
  Register mr_seam{};
  Register mr_signer_seam{};
  ByteArray<8> seam_attributes{};
  TdAttributes td_attributes;
  ByteArray<8> xfam{};
  Register mr_td{};
  Register mr_config_id{};
  Register mr_owner{};
  Register mr_owner_config{};
  std::array<Register, 4> rtmr{};
  ByteArray<64> report_data{};
  TeeTcbSvn tee_tcb_svn2{};  ///< 1.5: of the module that runs now; zero in 1.0
  Register mr_service_td{};  ///< 1.5; zero in 1.0
};

/// The quoting enclave's SGX report; reserved fields are left out.
struct QeReport {
  ByteArray<4> misc_select{};
  ByteArray<16> attributes{};
  ByteArray<32> mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::uint16_t isv_svn = 0;
  ByteArray<64> report_data{};
  ByteArray<kQeReportSize> signed_bytes{};
};

/// A TDX quote, version 4 or 5, integers little-endian. Nothing in it is verified.
struct Quote {
  std::uint16_t version = 0;
  BodyType body_type = BodyType::td10;
  TdReport body;
  Bytes signed_bytes;                   ///< header, in version 5 body type and size, body
  ByteArray<64> signature{};            ///< r || s, big-endian, by the attestation key
  ByteArray<64> attestation_key{};      ///< P-256 point x || y
  QeReport qe_report;                   ///< vouches for the attestation key
  ByteArray<64> qe_report_signature{};  ///< r || s, by the platform's PCK
  Bytes qe_auth_data;                   ///< at most 1024 bytes
  std::string pck_chain_pem;            ///< as it came, without a final NUL
};

/// What may follow the quote; none of it is signed.
enum class TrailingBytes : std::uint8_t { zero_only, any };

/// Reads one quote and makes the checks "tdx.format.*". Code::evidence_unsupported for an unknown version or another
/// TEE, Code::evidence_malformed for everything else.
[[nodiscard]] Result<Quote> parse_unverified(ByteView bytes, TrailingBytes trailing, Checklist& checks);
/// The same where nobody reads the list.
[[nodiscard]] Result<Quote> parse_unverified(ByteView bytes, TrailingBytes trailing = TrailingBytes::zero_only);

}  // namespace waxwing::evidence::tdx
