#!/usr/bin/env bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: scripts/lock-python.sh REQUIREMENT... > packaging/python-NAME.txt
#
# Pins the whole closure of these requirements (name==version), each wheel by hash, for the Pythons of Debian 12 and 13
# on x86-64 and arm64. For maintainers, when a pin is raised; uses the network.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($# > 0)) || die "usage: scripts/lock-python.sh REQUIREMENT..."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# The first run decides the versions; the others fetch the same ones for their platform.
constraints=()
for machine in x86_64 aarch64; do
  for version in 3.11 3.13; do
    platforms=()
    for glibc in 2014 _2_17 _2_24 _2_27 _2_28 _2_31; do
      platforms+=(--platform "manylinux${glibc}_$machine")
    done
    say "resolving for Python $version on $machine"
    python3 -m pip download --quiet --disable-pip-version-check --only-binary=:all: --python-version "$version" \
      "${platforms[@]}" "${constraints[@]}" --dest "$dir" "$@" >&2
    if ((${#constraints[@]} == 0)); then
      for wheel in "$dir"/*.whl; do
        wheel=${wheel##*/}
        echo "${wheel%%-*}==$(cut -d - -f 2 <<<"$wheel")"
      done >"$dir/constraints.txt"
      constraints=(--constraint "$dir/constraints.txt")
    fi
  done
done

cat <<HEAD
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# Made by: scripts/lock-python.sh $*
HEAD
cd "$dir"
for wheel in *.whl; do
  echo "$(tr '[:upper:]_' '[:lower:]-' <<<"${wheel%%-*}")==$(cut -d - -f 2 <<<"$wheel") $(sha256sum "$wheel" | cut -d ' ' -f 1)"
done | sort -u | awk '
  $1 != last { if (last) print ""; printf "%s", $1; last = $1 }
  { printf " \\\n    --hash=sha256:%s", $2 }
  END { print "" }'
