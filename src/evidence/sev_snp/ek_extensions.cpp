// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "ek_extensions.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace waxwing::evidence::sev_snp {
namespace {

constexpr std::string_view kArc = "1.3.6.1.4.1.3704.1.";
constexpr std::byte kInteger{0x02};
constexpr std::byte kOctetString{0x04};
constexpr std::byte kIa5String{0x16};
constexpr std::size_t kHardwareIdSize = 64;
constexpr std::size_t kTurinHardwareIdSize = 8;

enum class Presence : std::uint8_t { required, optional };

/// The content of one DER value with a one-byte length that fills the whole of `der`.
std::optional<ByteView> content(ByteView der, std::byte tag) {
  if (der.size() < 2 || der[0] != tag) return std::nullopt;
  const auto length = std::to_integer<std::size_t>(der[1]);
  if (length >= 0x80 || der.size() != length + 2) return std::nullopt;
  return der.subspan(2);
}

/// INTEGER 0..255 in its only DER form.
std::optional<std::uint8_t> read_level(ByteView der) {
  const auto bytes = content(der, kInteger);
  if (!bytes) return std::nullopt;
  const auto at = [&bytes](std::size_t i) { return std::to_integer<std::uint8_t>((*bytes)[i]); };
  if (bytes->size() == 1 && at(0) < 0x80) return at(0);
  if (bytes->size() == 2 && at(0) == 0 && at(1) >= 0x80) return at(1);
  return std::nullopt;
}

std::optional<std::string> read_text(ByteView der) {
  const auto bytes = content(der, kIa5String);
  if (!bytes || bytes->empty()) return std::nullopt;
  const bool printable =
      std::ranges::all_of(*bytes, [](std::byte b) { return b >= std::byte{0x20} && b < std::byte{0x7F}; });
  if (!printable) return std::nullopt;
  return std::string(as_text(*bytes));
}

/// Raw bytes, not DER; the wrapped form is accepted too. The raw length decides first, since a raw identity may begin
/// like a wrapper.
std::optional<Bytes> read_hardware_id(ByteView value) {
  const auto fits = [](std::size_t size) { return size == kHardwareIdSize || size == kTurinHardwareIdSize; };
  if (fits(value.size())) return to_bytes(value);
  const auto wrapped = content(value, kOctetString);
  if (wrapped && fits(wrapped->size())) return to_bytes(*wrapped);
  return std::nullopt;
}

class Reader {
 public:
  Reader(const crypto::Certificate& ek, EkExtensions& out) : ek_(ek), out_(out) {}

  void refuse_duplicates() {
    std::vector<std::string> oids = ek_.extension_oids();
    std::erase_if(oids, [](const std::string& oid) { return !oid.starts_with(kArc); });
    std::ranges::sort(oids);
    for (auto twice = std::ranges::adjacent_find(oids); twice != oids.end();
         twice = std::adjacent_find(std::upper_bound(twice, oids.end(), *twice), oids.end()))
      problem(twice->substr(kArc.size()), "is there twice");
  }

  template <class T>
  std::optional<T> value(std::string_view suffix, Presence presence, std::optional<T> (*read)(ByteView)) {
    const std::vector<Bytes> found = ek_.extensions(std::string(kArc).append(suffix));
    if (found.empty()) {
      if (presence == Presence::required) problem(suffix, "is missing");
      return std::nullopt;
    }
    std::optional<T> parsed = read(found.front());
    if (!parsed) problem(suffix, "is malformed");
    return parsed;
  }

  void refuse(std::string_view suffix) {
    if (!ek_.extensions(std::string(kArc).append(suffix)).empty()) problem(suffix, "belongs to the other kind of key");
  }

 private:
  void problem(std::string_view suffix, std::string_view what) {
    out_.problems.push_back(std::string(".").append(suffix).append(" ").append(what));
  }

  const crypto::Certificate& ek_;
  EkExtensions& out_;
};

}  // namespace

std::optional<Product> EkExtensions::product() const {
  return product_from_string(std::string_view(product_name).substr(0, product_name.find('-')));
}

EkExtensions read_ek_extensions(const crypto::Certificate& ek, SigningKey kind) {
  EkExtensions out;
  Reader reader(ek, out);
  reader.refuse_duplicates();
  reader.value("1", Presence::required, read_level);  // structVersion
  out.product_name = reader.value("2", Presence::required, read_text).value_or("");
  out.boot_loader = reader.value("3.1", Presence::required, read_level);
  out.tee = reader.value("3.2", Presence::required, read_level);
  out.snp = reader.value("3.3", Presence::required, read_level);
  out.microcode = reader.value("3.8", Presence::required, read_level);
  const bool turin = out.product() == Product::turin;
  out.fmc = reader.value("3.9", turin ? Presence::required : Presence::optional, read_level);
  if (kind == SigningKey::vcek) {
    out.hardware_id = reader.value("4", Presence::required, read_hardware_id);
    if (out.hardware_id && (out.hardware_id->size() == kTurinHardwareIdSize) != turin)
      out.problems.emplace_back(".4 has the length of another product");
    reader.refuse("5");
  } else if (kind == SigningKey::vlek) {
    out.csp_id = reader.value("5", Presence::required, read_text);
    reader.refuse("4");
  }
  return out;
}

}  // namespace waxwing::evidence::sev_snp
