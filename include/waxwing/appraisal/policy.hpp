// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "waxwing/appraisal/tdx_policy.hpp"
#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"
#include "waxwing/evidence/tdx/verify.hpp"

namespace waxwing::appraisal {

namespace sev_snp = evidence::sev_snp;

/// How far a worker's gateway goes to reach its engine (docs/protocols/waxwing.md section 2).
enum class EngineReach : std::uint8_t { builtin, unix_socket, loopback, remote };
[[nodiscard]] std::string_view to_string(EngineReach reach);  ///< "builtin", "unix", "loopback", "remote"
[[nodiscard]] std::optional<EngineReach> engine_reach_from_string(std::string_view text);

/// Who vouches for the expected values.
enum class Origin : std::uint8_t { given, observed };
[[nodiscard]] std::string_view to_string(Origin origin);

/// No launch measurement is looked at. No policy file can say this: it is for tools that judge evidence alone.
struct AnyMeasurement {};
/// One of these, in constant time; an empty list accepts nothing.
using Measurements = std::vector<ByteArray<sev_snp::kMeasurementSize>>;

struct MinimumTcb {
  sev_snp::Product product = sev_snp::Product::milan;
  sev_snp::Tcb tcb;
};

/// Major and minor of the current firmware are at least these, and so is its build, whatever the version.
struct MinimumFirmware {
  std::uint8_t major = 0;
  std::uint8_t minor = 0;
  std::uint8_t build = 0;
};

/// Bits 2 to 5 of `features` must be set in PLATFORM_INFO where they are set here; bits 0, 1 and 7 may be set there
/// only if they are set here; other bits are not looked at.
struct PlatformFeatures {
  std::uint64_t features = 0;
};

/// What a SEV-SNP report must say. An absent optional and an empty list mean "not looked at", except measurements.
struct SnpPolicy {
  std::variant<Measurements, AnyMeasurement> measurements;  ///< default: an empty list, which accepts nothing
  std::vector<sev_snp::Product> products;
  std::vector<ByteArray<32>> host_data;
  std::vector<ByteArray<64>> chip_ids;
  std::optional<ByteArray<64>> report_data;  ///< for tools; a session's binding is judged by exchange::establish
  std::vector<MinimumTcb> min_tcb;           ///< where not empty, a product without an entry is refused
  std::vector<MinimumTcb> min_launch_tcb;
  std::optional<std::uint32_t> min_guest_svn;
  std::optional<MinimumFirmware> min_firmware;
  std::optional<std::uint32_t> vmpl;
  /// SHA-384 of the ID block's key; demanded where not empty or required. A trusted author key stands in for it.
  std::vector<ByteArray<48>> id_keys;
  /// Demanded by themselves where required, or where no ID key is demanded.
  std::vector<ByteArray<48>> author_keys;
  std::uint64_t launch_mitigations = 0;   ///< bits that must be set
  std::uint64_t current_mitigations = 0;  ///< bits that must be set
  std::optional<PlatformFeatures> platform;
  sev_snp::CrlPolicy crl = sev_snp::CrlPolicy::if_present;
  bool allow_debug = false;  ///< no policy file can set this
  bool allow_migration = false;
  bool allow_smt = true;
  bool allow_cxl = true;
  bool allow_provisional = true;
  bool allow_masked_chip_id = false;
  bool require_single_socket = false;
  bool require_aes256_xts = false;
  bool require_rapl_disabled = false;
  bool require_ciphertext_hiding = false;
  bool require_page_swap_disabled = false;
  bool require_id_key = false;
  bool require_author_key = false;
};

/// What a statement must say about the worker's inside; judged by exchange::establish.
struct EnginePolicy {
  std::vector<EngineReach> reach = {EngineReach::builtin, EngineReach::unix_socket, EngineReach::loopback};
  std::vector<crypto::Sha256Digest> config_sha256;  ///< one of these; empty: not looked at
};

/// A trust policy. docs/policy.md states its TOML form.
struct Policy {
  std::string name;
  crypto::Sha256Digest digest{};  ///< SHA-256 of the text it was read from; zero for one made in code
  Origin origin = Origin::given;
  std::optional<WallTime> expires;
  std::chrono::seconds max_age = std::chrono::hours(1);  ///< of an appraisal
  sev_snp::Roots roots;                                  ///< all that are accepted for SEV-SNP
  tdx::Roots tdx_roots;                                  ///< all that are accepted for TDX
  SnpPolicy snp;
  TdxPolicy tdx;
  EnginePolicy engine;

  /// A root that the text names by file: the caller reads it and hands the bytes to add_root().
  struct RootFile {
    std::string path;
    std::string label;
  };
  std::vector<RootFile> root_files;  ///< not yet added
  /// PEM or DER, one certificate, for root_files.front(), which leaves the list. Its name says what it is a root for:
  /// "ARK-Genoa" and its like for SEV-SNP, "Intel SGX Root CA" for TDX. Code::config_invalid.
  [[nodiscard]] Result<void> add_root(ByteView certificate);
};

/// Reads a policy; `source` names it in errors ("policy.toml:12:3: unknown key ..."). Unknown keys, wrong types, no
/// measurement and empty lists are Code::config_invalid. Debugging cannot be allowed. The text is at most
/// Limits::local_file().document bytes.
[[nodiscard]] Result<Policy> parse_policy(std::string_view toml, std::string_view source);

}  // namespace waxwing::appraisal
