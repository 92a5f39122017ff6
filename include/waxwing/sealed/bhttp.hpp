// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"

/// Binary HTTP (RFC 9292): what travels inside a sealed request or answer.
namespace waxwing::sealed {

struct Field {
  std::string name;  ///< lowercase token
  std::string value;
  friend bool operator==(const Field&, const Field&) = default;
};
using Fields = std::vector<Field>;

/// The value of the first field of that (lowercase) name, or nullptr.
[[nodiscard]] const std::string* find_field(const Fields& fields, std::string_view name);
/// connection, keep-alive, proxy-connection, te, transfer-encoding, upgrade: of no effect here, dropped when
/// forwarding.
[[nodiscard]] bool is_connection_field(std::string_view lowercase_name);

struct RequestHead {
  std::string method;
  std::string scheme = "https";
  std::string authority;  ///< may be empty
  std::string path;       ///< with the query
  Fields fields;
  friend bool operator==(const RequestHead&, const RequestHead&) = default;
};

struct ResponseHead {
  int status = 200;
  Fields fields;
  friend bool operator==(const ResponseHead&, const ResponseHead&) = default;
};

/// Whether bytes may follow those given, or the input ends with them.
enum class Input : std::uint8_t { open, ended };

namespace bhttp {

struct HeadLimits {
  std::size_t control = std::size_t{8} << 10U;   ///< bytes of method, scheme, authority and path, each
  std::size_t section = std::size_t{64} << 10U;  ///< bytes of one field section
  std::size_t fields = 200;                      ///< lines of one field section
  std::size_t informational = 8;                 ///< 1xx responses before the final one
};

/// The indeterminate-length form, which is the one we send: encode_head, then per piece content_prefix(n) and n bytes,
/// then encode_end. All three append. Names go out in lowercase. Code::bad_request for what a decoder would refuse.
[[nodiscard]] Result<void> encode_head(const RequestHead& head, Bytes& out);
[[nodiscard]] Result<void> encode_head(const ResponseHead& head, Bytes& out);
/// A 1xx answer; it goes before the head, and the first of them all writes the framing indicator.
[[nodiscard]] Result<void> encode_informational(const ResponseHead& head, Bytes& out);
/// encode_head after encode_informational.
[[nodiscard]] Result<void> encode_final_head(const ResponseHead& head, Bytes& out);
/// Precondition: 1 <= size < 2^62 (a zero would end the content).
void encode_content_prefix(std::uint64_t size, Bytes& out);
/// End of content and the trailer section.
[[nodiscard]] Result<void> encode_end(const Fields& trailers, Bytes& out);

/// The known-length form of a whole message.
[[nodiscard]] Result<Bytes> encode_known_length(const RequestHead& head, ByteView content, const Fields& trailers);
[[nodiscard]] Result<Bytes> encode_known_length(const ResponseHead& head, ByteView content, const Fields& trailers);

enum class Kind : std::uint8_t { request, response };

enum class Event : std::uint8_t {
  need_input,     ///< all that was given is consumed
  informational,  ///< a 1xx answer is in response()
  head,           ///< request() or response() is complete
  content,        ///< a piece, a view into what was given
  end,            ///< the message is complete (only with Input::ended); trailers() is set
};
struct Step {
  Event event;
  ByteView content;
};

/// Reads one message of either length form as its bytes arrive in pieces of any size; nothing of the content is copied.
/// Control data must be free of white space and control characters, names must be lowercase tokens (so no pseudo-field
/// passes), padding must be zero. Code::malformed, Code::truncated or Code::too_large; every later call fails too.
///
///     for (;;) {
///       WAXWING_ASSIGN(const Step step, decoder.next(bytes, Input::open));
///       if (step.event == Event::need_input) break;
///       ...
///     }
class Decoder {
 public:
  explicit Decoder(Kind kind, const HeadLimits& limits = {}) : kind_(kind), limits_(limits) {}

  /// Takes from the front of `in`. With Input::ended the sequence of events closes with Event::end or an error.
  [[nodiscard]] Result<Step> next(ByteView& in, Input input);

  [[nodiscard]] RequestHead& request() { return request_; }
  [[nodiscard]] ResponseHead& response() { return response_; }
  [[nodiscard]] const Fields& trailers() const { return trailers_; }
  [[nodiscard]] bool is_known_length() const { return known_length_; }
  [[nodiscard]] std::uint64_t padding() const { return padding_; }

 private:
  enum class State : std::uint8_t {
    framing,
    control_size,
    control,
    status,
    section_size,
    name_size,
    name,
    value_size,
    value,
    content_size,
    content,
    padding,
    ended,
    failed,
  };
  enum class Section : std::uint8_t { header, trailer };

  Result<Step> run(ByteView& in, Input input);
  Result<Step> starve(Input input);
  Result<void> on_framing();
  Result<void> on_control();
  Result<void> on_status();
  Result<std::optional<Event>> on_name_size();
  void on_content_size();
  void begin_section(Section section);
  std::optional<Event> end_section();
  Result<void> begin_text(State state);
  Result<void> account(std::uint64_t bytes);
  bool take_varint(ByteView& in);
  bool take_text(ByteView& in, std::string& to);
  Step take_content(ByteView& in);
  [[nodiscard]] std::string& control_element();
  [[nodiscard]] Fields& fields();
  [[nodiscard]] bool is_informational() const { return kind_ == Kind::response && response_.status < 200; }

  Kind kind_;
  HeadLimits limits_;
  State state_ = State::framing;
  Section section_ = Section::header;
  bool known_length_ = false;
  std::uint8_t control_index_ = 0;
  std::uint8_t varint_width_ = 0;  ///< bytes of the last varint
  std::uint8_t varint_left_ = 0;   ///< bytes still to come of a varint that has begun
  std::uint64_t varint_ = 0;
  std::uint64_t left_ = 0;          ///< bytes still to come of the element or content piece
  std::uint64_t section_left_ = 0;  ///< known-length form: bytes still to come of the section
  std::size_t section_bytes_ = 0;   ///< bytes of the section so far
  std::size_t informational_ = 0;
  bool content_begun_ = false;
  std::uint64_t padding_ = 0;
  RequestHead request_;
  ResponseHead response_;
  Fields trailers_;
};

}  // namespace bhttp
}  // namespace waxwing::sealed
