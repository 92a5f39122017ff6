// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"
#include "waxwing/gateway_app/config.hpp"

namespace waxwing::gateway_app {

enum class Lifetime : std::uint8_t { until_signal, until_input_ends };

struct ServeOptions {
  Config config;                       ///< valid
  crypto::Sha256Digest file_sha256{};  ///< of the configuration file's bytes
  std::string simulated_root_out;      ///< empty: not wanted
  std::string state_directory;         ///< empty: the default place
  std::optional<int> ready_fd;
  Lifetime lifetime = Lifetime::until_signal;
};

/// Runs until SIGTERM or SIGINT, or until the standard input ends where that is asked for; a second one ends at once.
[[nodiscard]] Result<void> serve(const ServeOptions& options);

}  // namespace waxwing::gateway_app
