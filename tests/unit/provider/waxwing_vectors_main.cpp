// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// waxwing_vectors [directory]: writes the vectors of waxwing/1, by default where the tests look for them.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "waxwing_vectors.hpp"

int main(int argc, char** argv) {
  const std::filesystem::path directory =
      argc > 1 ? std::filesystem::path(argv[1])
               : std::filesystem::path(WAXWING_SOURCE_DIR) / "tests" / "vectors" / "waxwing";
  for (const auto& [name, content] : waxwing::test::make_waxwing_vectors()) {
    std::ofstream out(directory / name);
    out << content.dump(1) << '\n';
    if (!out.flush()) {
      std::cerr << "cannot write " << (directory / name) << '\n';
      return 1;
    }
  }
  return 0;
}
