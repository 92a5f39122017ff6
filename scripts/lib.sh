# shellcheck shell=bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# Shared by the scripts: sourced, never run. Progress goes to standard error, results to standard output.

set -euo pipefail

WAXWING_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
WAXWING_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/waxwing
export WAXWING_ROOT WAXWING_CACHE

say() { printf '==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# logged LOG COMMAND...: runs it with its output in LOG; on failure shows the end of LOG and fails.
logged() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 && return 0
  tail -n 30 "$log" >&2
  return 1
}

# configure PRESET: a no-op in seconds when nothing changed; prints CMake's output only when it fails.
configure() {
  local preset=$1 log
  mkdir -p "$WAXWING_ROOT/build/$preset"
  log=$WAXWING_ROOT/build/$preset/configure.log
  (cd "$WAXWING_ROOT" && logged "$log" cmake --preset "$preset" -DWAXWING_OPENSSL_ROOT="$WAXWING_OPENSSL_ROOT") ||
    die "configuring the preset $preset failed; the whole log: $log"
}

# build PRESET [TARGET...]: one build at a time per tree.
build() {
  local dir=$WAXWING_ROOT/build/$1
  shift
  say "building in $dir"
  flock "$dir/.build.lock" ninja -C "$dir" "$@" >&2 || die "the build failed"
}

# prepare PURPOSE...: packages, then OpenSSL; leaves its prefix in WAXWING_OPENSSL_ROOT (empty: the system's).
prepare() {
  "$WAXWING_ROOT/scripts/setup.sh" "$@"
  WAXWING_OPENSSL_ROOT=$("$WAXWING_ROOT/scripts/openssl.sh")
  export WAXWING_OPENSSL_ROOT
}
