// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/evidence/check.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace waxwing::evidence {
namespace {

TEST(Checks, RequireRecordsFailureAndSaysSo) {
  Checklist checks;
  EXPECT_TRUE(checks.require("snp.signature", true, "a", "a", "clause"));
  EXPECT_FALSE(checks.failed());
  EXPECT_FALSE(checks.require("snp.ek.tcb", false, "b", "c", "clause"));
  ASSERT_TRUE(checks.failed());
  EXPECT_EQ(checks.first_failure()->name, "snp.ek.tcb");
  EXPECT_EQ(checks.all().size(), 2U);
}

TEST(Checks, AdviceAndSkipsNeverFail) {
  Checklist checks;
  EXPECT_FALSE(checks.advise("channel.post-quantum", false, "x-wing", "x25519", "clause"));
  checks.skip("snp.crl.present", "none", "clause");
  EXPECT_FALSE(checks.failed());
  EXPECT_EQ(checks.all()[0].outcome, CheckOutcome::warn);
  EXPECT_EQ(checks.all()[1].outcome, CheckOutcome::skip);
}

TEST(Checks, TextsOfPeersAreCutAndCannotDriveATerminal) {
  Checklist checks;
  checks.require("snp.ek.subject", false, "CN=SEV-VCEK", "CN=\x1b[2J\n\xff" + std::string(4000, 'x'), "clause");
  const std::string& found = checks.all()[0].found;
  EXPECT_EQ(found.size(), 512U);
  EXPECT_TRUE(found.starts_with("CN=?[2J??xxx"));
}

TEST(Checks, EveryNameIsUniqueAndExplained) {
  std::set<std::string_view> names;
  for (const CheckInfo& check : kChecks) {
    EXPECT_TRUE(names.insert(check.name).second) << check.name;
    EXPECT_FALSE(check.meaning.empty()) << check.name;
    EXPECT_FALSE(check.why.empty()) << check.name;
    EXPECT_EQ(find_check(check.name), &check);
  }
  EXPECT_EQ(find_check("no.such.check"), nullptr);
}

std::string checks_document() {
  std::string text =
      "# Checks\n\nEvery named check a verdict can hold, in the order in which they are made. A check passes, fails, "
      "warns or "
      "is skipped; a skip\nis never a pass. This page is made from `include/waxwing/evidence/check_names.hpp`; a test "
      "compares them.\n\n| check | holds when | without it |\n|---|---|---|\n";
  for (const CheckInfo& check : kChecks)
    text.append("| `")
        .append(check.name)
        .append("` | ")
        .append(check.meaning)
        .append(" | ")
        .append(check.why)
        .append(" |\n");
  return text;
}

// Rewrites the page when WAXWING_WRITE_DOCS is set.
TEST(Checks, DocumentListsThemAll) {
  const auto path = std::filesystem::path(WAXWING_SOURCE_DIR) / "docs" / "checks.md";
  if (std::getenv("WAXWING_WRITE_DOCS") != nullptr) std::ofstream(path) << checks_document();
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), checks_document())
      << "run this test once with WAXWING_WRITE_DOCS=1";
}

}  // namespace
}  // namespace waxwing::evidence
