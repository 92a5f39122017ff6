// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace waxwing::test {

/// The files of tests/vectors/waxwing by name, made from fixed seeds (docs/protocols/waxwing.md section 13).
std::map<std::string, nlohmann::ordered_json> make_waxwing_vectors();

}  // namespace waxwing::test
