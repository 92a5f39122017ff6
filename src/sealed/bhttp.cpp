// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/bhttp.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "waxwing/base/byte_reader.hpp"

namespace waxwing::sealed {
namespace {

enum Framing : std::uint64_t {
  kRequestKnown = 0,
  kResponseKnown = 1,
  kRequestIndeterminate = 2,
  kResponseIndeterminate = 3,
};

// RFC 9110 section 5.6.2, lowercase letters only.
constexpr std::array<bool, 256> make_name_characters() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"))
    table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto kNameCharacters = make_name_characters();

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
char to_lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_lowercase_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char c) { return kNameCharacters[static_cast<unsigned char>(c)]; });
}

bool is_method(std::string_view method) {
  return !method.empty() && std::ranges::all_of(method, [](char c) {
    return is_upper(c) || kNameCharacters[static_cast<unsigned char>(c)];
  });
}

// The worker re-emits scheme, authority and path as HTTP/1.1: visible ASCII only.
bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

bool is_value(std::string_view value) {
  if (value.empty()) return true;
  return !is_blank(value.front()) && !is_blank(value.back()) &&
         std::ranges::none_of(value, [](char c) { return c == '\0' || c == '\r' || c == '\n'; });
}

}  // namespace

const std::string* find_field(const Fields& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &found->value;
}

bool is_connection_field(std::string_view lowercase_name) {
  constexpr std::array<std::string_view, 6> kNames = {"connection", "keep-alive",        "proxy-connection",
                                                      "te",         "transfer-encoding", "upgrade"};
  return std::ranges::find(kNames, lowercase_name) != kNames.end();
}

namespace bhttp {
namespace {

// --- writing ---

void write_text(ByteWriter& writer, std::string_view text) {
  writer.varint(text.size()).bytes(as_bytes(text));
}

Result<void> write_fields(const Fields& fields, Bytes& out) {
  ByteWriter writer(out);
  std::string name;
  for (const Field& field : fields) {
    name.resize(field.name.size());
    std::ranges::transform(field.name, name.begin(), to_lower);
    if (!is_lowercase_name(name)) return fail(Code::bad_request, "field name is not a token");
    if (!is_value(field.value)) return fail(Code::bad_request, "field value with forbidden characters");
    write_text(writer, name);
    write_text(writer, field.value);
  }
  return {};
}

Result<void> write_control(const RequestHead& head, Bytes& out) {
  if (!is_method(head.method)) return fail(Code::bad_request, "method is not a token");
  ByteWriter writer(out);
  for (const std::string* element : {&head.method, &head.scheme, &head.authority, &head.path}) {
    if (!is_visible(*element)) return fail(Code::bad_request, "request target with forbidden characters");
    write_text(writer, *element);
  }
  return {};
}

Result<void> write_status(int status, int lowest, int highest, Bytes& out) {
  if (status < lowest || status > highest) return fail(Code::bad_request, "status out of range");
  ByteWriter(out).varint(static_cast<std::uint64_t>(status));
  return {};
}

Result<void> write_section(const Fields& fields, Bytes& out) {
  WAXWING_TRY(write_fields(fields, out));
  ByteWriter(out).varint(0);
  return {};
}

Result<void> write_known_section(const Fields& fields, Bytes& out) {
  Bytes section;
  WAXWING_TRY(write_fields(fields, section));
  ByteWriter(out).varint(section.size()).bytes(section);
  return {};
}

Result<Bytes> finish_known_length(Bytes out, const Fields& fields, ByteView content, const Fields& trailers) {
  WAXWING_TRY(write_known_section(fields, out));
  ByteWriter(out).varint(content.size()).bytes(content);
  WAXWING_TRY(write_known_section(trailers, out));
  return out;
}

}  // namespace

Result<void> encode_head(const RequestHead& head, Bytes& out) {
  ByteWriter(out).varint(kRequestIndeterminate);
  WAXWING_TRY(write_control(head, out));
  return write_section(head.fields, out);
}

Result<void> encode_head(const ResponseHead& head, Bytes& out) {
  ByteWriter(out).varint(kResponseIndeterminate);
  return encode_final_head(head, out);
}

Result<void> encode_informational(const ResponseHead& head, Bytes& out) {
  if (out.empty()) ByteWriter(out).varint(kResponseIndeterminate);
  WAXWING_TRY(write_status(head.status, 100, 199, out));
  return write_section(head.fields, out);
}

Result<void> encode_final_head(const ResponseHead& head, Bytes& out) {
  WAXWING_TRY(write_status(head.status, 200, 599, out));
  return write_section(head.fields, out);
}

void encode_content_prefix(std::uint64_t size, Bytes& out) {
  ByteWriter(out).varint(size);
}

Result<void> encode_end(const Fields& trailers, Bytes& out) {
  ByteWriter(out).varint(0);
  return write_section(trailers, out);
}

Result<Bytes> encode_known_length(const RequestHead& head, ByteView content, const Fields& trailers) {
  Bytes out;
  ByteWriter(out).varint(kRequestKnown);
  WAXWING_TRY(write_control(head, out));
  return finish_known_length(std::move(out), head.fields, content, trailers);
}

Result<Bytes> encode_known_length(const ResponseHead& head, ByteView content, const Fields& trailers) {
  Bytes out;
  ByteWriter(out).varint(kResponseKnown);
  WAXWING_TRY(write_status(head.status, 200, 599, out));
  return finish_known_length(std::move(out), head.fields, content, trailers);
}

// --- reading ---

namespace {

std::unexpected<Error> malformed(const char* what) {
  return fail(Code::malformed, std::string("binary HTTP: ") + what);
}
std::unexpected<Error> too_large(const char* what) {
  return fail(Code::too_large, std::string("binary HTTP: ") + what);
}

}  // namespace

Result<Step> Decoder::next(ByteView& in, Input input) {
  auto step = run(in, input);
  if (!step) state_ = State::failed;
  return step;
}

Result<Step> Decoder::run(ByteView& in, Input input) {
  for (;;) {
    std::optional<Event> event;
    switch (state_) {
      case State::framing:
        if (!take_varint(in)) return starve(input);
        WAXWING_TRY(on_framing());
        break;
      case State::control_size:
        if (!take_varint(in)) return starve(input);
        if (varint_ > limits_.control) return too_large("control data");
        left_ = varint_;
        state_ = State::control;
        break;
      case State::control:
        if (!take_text(in, control_element())) return starve(input);
        WAXWING_TRY(on_control());
        break;
      case State::status:
        if (!take_varint(in)) return starve(input);
        WAXWING_TRY(on_status());
        break;
      case State::section_size:
        if (!take_varint(in)) return starve(input);
        if (varint_ > limits_.section) return too_large("field section");
        section_left_ = varint_;
        state_ = State::name_size;
        break;
      case State::name_size:
        if (known_length_ && section_left_ == 0) {
          event = end_section();
        } else {
          if (!take_varint(in)) return starve(input);
          WAXWING_ASSIGN(event, on_name_size());
        }
        break;
      case State::name:
        if (!take_text(in, fields().back().name)) return starve(input);
        if (!is_lowercase_name(fields().back().name)) return malformed("field name");
        state_ = State::value_size;
        break;
      case State::value_size:
        if (!take_varint(in)) return starve(input);
        WAXWING_TRY(account(varint_width_));
        WAXWING_TRY(begin_text(State::value));
        break;
      case State::value:
        if (!take_text(in, fields().back().value)) return starve(input);
        if (!is_value(fields().back().value)) return malformed("field value");
        state_ = State::name_size;
        break;
      case State::content_size:
        if (!take_varint(in)) return starve(input);
        on_content_size();
        break;
      case State::content:
        if (in.empty()) return starve(input);
        return take_content(in);
      case State::padding:
        if (!all_zero(in)) return malformed("padding is not zero");
        padding_ += in.size();
        in = {};
        return starve(input);
      case State::ended:
        return Step{Event::end, {}};
      case State::failed:
        return malformed("failed before");
    }
    if (event) return Step{*event, {}};
  }
}

// All that was given is used up. At the end of the message this is where RFC 9292 section 3.8 lets a tail be missing:
// before the header section, before the content, before the trailer section; what is missing reads as empty.
Result<Step> Decoder::starve(Input input) {
  if (input == Input::open) return Step{Event::need_input, {}};
  if (varint_left_ == 0) {
    const bool before_section =
        state_ == State::section_size || (state_ == State::name_size && !known_length_ && section_bytes_ == 0);
    if (before_section && section_ == Section::header && !is_informational()) {
      state_ = State::ended;
      return Step{Event::head, {}};
    }
    if ((before_section && section_ == Section::trailer) || (state_ == State::content_size && !content_begun_) ||
        state_ == State::padding) {
      state_ = State::ended;
      return Step{Event::end, {}};
    }
  }
  return fail(Code::truncated, "binary HTTP: cut");
}

Result<void> Decoder::on_framing() {
  const bool request = varint_ == kRequestKnown || varint_ == kRequestIndeterminate;
  const bool response = varint_ == kResponseKnown || varint_ == kResponseIndeterminate;
  if (!(kind_ == Kind::request ? request : response)) return malformed("framing indicator");
  known_length_ = varint_ == kRequestKnown || varint_ == kResponseKnown;
  state_ = kind_ == Kind::request ? State::control_size : State::status;
  if (kind_ == Kind::request) request_.scheme.clear();
  return {};
}

std::string& Decoder::control_element() {
  const std::array<std::string*, 4> elements = {&request_.method, &request_.scheme, &request_.authority,
                                                &request_.path};
  return *elements[control_index_];
}

Result<void> Decoder::on_control() {
  const std::string& text = control_element();
  if (!(control_index_ == 0 ? is_method(text) : is_visible(text))) return malformed("control data");
  state_ = State::control_size;
  if (++control_index_ == 4) begin_section(Section::header);
  return {};
}

Result<void> Decoder::on_status() {
  if (varint_ < 100 || varint_ > 599) return malformed("status");
  response_.status = static_cast<int>(varint_);
  response_.fields.clear();
  if (is_informational() && ++informational_ > limits_.informational) return too_large("informational responses");
  begin_section(Section::header);
  return {};
}

void Decoder::begin_section(Section section) {
  section_ = section;
  section_bytes_ = 0;
  state_ = known_length_ ? State::section_size : State::name_size;
}

std::optional<Event> Decoder::end_section() {
  if (section_ == Section::trailer) {
    state_ = State::padding;
    return std::nullopt;
  }
  state_ = is_informational() ? State::status : State::content_size;
  return is_informational() ? Event::informational : Event::head;
}

Fields& Decoder::fields() {
  if (section_ == Section::trailer) return trailers_;
  return kind_ == Kind::request ? request_.fields : response_.fields;
}

Result<std::optional<Event>> Decoder::on_name_size() {
  WAXWING_TRY(account(varint_width_));
  if (varint_ == 0) {
    if (known_length_) return malformed("empty field name");
    return end_section();
  }
  if (fields().size() == limits_.fields) return too_large("number of fields");
  WAXWING_TRY(begin_text(State::name));
  fields().emplace_back();
  return std::nullopt;
}

// A name or value of varint_ bytes begins.
Result<void> Decoder::begin_text(State state) {
  WAXWING_TRY(account(varint_));
  left_ = varint_;
  state_ = state;
  return {};
}

// Counts bytes of a field section before they are kept.
Result<void> Decoder::account(std::uint64_t bytes) {
  if (known_length_) {
    if (bytes > section_left_) return malformed("a field line goes beyond its section");
    section_left_ -= bytes;
  }
  if (bytes > limits_.section - section_bytes_) return too_large("field section");
  section_bytes_ += static_cast<std::size_t>(bytes);
  return {};
}

void Decoder::on_content_size() {
  if (varint_ == 0) {
    begin_section(Section::trailer);
    return;
  }
  content_begun_ = true;
  left_ = varint_;
  state_ = State::content;
}

Step Decoder::take_content(ByteView& in) {
  const std::size_t n = std::min<std::uint64_t>(left_, in.size());
  const ByteView piece = in.first(n);
  in = in.subspan(n);
  left_ -= n;
  if (left_ == 0) {
    if (known_length_)
      begin_section(Section::trailer);
    else
      state_ = State::content_size;
  }
  return {Event::content, piece};
}

// RFC 9000 section 16, a byte at a time since it may be cut anywhere. True once varint_ is whole.
bool Decoder::take_varint(ByteView& in) {
  while (!in.empty()) {
    const auto byte = std::to_integer<std::uint8_t>(in.front());
    in = in.subspan(1);
    if (varint_left_ == 0) {
      varint_width_ = static_cast<std::uint8_t>(1U << (byte >> 6U));
      varint_left_ = varint_width_;
      varint_ = byte & 0x3fU;
    } else {
      varint_ = varint_ << 8U | byte;
    }
    if (--varint_left_ == 0) return true;
  }
  return false;
}

bool Decoder::take_text(ByteView& in, std::string& to) {
  const std::size_t n = std::min<std::uint64_t>(left_, in.size());
  to.append(as_text(in.first(n)));
  in = in.subspan(n);
  left_ -= n;
  return left_ == 0;
}

}  // namespace bhttp
}  // namespace waxwing::sealed
