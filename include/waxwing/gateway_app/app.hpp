// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waxwing::gateway_app {

/// The program waxwing-gateway: command line, configuration, composition. Returns the exit code.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace waxwing::gateway_app
