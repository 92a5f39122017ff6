// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The program `waxwing`: reads its command line, does what it says, and returns the exit code of the outcome table
/// (base/outcome.hpp) or of sysexits.
namespace waxwing::app {

[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace waxwing::app
