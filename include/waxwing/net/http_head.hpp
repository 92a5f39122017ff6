// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"

namespace waxwing::net {

/// The fields of one head in one string, in order; names are kept in lower case. Views last until the next change.
///
///     Fields fields{{"content-type", "application/json"}};
///     if (auto type = fields.find("content-type")) ...
///     for (auto [name, value] : fields) ...
class Fields {
 public:
  using Field = std::pair<std::string_view, std::string_view>;

  Fields() = default;
  Fields(std::initializer_list<Field> fields);

  /// The name is stored in lower case. Neither is checked here; what leaves is (encode_head refuses CR, LF, NUL).
  void add(std::string_view name, std::string_view value);
  /// Removes all fields of that (lower-case) name.
  void remove(std::string_view name);
  void set(std::string_view name, std::string_view value) {
    remove(name);
    add(name, value);
  }
  void clear();

  /// First field of that lower-case name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] bool empty() const { return slots_.empty(); }
  [[nodiscard]] Field operator[](std::size_t i) const;
  /// Whether a comma-separated list field (all its lines) holds that token, ASCII case ignored (RFC 9110
  /// section 5.6.1).
  [[nodiscard]] bool has_token(std::string_view name, std::string_view token) const;

  class Iterator {
   public:
    Iterator(const Fields* fields, std::size_t at) : fields_(fields), at_(at) {}
    Field operator*() const { return (*fields_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    const Fields* fields_;
    std::size_t at_;
  };
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, slots_.size()}; }

 private:
  struct Slot {
    std::uint32_t name, name_size, value, value_size;
  };
  std::string text_;
  std::vector<Slot> slots_;
};

/// How long a body is. Requests: none, known or chunked. Responses also until the connection closes (seen from HTTP/1.0
/// peers; never sent by us).
struct BodyLength {
  enum class Kind : std::uint8_t { none, known, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t size = 0;  ///< known
  [[nodiscard]] static constexpr BodyLength none() { return {Kind::none, 0}; }
  [[nodiscard]] static constexpr BodyLength known(std::uint64_t size) { return {Kind::known, size}; }
  [[nodiscard]] static constexpr BodyLength chunked() { return {Kind::chunked, 0}; }
  friend bool operator==(const BodyLength&, const BodyLength&) = default;
};

struct RequestHead {
  std::string method = "GET";
  std::string target = "/";  ///< origin-form (a path with an optional query) or "*"
  int minor_version = 1;     ///< HTTP/1.x
  Fields fields{};  ///< without Content-Length, Transfer-Encoding, Connection when made by us: BodyLength says it

  [[nodiscard]] std::string_view path() const;   ///< the target before "?"
  [[nodiscard]] std::string_view query() const;  ///< after it; may be empty
};

struct ResponseHead {
  int status = 200;
  int minor_version = 1;
  Fields fields{};
};

struct HeadLimits {
  std::size_t bytes = 64U << 10U;  ///< the whole head, start line included; not more than the 64 KiB of an I/O buffer
  std::size_t fields = 100;
  std::size_t target = 8U << 10U;
};

/// Size of the head at the front of `bytes` including its empty line; nullopt: not complete yet. Code::too_large once
/// it cannot end within the limit. `scanned` is the caller's memory of where to go on, 0 at first.
[[nodiscard]] Result<std::optional<std::size_t>> find_head_end(ByteView bytes, const HeadLimits& limits,
                                                               std::size_t& scanned);

/// Reads a complete head, strictly by RFC 9112: CRLF line ends only, no folding, no white space around field names,
/// token characters only, no control characters in values, one Host in HTTP/1.1 requests, no absolute or authority
/// form. Code::bad_request, Code::too_large (fields, target) or Code::unsupported (HTTP version) for requests,
/// Code::malformed for responses.
[[nodiscard]] Result<void> parse_request_head(ByteView head, const HeadLimits& limits, RequestHead& out);
[[nodiscard]] Result<void> parse_response_head(ByteView head, const HeadLimits& limits, ResponseHead& out);

/// RFC 9112 section 6.3, without leniency: Content-Length twice (even if equal), with Transfer-Encoding, not all
/// digits, or any transfer coding but a single "chunked" is refused. Requests: Code::bad_request, or Code::unsupported
/// for other codings.
[[nodiscard]] Result<BodyLength> request_body_length(const RequestHead& head);
/// `request_method` as sent: HEAD has no body; nor do 1xx, 204 and 304.
[[nodiscard]] Result<BodyLength> response_body_length(const ResponseHead& head, std::string_view request_method);

/// Whether the connection may carry another message after this one (RFC 9112 section 9.3).
[[nodiscard]] bool keeps_alive(int minor_version, const Fields& fields);

enum class Persist : std::uint8_t { keep_alive, close };

/// Appends the head with its framing fields. Code::internal when a name, value, target or method could break the
/// framing or names a field that is ours to write (content-length, transfer-encoding, connection).
[[nodiscard]] Result<void> encode_head(const RequestHead& head, BodyLength body, Persist persist, Bytes& out);
[[nodiscard]] Result<void> encode_head(const ResponseHead& head, BodyLength body, Persist persist, Bytes& out);

/// Registered phrase of a status, "" when we have none.
[[nodiscard]] std::string_view reason_phrase(int status);

/// RFC 9112 section 7.1, incremental. Extensions are skipped (at most 256 bytes a chunk), trailers read and dropped (at
/// most 8 KiB and 64 lines), chunk sizes have at most 16 hex digits.
class ChunkedDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  ///< bytes of the input used up
    ByteView data;             ///< body bytes, a view into the input
    bool end = false;          ///< the last chunk and its trailers have been read
  };
  /// Consumes input up to the end of one run of body bytes, or all of it. Code::malformed, and for good.
  [[nodiscard]] Result<Step> step(ByteView input);

 private:
  enum class State : std::uint8_t {
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer,
    trailer_lf,
    end_lf,
    done,
    failed
  };
  [[nodiscard]] std::unexpected<Error> refuse(const char* why);
  [[nodiscard]] const char* take(char c);
  [[nodiscard]] const char* take_size(char c);
  State state_ = State::size_first;
  std::uint64_t left_ = 0;
  std::uint32_t digits_ = 0;
  std::uint32_t extension_bytes_ = 0;
  std::uint32_t trailer_bytes_ = 0;
  std::uint32_t trailer_lines_ = 0;
};

/// A piece of a body, or why there is none now.
struct BodyPiece {
  enum class State : std::uint8_t { data, blocked, end };
  State state = State::blocked;
  ByteView bytes;  ///< data: not empty; valid until the next read on the same connection
};

}  // namespace waxwing::net
