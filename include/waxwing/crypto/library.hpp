// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace waxwing::crypto {

/// Sets OpenSSL up without reading a configuration file and fetches what this module uses. Everything here does so by
/// itself on first use; a program that also uses OpenSSL elsewhere (TLS) calls it first in main.
void initialize_library();

}  // namespace waxwing::crypto
