#!/usr/bin/env bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# Every check and option that .clang-tidy names exists in clang-tidy 19.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

command -v clang-tidy-19 >/dev/null || { echo "SKIP: clang-tidy-19 is not installed"; exit 77; }
clang-tidy-19 --verify-config
