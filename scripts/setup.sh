#!/usr/bin/env bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: scripts/setup.sh [--dry-run] PURPOSE...      purposes: build, run, test
#
# Installs the Debian packages that packaging/packages.txt names for these purposes, if one is missing; root or sudo
# serves for that alone. On other systems it says what is needed and checks for the tools it can check for.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

dry_run=no
purposes=()
for argument in "$@"; do
  case $argument in
    --dry-run) dry_run=yes ;;
    build | run | test) purposes+=("$argument") ;;
    *) die "usage: scripts/setup.sh [--dry-run] build|run|test..." ;;
  esac
done
((${#purposes[@]} > 0)) || die "usage: scripts/setup.sh [--dry-run] build|run|test..."

# wanted COLUMN: the packages of that release's column for the purposes asked for, each once.
wanted() {
  awk -v column="$1" -v purposes=" ${purposes[*]} " '
    /^[^#]/ && index(purposes, " " $1 " ") && $column != "-" && !seen[$column]++ { print $column }
  ' "$WAXWING_ROOT/packaging/packages.txt"
}

on_other_systems() {
  local tool missing=()
  for tool in clang++-19 cmake ninja python3; do
    has "$tool" || missing+=("$tool")
  done
  ((${#missing[@]} > 0)) || return 0
  {
    echo "This set-up installs packages on Debian 12 and 13 only. Missing here: ${missing[*]}"
    echo "Install these (Debian's names), with OpenSSL 3.5 or later, and run the command again:"
    wanted 3 | sed 's/^/  /'
    echo "WAXWING_OPENSSL_ROOT=/prefix in the environment names an OpenSSL that is not the system's."
  } >&2
  exit 1
}

os_release=${WAXWING_OS_RELEASE:-/etc/os-release}
release=other
if [[ -r $os_release ]]; then
  # shellcheck source=/dev/null
  release=$(. "$os_release" && echo "${ID:-}-${VERSION_ID:-}")
fi
case $release in
  debian-12) column=2 ;;
  debian-13) column=3 ;;
  *) on_other_systems; exit 0 ;;
esac

mapfile -t packages < <(wanted "$column")
mapfile -t missing < <(
  comm -13 <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
               awk '$1 == "installed" { print $2 }' | sort -u) \
           <(printf '%s\n' "${packages[@]}" | sort -u))
if ((${#missing[@]} == 0)); then
  exit 0
fi

say "missing packages: ${missing[*]}"
if [[ $dry_run == yes ]]; then
  exit 0
fi
as_root=()
if ((EUID != 0)); then
  has sudo || die "installing packages needs root; run once as root: apt-get install ${missing[*]}"
  as_root=(sudo)
fi
say "installing them (apt-get; a few minutes on a fresh machine)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { logged "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }
# A failed refresh is no reason to stop: another source on this machine may be down, and the lists may be fresh enough.
apt update || say "apt-get update failed; trying with the package lists at hand"
apt install -y --no-install-recommends "${missing[@]}" || die "apt-get install failed"
