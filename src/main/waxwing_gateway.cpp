// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway_app/app.hpp"

int main(int argc, char** argv) {
  return waxwing::gateway_app::run(argc, argv);
}
