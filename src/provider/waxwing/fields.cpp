// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/provider/waxwing/request.hpp"

namespace waxwing::provider::native {
namespace {

constexpr std::size_t kScopeSize = 16;

constexpr auto kRequestFields = std::to_array<std::string_view>(
    {"accept", "anthropic-beta", "anthropic-version", "authorization", "content-type", "openai-beta", "x-api-key"});

constexpr auto kResponseFields =
    std::to_array<std::string_view>({"content-type", "request-id", "retry-after", "x-request-id", "x-should-retry"});

}  // namespace

bool forwards_request_field(std::string_view lowercase_name) {
  return std::ranges::binary_search(kRequestFields, lowercase_name);
}

bool forwards_response_field(std::string_view lowercase_name) {
  return std::ranges::binary_search(kResponseFields, lowercase_name);
}

std::string cache_scope(const Secret<32>& installation_secret, std::string_view provider,
                        std::string_view client_key_name) {
  // The zero byte keeps (ab, c) apart from (a, bc): names hold none.
  constexpr std::byte kBetween{0};
  const Secret<32> mac = crypto::hmac_sha256(installation_secret.expose(SecretAccess{}),
                                             {as_bytes(provider), ByteView(&kBetween, 1), as_bytes(client_key_name)});
  return to_base64url(mac.expose(SecretAccess{}).first<kScopeSize>());
}

}  // namespace waxwing::provider::native
