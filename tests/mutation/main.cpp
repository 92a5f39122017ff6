// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// GoogleTest, and --list-checks: the names of all checks, one a line.
#include <gtest/gtest.h>

#include <iostream>
#include <string_view>

#include "waxwing/evidence/check_names.hpp"

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--list-checks") {
    for (const auto& check : waxwing::evidence::kChecks) std::cout << check.name << '\n';
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
