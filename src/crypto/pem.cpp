// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "pem.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/certificate_builder.hpp"

namespace waxwing::crypto {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string line(std::string_view verb, std::string_view label) {
  std::string text = "-----";
  text.append(verb).append(" ").append(label).append("-----");
  return text;
}

}  // namespace

bool is_blank(std::string_view text) {
  return text.find_first_not_of(kBlank) == std::string_view::npos;
}

Result<SecretBytes> take_pem_block(std::string_view& text, std::string_view label) {
  const std::string begin = line("BEGIN", label);
  const std::string end = line("END", label);
  std::string_view rest = text.substr(std::min(text.find_first_not_of(kBlank), text.size()));
  if (!rest.starts_with(begin)) return fail(Code::malformed, "no PEM block of the expected label");
  rest.remove_prefix(begin.size());
  const std::size_t length = rest.find(end);
  if (length == std::string_view::npos) return fail(Code::malformed, "PEM block without an end");

  std::string packed;
  packed.reserve(length);
  std::ranges::copy_if(rest.substr(0, length), std::back_inserter(packed),
                       [](char c) { return kBlank.find(c) == std::string_view::npos; });
  const SecretBytes base64 = SecretBytes::take(packed);
  auto decoded = from_base64(base64.expose_text(SecretAccess()));
  if (!decoded) return fail(Code::malformed, "PEM block that is not base64");
  SecretBytes bytes{ByteView(*decoded)};
  wipe(*decoded);
  text = rest.substr(length + end.size());
  return bytes;
}

std::string to_pem(std::string_view label, ByteView der) {
  constexpr std::size_t kLine = 64;
  const std::string base64 = to_base64(der);
  std::string pem = line("BEGIN", label) + "\n";
  for (std::size_t at = 0; at < base64.size(); at += kLine) pem.append(base64, at, kLine).append("\n");
  return pem + line("END", label) + "\n";
}

}  // namespace waxwing::crypto
