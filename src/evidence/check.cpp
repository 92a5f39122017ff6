// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/check.hpp"

#include <algorithm>
#include <utility>
#ifdef WAXWING_MUTATION
#include <cstdlib>
#endif

namespace waxwing::evidence {
namespace {

constexpr std::size_t kLongestText = 512;

/// Texts may hold a peer's names: whatever a terminal or a JSON reader could stumble over is replaced, and they are
/// cut.
std::string printable(std::string text) {
  if (text.size() > kLongestText) text.replace(kLongestText - 3, std::string::npos, "...");
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

#ifdef WAXWING_MUTATION
/// Only in the libraries of the mutation run, which a test binary links and nothing else: the check named by the
/// variable always passes, and the tests of that check must notice.
extern "C" bool waxwing_check_is_disabled(const char* name, std::size_t size) {
  const char* disabled = std::getenv("WAXWING_DISABLED_CHECK");
  return disabled != nullptr && std::string_view(disabled) == std::string_view(name, size);
}
#endif

std::string_view to_string(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::pass:
      return "pass";
    case CheckOutcome::fail:
      return "fail";
    case CheckOutcome::warn:
      return "warn";
    case CheckOutcome::skip:
      return "skip";
  }
  std::unreachable();
}

bool Checklist::require(CheckName name, bool ok, std::string expected, std::string found, std::string_view clause) {
  return record(name, ok, CheckOutcome::fail, std::move(expected), std::move(found), clause);
}

bool Checklist::advise(CheckName name, bool ok, std::string expected, std::string found, std::string_view clause) {
  return record(name, ok, CheckOutcome::warn, std::move(expected), std::move(found), clause);
}

void Checklist::skip(CheckName name, std::string why, std::string_view clause) {
  checks_.push_back({std::string(name.text()), CheckOutcome::skip, "", printable(std::move(why)), std::string(clause)});
}

const Check* Checklist::first_failure() const {
  const auto failure = std::ranges::find(checks_, CheckOutcome::fail, &Check::outcome);
  return failure == checks_.end() ? nullptr : &*failure;
}

bool Checklist::record(CheckName name, bool ok, CheckOutcome otherwise, std::string expected, std::string found,
                       std::string_view clause) {
#ifdef WAXWING_MUTATION
  if (waxwing_check_is_disabled(name.text().data(), name.text().size())) ok = true;
#endif
  checks_.push_back({std::string(name.text()), ok ? CheckOutcome::pass : otherwise, printable(std::move(expected)),
                     printable(std::move(found)), std::string(clause)});
  return ok;
}

}  // namespace waxwing::evidence
