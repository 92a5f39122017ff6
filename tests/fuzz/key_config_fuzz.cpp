// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Whatever parses encodes to bytes that parse to the same configuration.

#include <algorithm>
#include <span>

#include "waxwing/crypto/key_config.hpp"

using namespace waxwing;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes = std::as_bytes(std::span(data, size));
  std::vector<crypto::KeyConfig> configs;
  if (auto list = crypto::parse_key_list(bytes)) configs = *std::move(list);
  if (auto single = crypto::parse_key_config(bytes)) configs.push_back(*std::move(single));
  for (const auto& config : configs) {
    if (config.aeads.empty()) __builtin_trap();
    const auto again = crypto::parse_key_config(
        crypto::encode_key_config(config.key_id, config.public_key.id(), config.public_key.bytes(), config.aeads));
    if (!again || again->key_id != config.key_id || again->aeads != config.aeads ||
        !std::ranges::equal(again->public_key.bytes(), config.public_key.bytes()))
      __builtin_trap();
  }
  return 0;
}
