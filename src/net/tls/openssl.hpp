// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"

struct x509_st;

namespace waxwing::net::tls {

/// Reason text of the oldest error in OpenSSL's queue of this thread ("unknown" when empty); empties the queue.
[[nodiscard]] std::string last_error();

[[nodiscard]] Result<crypto::Sha256Digest> spki_sha256(const x509_st* certificate);

}  // namespace waxwing::net::tls
