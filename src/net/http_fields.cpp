// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "http_chars.hpp"
#include "waxwing/net/http_head.hpp"

namespace waxwing::net {

Fields::Fields(std::initializer_list<Field> fields) {
  for (const auto& [name, value] : fields) add(name, value);
}

void Fields::add(std::string_view name, std::string_view value) {
  const auto at = static_cast<std::uint32_t>(text_.size());
  std::ranges::transform(name, std::back_inserter(text_), to_lower);
  text_ += value;
  const auto name_size = static_cast<std::uint32_t>(name.size());
  slots_.push_back({at, name_size, at + name_size, static_cast<std::uint32_t>(value.size())});
}

void Fields::remove(std::string_view name) {
  const std::string_view text = text_;
  std::erase_if(slots_, [&](const Slot& slot) { return text.substr(slot.name, slot.name_size) == name; });
}

void Fields::clear() {
  text_.clear();
  slots_.clear();
}

Fields::Field Fields::operator[](std::size_t i) const {
  const std::string_view text = text_;
  const Slot& slot = slots_[i];
  return {text.substr(slot.name, slot.name_size), text.substr(slot.value, slot.value_size)};
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const auto& [field, value] : *this) {
    if (field == name) return value;
  }
  return std::nullopt;
}

std::size_t Fields::count(std::string_view name) const {
  std::size_t n = 0;
  for (const auto& [field, value] : *this) n += field == name ? 1U : 0U;
  return n;
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
  for (auto [field, value] : *this) {
    if (field != name) continue;
    while (!value.empty()) {
      const auto comma = value.find(',');
      if (equal_ignoring_case(trim(value.substr(0, comma)), token)) return true;
      value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    }
  }
  return false;
}

std::string_view RequestHead::path() const {
  return std::string_view(target).substr(0, target.find('?'));
}

std::string_view RequestHead::query() const {
  const auto mark = target.find('?');
  return mark == std::string::npos ? std::string_view{} : std::string_view(target).substr(mark + 1);
}

}  // namespace waxwing::net
