#!/usr/bin/env bash
# SPDX-FileCopyrightText: The Waxwing authors
# SPDX-License-Identifier: Apache-2.0
#
# usage: scripts/openssl.sh [--from-source]
#
# Prints the prefix of an OpenSSL >= 3.5 to build against; an empty line means the system's own. In this order:
# $WAXWING_OPENSSL_ROOT, the system, the cache, and last Debian's source package of the next release, built once and
# static into ${XDG_CACHE_HOME:-~/.cache}/waxwing/openssl-<version>/. Only that last step uses the network. It asks
# this machine's own mirror with private package lists: the system's apt is read, never changed, and no root is needed.
# Trust comes from debian-archive-keyring alone: apt holds the release file's signature, its hashes the index, the
# index's hashes the source. Nothing unsigned is unpacked. --from-source goes straight to that last step.
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg
readonly release=trixie # the first Debian release that carries OpenSSL 3.5

# What TLS 1.3, X.509 and the algorithms of this project need stays; the rest is code that never runs. See docs/adr/0002.
readonly options=(
  no-shared no-module no-dso no-engine no-legacy no-apps no-tests no-docs
  no-quic no-dtls no-ssl3 no-tls1 no-tls1_1 no-srp no-psk no-comp no-cmp no-cms no-ct
  no-idea no-seed no-camellia no-aria no-bf no-cast no-des no-rc2 no-rc4
  no-mdc2 no-md4 no-whirlpool no-rmd160 no-sm2 no-sm3 no-sm4 no-gost no-dsa no-ec2m
  no-scrypt no-argon2 no-ml-dsa no-slh-dsa no-ocb no-siv
  no-ui-console no-async no-autoload-config
  enable-ec_nistp_64_gcc_128 enable-ktls --with-rand-seed=getrandom
)

# version_of INCLUDE_DIR: the version its headers state, or nothing.
version_of() {
  sed -n 's/^# *define  *OPENSSL_VERSION_STR  *"\([0-9.]*\)".*/\1/p' "$1/openssl/opensslv.h" 2>/dev/null || true
}

recent_enough() { [[ -n $1 && $(printf '%s\n3.5\n' "$1" | sort -V | head -n 1) == 3.5 ]]; }

system_version() {
  local dir version
  for dir in /usr/include "/usr/include/$(uname -m)-linux-gnu"; do
    version=$(version_of "$dir")
    [[ -z $version ]] || { echo "$version"; return; }
  done
}

# The cache holds whole builds only: a build is renamed into place as its last step.
cached_prefix() {
  local prefix newest=
  while IFS= read -r prefix; do
    if [[ -f $prefix/lib/libssl.a && -f $prefix/lib/libcrypto.a ]] && recent_enough "$(version_of "$prefix/include")"; then
      newest=$prefix
    fi
  done < <(printf '%s\n' "$WAXWING_CACHE"/openssl-[0-9]* | sort -V)
  echo "$newest"
}

# Source lines for the next release, at the addresses from which this machine gets its own release and security updates.
source_lines() {
  local codename address suite component created_by
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  # shellcheck disable=SC2016 # the names in the format are apt's, not the shell's
  apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
    while read -r address suite component created_by; do
      [[ $component == main && $created_by == Packages ]] || continue
      case $suite in
        "$codename") printf 'deb-src [signed-by=%s] %s %s main\n' \
          "$keyring" "$address" "$release" "$keyring" "$address" "$release-updates" ;;
        "$codename-security") printf 'deb-src [signed-by=%s] %s %s main\n' "$keyring" "$address" "$release-security" ;;
      esac
    done | sort -u
}

# fetch_source DIR: leaves the verified, unpacked source in DIR/source and its Debian version on standard output.
fetch_source() {
  local dir=$1 version
  source_lines >"$dir/sources.list"
  [[ -s $dir/sources.list ]] || die "apt knows no Debian mirror on this machine; install OpenSSL >= 3.5 and name it in WAXWING_OPENSSL_ROOT"
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
  local private=(-q -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$dir/lists"
    -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User= -o Acquire::Retries=3 -o APT::Get::List-Cleanup=false
    -o Acquire::AllowInsecureRepositories=false -o APT::Get::AllowUnauthenticated=false)

  say "reading the source index of Debian $release (private lists, signatures verified)"
  logged "$dir/update.log" apt-get "${private[@]}" -o APT::Update::Error-Mode=any update ||
    die "the source index could not be fetched or its signature did not verify"
  # A mirror may list a version that it does not serve (yet, or any more): newest first, the first one that comes whole.
  while IFS= read -r version; do
    say "fetching the source of OpenSSL $version (50 MB)"
    if (cd "$dir" && apt-get "${private[@]}" source --download-only "openssl=$version" >"$dir/source.log" 2>&1); then
      (cd "$dir" && logged "$dir/unpack.log" dpkg-source --extract openssl_*.dsc source) || die "the source did not unpack"
      echo "$version"
      return
    fi
    say "this mirror lists $version but does not serve it"
    rm -f "$dir"/openssl_*
  done < <(apt-cache "${private[@]}" showsrc --only-source openssl 2>/dev/null | sed -n 's/^Version: //p' | sort -rVu)
  tail -n 20 "$dir/source.log" >&2 2>/dev/null || true
  die "the mirror serves no source of OpenSSL"
}

build_from_source() {
  local dir debian_version version prefix staged log
  has apt-get && has dpkg-source && [[ -r $keyring ]] ||
    die "OpenSSL >= 3.5 is needed: install it and name its prefix in WAXWING_OPENSSL_ROOT"
  mkdir -p "$WAXWING_CACHE"
  dir=$(mktemp -d -p "$WAXWING_CACHE")
  # shellcheck disable=SC2064
  trap "rm -rf '$dir'" EXIT
  debian_version=$(fetch_source "$dir")
  version=${debian_version%%-*}
  recent_enough "$version" || die "the mirror's newest source is OpenSSL $version; 3.5 or later is needed"
  prefix=$WAXWING_CACHE/openssl-$version
  log=$dir/build.log

  say "building OpenSSL $version, static (about a minute on two cores)"
  # The prefix is the final one, the installation goes to a staging directory beside it.
  (
    cd "$dir/source"
    logged "$log" env CC=clang-19 ./Configure --prefix="$prefix" --openssldir="$prefix/ssl" --libdir=lib "${options[@]}" &&
      logged "$log" make -s -j "$(nproc)" build_libs &&
      logged "$log" make -s install_dev DESTDIR="$dir/stage"
  ) || die "building OpenSSL failed"
  staged=$dir/stage$prefix
  {
    echo "debian-source: openssl $debian_version"
    echo "dsc-sha256: $(sha256sum "$dir"/openssl_*.dsc | cut -d ' ' -f 1)"
    echo "configure: ${options[*]}"
  } >"$staged/waxwing-build.txt"
  # Of two builds at once the first to finish stays; the other one is the same and is thrown away.
  mv -T "$staged" "$prefix" 2>/dev/null || [[ -f $prefix/lib/libssl.a ]] || die "cannot move the build to $prefix"
  say "OpenSSL $version is ready in $prefix"
  echo "$prefix"
}

(($# == 0)) || [[ $* == --from-source ]] || die "usage: scripts/openssl.sh [--from-source]"
if [[ ${1:-} == --from-source ]]; then
  build_from_source
elif [[ -n ${WAXWING_OPENSSL_ROOT:-} ]]; then
  recent_enough "$(version_of "$WAXWING_OPENSSL_ROOT/include")" ||
    die "WAXWING_OPENSSL_ROOT=$WAXWING_OPENSSL_ROOT holds no OpenSSL >= 3.5"
  echo "$WAXWING_OPENSSL_ROOT"
elif recent_enough "$(system_version)"; then
  echo
else
  prefix=$(cached_prefix)
  if [[ -n $prefix ]]; then
    echo "$prefix"
  else
    build_from_source
  fi
fi
