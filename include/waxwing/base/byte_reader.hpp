// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"

namespace waxwing {

/// A cursor over untrusted bytes. It remembers the first failure: after it every read yields zero or nothing, so a
/// layout reads top to bottom and asks once at the end. Lengths are checked before anything is allocated.
///
///     ByteReader in("SEV-SNP report", bytes);
///     report.version = in.u32_le();
///     in.expect_zero(24, "reserved at 0x188");
///     WAXWING_TRY(in.expect_end());
class ByteReader {
 public:
  /// `structure` names what is read, for errors; it outlives the reader (a literal).
  ByteReader(std::string_view structure, ByteView bytes) : structure_(structure), bytes_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(little(1)); }
  std::uint16_t u16_le() { return static_cast<std::uint16_t>(little(2)); }
  std::uint32_t u32_le() { return static_cast<std::uint32_t>(little(4)); }
  std::uint64_t u64_le() { return little(8); }
  std::uint16_t u16_be() { return static_cast<std::uint16_t>(big(2)); }
  std::uint32_t u32_be() { return static_cast<std::uint32_t>(big(4)); }
  std::uint64_t u64_be() { return big(8); }
  /// RFC 9000 section 16; non-minimal encodings are accepted.
  std::uint64_t varint();

  /// A view of the next n bytes (empty after a failure).
  ByteView bytes(std::size_t n);
  /// All that is left.
  ByteView rest() { return bytes(remaining()); }
  template <std::size_t N>
  ByteArray<N> array() {
    const ByteView view = bytes(N);
    return view.size() == N ? to_array<N>(view) : ByteArray<N>{};
  }
  /// n bytes that the specification wants to be zero; `what` names them.
  void expect_zero(std::size_t n, std::string_view what);

  [[nodiscard]] std::size_t position() const { return position_; }
  [[nodiscard]] std::size_t remaining() const { return failed_ ? 0 : bytes_.size() - position_; }
  [[nodiscard]] bool ok() const { return !failed_; }

  /// The first failure, or success.
  [[nodiscard]] Result<void> status() const;
  /// As status(), and nothing may be left over.
  [[nodiscard]] Result<void> expect_end();
  /// Marks the input as bad for a reason the cursor cannot see itself.
  void reject(Code code, std::string_view text);

 private:
  std::uint64_t little(std::size_t n);
  std::uint64_t big(std::size_t n);

  std::string_view structure_;
  ByteView bytes_;
  std::size_t position_ = 0;
  bool failed_ = false;
  Code code_ = Code::truncated;
  std::string why_;
};

/// The writing side: appends to a buffer that the caller owns.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}
  ByteWriter& u8(std::uint8_t v) { return little(v, 1); }
  ByteWriter& u16_le(std::uint16_t v) { return little(v, 2); }
  ByteWriter& u32_le(std::uint32_t v) { return little(v, 4); }
  ByteWriter& u64_le(std::uint64_t v) { return little(v, 8); }
  ByteWriter& u16_be(std::uint16_t v) { return big(v, 2); }
  ByteWriter& u32_be(std::uint32_t v) { return big(v, 4); }
  ByteWriter& u64_be(std::uint64_t v) { return big(v, 8); }
  /// RFC 9000 section 16, shortest form. Precondition: v < 2^62.
  ByteWriter& varint(std::uint64_t v);
  ByteWriter& bytes(ByteView v) {
    append(out_, v);
    return *this;
  }
  ByteWriter& zeros(std::size_t n) {
    out_.resize(out_.size() + n);
    return *this;
  }

 private:
  ByteWriter& little(std::uint64_t v, std::size_t n);
  ByteWriter& big(std::uint64_t v, std::size_t n);
  Bytes& out_;
};

/// Bytes that varint(v) takes: 1, 2, 4 or 8.
[[nodiscard]] std::size_t varint_size(std::uint64_t v);

}  // namespace waxwing
