// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/sev_snp/certificate_table.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "waxwing/base/byte_reader.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::evidence::sev_snp {
namespace {

constexpr std::size_t kEntrySize = 24;
// A host may add entries of its own; more than this is not a table of certificates.
constexpr std::size_t kMostEntries = 64;

struct KnownEntry {
  std::string_view guid;  // the bytes in the order of the GUID's text
  std::optional<ByteView> CertificateTable::* slot;
};

// AMD 56421, SNP Extended Guest Request, table of GUIDs.
constexpr KnownEntry kKnown[] = {
    {"63da758de6644564adc5f4b93be8accd", &CertificateTable::vcek},
    {"a8074bc2a25a483eaae639c045a0b8a1", &CertificateTable::vlek},
    {"4ab7b379bbac4fe4a02f05aef327c782", &CertificateTable::ask},
    {"c0b406a4a803495297433fb6014cd0ae", &CertificateTable::ark},
};

struct Entry {
  ByteArray<16> guid;
  std::uint64_t offset;
  std::uint64_t length;
};

Result<std::vector<Entry>> read_header(ByteView table) {
  std::vector<Entry> entries;
  ByteReader in("certificate table", table);
  while (true) {
    const ByteView raw = in.bytes(kEntrySize);
    if (!in.ok()) return fail(Code::evidence_malformed, "the certificate table's header has no end");
    if (all_zero(raw)) return entries;
    if (entries.size() == kMostEntries) return fail(Code::too_large, "the certificate table has too many entries");
    ByteReader entry("certificate table entry", raw);
    const auto guid = entry.array<16>();
    const std::uint64_t offset = entry.u32_le();
    const std::uint64_t length = entry.u32_le();
    entries.push_back({guid, offset, length});
  }
}

}  // namespace

Result<CertificateTable> parse_certificate_table(ByteView table, const Limits& limits) {
  CertificateTable result;
  if (table.empty()) return result;
  if (table.size() > limits.document) return fail(Code::too_large, "the certificate table is too large");
  WAXWING_ASSIGN(const auto entries, read_header(table));
  const std::uint64_t header = (entries.size() + 1) * kEntrySize;
  for (const Entry& entry : entries) {
    // 64-bit sums of 32-bit values cannot wrap.
    if (entry.offset < header || entry.offset + entry.length > table.size())
      return fail(Code::evidence_malformed, "a certificate table entry lies outside the table");
    const auto known = std::ranges::find(kKnown, to_hex(entry.guid), &KnownEntry::guid);
    if (known == std::end(kKnown)) continue;
    if (entry.length > limits.certificate) return fail(Code::too_large, "a certificate in the table is too large");
    std::optional<ByteView>& slot = result.*(known->slot);
    if (slot) return fail(Code::evidence_malformed, "the certificate table names one certificate twice");
    slot = table.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.length));
  }
  return result;
}

Result<Endorsements> endorsements_from_table(const CertificateTable& table, SigningKey key, const Limits& limits) {
  std::optional<ByteView> ek;
  switch (key) {
    case SigningKey::vcek:
      ek = table.vcek;
      break;
    case SigningKey::vlek:
      ek = table.vlek;
      break;
    case SigningKey::none:
      break;
  }
  if (!ek) return fail(Code::evidence_malformed, "the certificate table lacks the endorsement key's certificate");
  std::vector<Bytes> chain = {to_bytes(*ek)};
  if (table.ask) chain.push_back(to_bytes(*table.ask));
  if (table.ark) chain.push_back(to_bytes(*table.ark));
  return Endorsements::from_der(chain, std::nullopt, limits);
}

}  // namespace waxwing::evidence::sev_snp
