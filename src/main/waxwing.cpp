// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/app/app.hpp"

int main(int argc, char** argv) {
  return waxwing::app::run(argc, argv);
}
