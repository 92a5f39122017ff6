#!/usr/bin/env bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: scripts/venv.sh NAME [ARGUMENT...]
#
# Prints the Python of a private environment that holds exactly what packaging/python-NAME.txt pins, every file by its
# hash; makes it in the cache when it is not there yet. With arguments, becomes that Python run with them. Only making
# it uses the network. Changed pins or another Python make another environment.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

(($# >= 1)) || die "usage: scripts/venv.sh NAME [ARGUMENT...]"
name=$1
shift
requirements=$WAXWING_ROOT/packaging/python-$name.txt
[[ -f $requirements ]] || die "there is no $requirements"
python=/usr/bin/python3
[[ -x $python ]] || python=$(command -v python3) || die "python3 is needed"

identity=$({ "$python" -c 'import sys; print(sys.version_info[:2])' && cat "$requirements"; } | sha256sum | cut -c 1-16)
venv=$WAXWING_CACHE/venv-$name-$identity
if [[ ! -d $venv ]]; then
  say "making the Python environment \"$name\" (about $(grep -c '==' "$requirements") packages)"
  mkdir -p "$WAXWING_CACHE"
  staged=$(mktemp -d -p "$WAXWING_CACHE")
  trap 'rm -rf "$staged"' EXIT
  # Made elsewhere and renamed, so that a half-made one is never taken; nothing relies on the paths inside its scripts.
  logged "$staged/venv.log" "$python" -m venv "$staged/venv" || die "python3 -m venv failed"
  logged "$staged/pip.log" "$staged/venv/bin/python" -m pip install --no-input --disable-pip-version-check \
    --no-deps --only-binary=:all: --require-hashes -r "$requirements" || die "installing $requirements failed"
  mv -T "$staged/venv" "$venv" 2>/dev/null || [[ -d $venv ]] || die "cannot move the environment to $venv"
fi
if (($# > 0)); then
  exec "$venv/bin/python" "$@"
fi
echo "$venv/bin/python"
