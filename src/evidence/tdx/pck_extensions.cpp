// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "pck_extensions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace waxwing::evidence::tdx {
namespace {

constexpr std::string_view kSgxExtensions = "1.2.840.113741.1.13.1";
/// The same arc as the content of a DER OBJECT IDENTIFIER.
constexpr std::array kArc = {std::byte{0x2A}, std::byte{0x86}, std::byte{0x48}, std::byte{0x86}, std::byte{0xF8},
                             std::byte{0x4D}, std::byte{0x01}, std::byte{0x0D}, std::byte{0x01}};

constexpr std::byte kInteger{0x02};
constexpr std::byte kOctetString{0x04};
constexpr std::byte kObjectIdentifier{0x06};
constexpr std::byte kEnumerated{0x0A};
constexpr std::byte kSequence{0x30};

/// Members of the extension, the last number of their OIDs.
constexpr std::uint8_t kPpid = 1;
constexpr std::uint8_t kTcb = 2;
constexpr std::uint8_t kPceId = 3;
constexpr std::uint8_t kFmspc = 4;
constexpr std::uint8_t kSgxType = 5;
/// Members of the TCB: sixteen components from 1, then these.
constexpr std::uint8_t kPceSvn = 17;
constexpr std::uint8_t kCpuSvn = 18;

/// Takes one DER value with this tag off the front of `rest` and gives its content. Lengths in the shortest form, below
/// 65536.
std::optional<ByteView> take(ByteView& rest, std::byte tag) {
  if (rest.size() < 2 || rest[0] != tag) return std::nullopt;
  std::size_t length = std::to_integer<std::size_t>(rest[1]);
  std::size_t head = 2;
  if (length >= 0x80) {
    const std::size_t digits = length - 0x80;
    if (digits < 1 || digits > 2 || rest.size() < head + digits) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < digits; ++i) length = length << 8U | std::to_integer<std::size_t>(rest[head + i]);
    if (length < (digits == 1 ? 0x80U : 0x100U)) return std::nullopt;
    head += digits;
  }
  if (length > rest.size() - head) return std::nullopt;
  const ByteView content = rest.subspan(head, length);
  rest = rest.subspan(head + length);
  return content;
}

/// The content of one DER value that is the whole of `der`.
std::optional<ByteView> whole(ByteView der, std::byte tag) {
  const auto content = take(der, tag);
  return der.empty() ? content : std::nullopt;
}

/// INTEGER or ENUMERATED from 0 to `most`, in its only DER form.
std::optional<std::uint16_t> read_number(ByteView der, std::byte tag, unsigned most) {
  auto bytes = whole(der, tag);
  if (!bytes || bytes->empty() || bytes->size() > 3) return std::nullopt;
  const auto at = [&bytes](std::size_t i) { return std::to_integer<unsigned>((*bytes)[i]); };
  if (at(0) >= 0x80 || (bytes->size() > 1 && at(0) == 0 && at(1) < 0x80)) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = 0; i < bytes->size(); ++i) value = value << 8U | at(i);
  return value <= most ? std::optional(static_cast<std::uint16_t>(value)) : std::nullopt;
}

/// Reads SEQUENCEs of {OID below `arc`, value} into a map by the OID's last number, and its members after that.
class Members {
 public:
  Members(ByteView content, std::string prefix, ByteView arc, std::vector<std::string>& problems)
      : prefix_(std::move(prefix)), problems_(problems) {
    while (!content.empty()) {
      const auto pair = take(content, kSequence);
      if (!pair || !add(*pair, arc)) {
        problem("members", "are malformed");
        return;
      }
    }
  }

  template <std::size_t N>
  void octets(std::uint8_t number, ByteArray<N>& out) {
    if (const auto bytes = whole(value(number), kOctetString); bytes && bytes->size() == N)
      out = to_array<N>(*bytes);
    else
      missing(number);
  }

  std::uint16_t number(std::uint8_t number, std::byte tag, unsigned most) {
    const auto read = read_number(value(number), tag, most);
    if (!read) missing(number);
    return read.value_or(0);
  }

  ByteView sequence(std::uint8_t number) {
    const auto content = whole(value(number), kSequence);
    if (!content) missing(number);
    return content.value_or(ByteView());
  }

 private:
  bool add(ByteView pair, ByteView arc) {
    const auto oid = take(pair, kObjectIdentifier);
    if (!oid || oid->size() != arc.size() + 1 || !std::ranges::equal(oid->first(arc.size()), arc)) return false;
    const auto number = std::to_integer<std::uint8_t>(oid->back());
    if (!values_.emplace(number, pair).second) problem(fmt::format("{}", number), "is there twice");
    return number < 0x80;
  }

  /// Empty when it is not there, which no value is.
  [[nodiscard]] ByteView value(std::uint8_t number) const {
    const auto found = values_.find(number);
    return found == values_.end() ? ByteView() : found->second;
  }

  void missing(std::uint8_t number) { problem(fmt::format("{}", number), "is missing or malformed"); }
  void problem(std::string_view name, std::string_view what) {
    problems_.push_back(fmt::format("{}{} {}", prefix_, name, what));
  }

  std::string prefix_;
  std::vector<std::string>& problems_;
  std::map<std::uint8_t, ByteView> values_;
};

void read_tcb(ByteView content, PckExtensions& out) {
  Bytes arc = to_bytes(kArc);
  arc.push_back(std::byte{kTcb});
  Members members(content, ".2.", arc, out.problems);
  for (std::size_t i = 0; i < kComponents; ++i)
    out.platform.components[i] =
        static_cast<std::uint8_t>(members.number(static_cast<std::uint8_t>(i + 1), kInteger, 0xFF));
  out.platform.pcesvn = members.number(kPceSvn, kInteger, 0xFFFF);
  members.octets(kCpuSvn, out.platform.cpu_svn);
}

}  // namespace

PckExtensions read_pck_extensions(const crypto::Certificate& pck) {
  PckExtensions out;
  const std::vector<Bytes> values = pck.extensions(kSgxExtensions);
  const auto content = values.size() == 1 ? whole(values.front(), kSequence) : std::nullopt;
  if (!content) {
    out.problems.emplace_back("the SGX extension is missing, repeated or malformed");
    return out;
  }
  Members members(*content, ".", kArc, out.problems);
  ByteArray<16> ppid;
  members.octets(kPpid, ppid);
  read_tcb(members.sequence(kTcb), out);
  members.octets(kPceId, out.platform.pce_id);
  members.octets(kFmspc, out.platform.fmspc);
  members.number(kSgxType, kEnumerated, 2);
  return out;
}

}  // namespace waxwing::evidence::tdx
