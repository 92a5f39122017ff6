// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/evidence/check.hpp"

namespace waxwing::evidence::sev_snp {

inline constexpr std::size_t kReportSize = 1184;
inline constexpr std::size_t kSignedSize = 0x2A0;  ///< the signature covers bytes 0x000..0x29F
inline constexpr std::size_t kMeasurementSize = 48;

/// A product line with a root of its own. Bergamo and Siena belong to genoa.
enum class Product : std::uint8_t { milan, genoa, turin };
[[nodiscard]] std::string_view to_string(Product product);                        ///< "Milan", "Genoa", "Turin"
[[nodiscard]] std::optional<Product> product_from_string(std::string_view name);  ///< exact

/// KEY_INFO, bits 4:2.
enum class SigningKey : std::uint8_t { vcek = 0, vlek = 1, none = 7 };
[[nodiscard]] std::string_view to_string(SigningKey key);  ///< "VCEK", "VLEK", "none"

/// TCB_VERSION as it stands in the report; what the bytes mean depends on the product.
using TcbBytes = ByteArray<8>;

/// The components of a TCB_VERSION. Levels are compared component by component, never as one number.
struct Tcb {
  std::optional<std::uint8_t> fmc;  ///< Turin only
  std::uint8_t boot_loader = 0;
  std::uint8_t tee = 0;
  std::uint8_t snp = 0;
  std::uint8_t microcode = 0;

  /// AMD 56860, Table TCB_VERSION: the layout of Milan and Genoa, or that of Turin.
  [[nodiscard]] static Tcb decode(const TcbBytes& bytes, Product product);
  [[nodiscard]] TcbBytes encode(Product product) const;
  /// Every component is at least the other's.
  [[nodiscard]] bool at_least(const Tcb& minimum) const;
  friend bool operator==(const Tcb&, const Tcb&) = default;
};
[[nodiscard]] std::string to_string(const Tcb& tcb);  ///< "bl 3, tee 0, snp 20, ucode 209"

/// POLICY of the guest (AMD 56860, Table GUEST_POLICY).
struct GuestPolicy {
  std::uint64_t bits = 0;
  [[nodiscard]] bool smt() const { return bit(16); }
  [[nodiscard]] bool migration_agent() const { return bit(18); }
  [[nodiscard]] bool debug() const { return bit(19); }
  [[nodiscard]] bool single_socket() const { return bit(20); }
  [[nodiscard]] bool cxl() const { return bit(21); }
  [[nodiscard]] bool aes256_xts() const { return bit(22); }
  [[nodiscard]] bool rapl_disabled() const { return bit(23); }
  [[nodiscard]] bool ciphertext_hiding() const { return bit(24); }
  [[nodiscard]] bool page_swap_disabled() const { return bit(25); }
  [[nodiscard]] bool bit(unsigned n) const { return ((bits >> n) & 1U) != 0; }
};

struct FirmwareVersion {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint8_t build = 0;
  friend auto operator<=>(const FirmwareVersion&, const FirmwareVersion&) = default;
};
[[nodiscard]] std::string to_string(const FirmwareVersion& version);  ///< "1.55.39"

/// Family and model are the combined values (AMD 56860: CPUID_FAM_ID, CPUID_MOD_ID).
struct Cpuid {
  std::uint8_t family = 0;
  std::uint8_t model = 0;
  std::uint8_t stepping = 0;
};
/// Nothing for a processor without a public root.
[[nodiscard]] std::optional<Product> product_of(const Cpuid& cpuid);

/// ATTESTATION_REPORT (AMD 56860), versions 2 to 5, integers little-endian. Nothing in it is verified.
struct Report {
  std::uint32_t version = 0;
  std::uint32_t guest_svn = 0;
  GuestPolicy policy;
  ByteArray<16> family_id{};
  ByteArray<16> image_id{};
  std::uint32_t vmpl = 0;
  std::uint32_t signature_algorithm = 0;
  TcbBytes current_tcb{};
  std::uint64_t platform_info = 0;
  std::uint32_t key_info = 0;
  ByteArray<64> report_data{};
  ByteArray<kMeasurementSize> measurement{};
  ByteArray<32> host_data{};
  ByteArray<48> id_key_digest{};
  ByteArray<48> author_key_digest{};  ///< means something only if author_key_enabled()
  ByteArray<32> report_id{};
  ByteArray<32> report_id_ma{};
  TcbBytes reported_tcb{};
  std::optional<Cpuid> cpuid;  ///< from version 3
  ByteArray<64> chip_id{};
  TcbBytes committed_tcb{};
  FirmwareVersion current_version;
  FirmwareVersion committed_version;
  TcbBytes launch_tcb{};
  std::uint64_t launch_mitigations = 0;   ///< bit set, from version 5; zero before
  std::uint64_t current_mitigations = 0;  ///< bit set, from version 5; zero before
  ByteArray<72> signature_r{};            ///< little-endian
  ByteArray<72> signature_s{};            ///< little-endian
  ByteArray<kSignedSize> signed_bytes{};

  [[nodiscard]] SigningKey signing_key() const { return static_cast<SigningKey>((key_info >> 2U) & 7U); }
  [[nodiscard]] bool author_key_enabled() const { return (key_info & 1U) != 0; }
  [[nodiscard]] bool chip_key_masked() const { return (key_info & 2U) != 0; }
};

/// Reads exactly 1184 bytes and makes the checks "snp.format.*". Code::evidence_unsupported for an unknown version,
/// Code::evidence_malformed for everything else.
[[nodiscard]] Result<Report> parse_unverified(ByteView bytes, Checklist& checks);
/// The same where nobody reads the list.
[[nodiscard]] Result<Report> parse_unverified(ByteView bytes);

}  // namespace waxwing::evidence::sev_snp
