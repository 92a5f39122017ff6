// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/evidence/sev_snp/verify.hpp"

namespace waxwing::evidence::sev_snp {

/// The certificates a host hands to its guest with an extended report (AMD 56421, SNP Extended Guest Request): DER, as
/// views of the table's bytes. Entries with another GUID are ignored.
struct CertificateTable {
  std::optional<ByteView> vcek;
  std::optional<ByteView> vlek;
  std::optional<ByteView> ask;  ///< ASK or ASVK
  std::optional<ByteView> ark;
};

/// Header of 24-byte entries {GUID, u32 offset, u32 length}, ended by a zero entry; offsets count from the table's
/// start and lie behind the header. An empty input is an empty table. Code::evidence_malformed: no end, an entry
/// outside, a known GUID twice; Code::too_large beyond limits.
[[nodiscard]] Result<CertificateTable> parse_certificate_table(ByteView table, const Limits& limits);

/// The endorsements of a report signed by that kind of key. Code::evidence_malformed when its certificate is not there.
[[nodiscard]] Result<Endorsements> endorsements_from_table(const CertificateTable& table, SigningKey key,
                                                           const Limits& limits);

}  // namespace waxwing::evidence::sev_snp
