// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/json_strict.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waxwing {
namespace {

using Json = nlohmann::json;

// Walks the text and tells the builder, through `reached`, how far the lexer has read.
class CountingIterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  const char** reached_;
};

// Builds the value from the parser's events and stops it at the first rule that is broken.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(const Limits& limits, const char* begin, const char* const& reached)
      : limits_(limits), begin_(begin), reached_(reached) {}

  bool null() override { return add(Json(nullptr)); }
  bool boolean(bool value) override { return add(Json(value)); }
  bool number_integer(number_integer_t value) override { return add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return add(Json(value)); }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    if (!std::isfinite(value)) return refuse(Code::malformed, "a number that is not finite");
    return add(Json(value));
  }
  bool string(string_t& value) override { return add(Json(std::move(value))); }
  bool binary(binary_t& /*value*/) override { return refuse(Code::malformed, "not JSON"); }
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Json& object = *open_.back();
    if (object.contains(name)) return refuse(Code::malformed, "a key that occurs twice");
    if (object.size() >= limits_.members) return refuse(Code::too_large, "too many members");
    slot_ = &object[name];
    return true;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/, const Json::exception& /*error*/) override {
    // The library's own text may quote the input.
    error_.emplace(Code::malformed, fmt::format("not valid JSON at byte {}", position == 0 ? 0 : position - 1));
    return false;
  }

  [[nodiscard]] Error take_error() { return *std::move(error_); }
  [[nodiscard]] Json take() { return std::move(root_); }

 private:
  bool refuse(Code code, std::string_view text) {
    error_.emplace(code, fmt::format("{} before byte {}", text, reached_ - begin_));
    return false;
  }

  // Puts a value where the grammar says it belongs: the root, an array's end or the member just named.
  Json* place(Json&& value) {
    if (open_.empty()) return &(root_ = std::move(value));
    Json& parent = *open_.back();
    if (parent.is_object()) return &(*slot_ = std::move(value));
    if (parent.size() >= limits_.members) {
      refuse(Code::too_large, "too many elements");
      return nullptr;
    }
    return &parent.emplace_back(std::move(value));
  }

  bool add(Json&& value) { return place(std::move(value)) != nullptr; }

  bool open(Json&& container) {
    if (open_.size() >= limits_.depth) return refuse(Code::too_large, "nested too deeply");
    Json* placed = place(std::move(container));
    if (placed == nullptr) return false;
    open_.push_back(placed);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const Limits& limits_;
  const char* begin_;
  const char* const& reached_;
  Json root_;
  // Stable while open: only the innermost container grows.
  std::vector<Json*> open_;
  Json* slot_ = nullptr;
  std::optional<Error> error_;
};

}  // namespace

Result<nlohmann::json> parse_json_strict(std::string_view text, const Limits& limits) {
  if (text.size() > limits.document) {
    return fail(Code::too_large, fmt::format("{} bytes of JSON, at most {} allowed", text.size(), limits.document));
  }
  // The library skips a byte order mark and takes a NUL for the end of the text.
  if (text.starts_with("\xef\xbb\xbf")) return fail(Code::malformed, "a byte order mark at byte 0");
  if (const auto nul = text.find('\0'); nul != std::string_view::npos) {
    return fail(Code::malformed, fmt::format("a NUL at byte {}", nul));
  }
  const char* reached = text.data();
  Builder builder(limits, text.data(), reached);
  const bool parsed =
      Json::sax_parse(CountingIterator(text.data(), &reached), CountingIterator(text.data() + text.size(), &reached),
                      &builder, Json::input_format_t::json, /*strict=*/true);
  if (!parsed) return std::unexpected(builder.take_error());
  return builder.take();
}

}  // namespace waxwing
