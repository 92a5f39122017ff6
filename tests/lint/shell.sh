#!/usr/bin/env bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# Every shell script of the project passes shellcheck.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

command -v shellcheck >/dev/null || { echo "SKIP: shellcheck is not installed"; exit 77; }
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard |
  while IFS= read -r file; do
    if [[ -f $file ]] && LC_ALL=C head -n 1 "$file" | grep -aqE '^#!.*\b(ba)?sh\b|^# shellcheck shell='; then echo "$file"; fi
  done)
shellcheck --external-sources "${scripts[@]}"
echo "${#scripts[@]} scripts are clean"
