#!/usr/bin/env bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: format.sh [FILE...]: these files, or all of the project, look as .clang-format says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

command -v clang-format-19 >/dev/null || { echo "SKIP: clang-format-19 is not installed"; exit 77; }
if (($# == 0)); then
  mapfile -t all < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp')
  for file in "${all[@]}"; do
    [[ ! -f $file ]] || set -- "$@" "$file"
  done
fi
(($# > 0)) || exit 0
if ! complaints=$(clang-format-19 --dry-run --Werror "$@" 2>&1); then
  sed -n 's/^\([^ :]*\):[0-9].*/not formatted: \1/p' <<<"$complaints" | sort -u
  exit 1
fi
echo "$# files are formatted"
