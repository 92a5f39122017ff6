# shellcheck shell=bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# Shared by the acceptance scripts: sourced, never run. `scratch` is a directory that is gone afterwards.

set -euo pipefail

: "${WAXWING_SOURCE_DIR:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${WAXWING_BUILD_DIR:=$WAXWING_SOURCE_DIR/build/dev}"
: "${WAXWING_BIN_DIR:=$WAXWING_BUILD_DIR/bin}"
export WAXWING_SOURCE_DIR WAXWING_BUILD_DIR WAXWING_BIN_DIR
unset GTEST_OUTPUT # ./test counts the cases of its own runs only
cd "$WAXWING_SOURCE_DIR"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
skip() { printf 'SKIP: %s\n' "$*"; exit 77; }
has() { command -v "$1" >/dev/null 2>&1; }

# refuses LOG COMMAND...: the command must fail; what it says is in LOG.
refuses() {
  local log=$1
  shift
  if "$@" >"$log" 2>&1; then
    cat "$log"
    fail "this should have been refused: $*"
  fi
}

# end_to_end FILE...: runs these files of tests/e2e; their cases are counted one by one.
end_to_end() {
  mkdir -p "$WAXWING_BUILD_DIR/results"
  PYTHONDONTWRITEBYTECODE=1 scripts/venv.sh test -m pytest -q -rs -p no:cacheprovider --basetemp "$scratch/pytest" \
    "--junitxml=$WAXWING_BUILD_DIR/results/$(basename "$0").xml" "${@/#/tests/e2e/}"
}
