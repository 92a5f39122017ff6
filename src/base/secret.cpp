// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/secret.hpp"

#include <cstring>

namespace waxwing {

void wipe(MutableByteView bytes) {
  if (!bytes.empty()) ::explicit_bzero(bytes.data(), bytes.size());
}

SecretBytes SecretBytes::take(std::string& text) {
  SecretBytes out(waxwing::as_bytes(text));
  // The whole capacity: a longer earlier content may still lie behind the end.
  text.resize(text.capacity());
  waxwing::wipe(std::as_writable_bytes(std::span(text.data(), text.size())));
  text.clear();
  return out;
}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    waxwing::wipe(bytes_);
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

}  // namespace waxwing
