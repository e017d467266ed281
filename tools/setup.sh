#!/bin/sh
# Make parts of the workshop ready, below .tools/ and .venv/ of this checkout; needs no root and leaves the system alone.
# usage: sh tools/setup.sh PART...     PART: uv python typings broker micropython browser umqtt peers home_assistant
# A part that is ready costs milliseconds. Each part is built in a folder of its own and renamed into place, so an interrupted
# run leaves nothing half made; a lock keeps two runs apart.
set -eu
cd "$(dirname "$0")/.."
ROOT=$PWD
TOOLS=$ROOT/.tools
STAGE=$TOOLS/stage.$$
LOCK=$TOOLS/lock

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

enter() {    # take the lock, once; the first call also makes the staging folder
  [ ! -d "$STAGE" ] || return 0
  mkdir -p "$TOOLS/bin" || fail "cannot write to $TOOLS; make this checkout yours, or clone it anew"
  waited=0
  until mkdir "$LOCK" 2>/dev/null; do
    owner=$(cat "$LOCK/pid" 2>/dev/null || echo 0)
    if [ "$owner" -gt 0 ] && ! ps -p "$owner" >/dev/null 2>&1; then
      rm -rf "$LOCK" "$TOOLS/stage.$owner"    # its owner was killed
      continue
    fi
    [ "$waited" -ne 2 ] || say "waiting for another set-up in this checkout (process $owner)"
    [ "$waited" -lt 900 ] || fail "another set-up holds $LOCK for 15 minutes; remove that folder if none is running"
    sleep 1
    waited=$((waited + 1))
  done
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  echo $$ > "$LOCK/pid"
  mkdir -p "$STAGE"
}

leave() { rm -rf "$STAGE" "$LOCK"; }

in_place() { [ -L "$TOOLS" ] || [ "$(cat "$TOOLS/place" 2>/dev/null)" = "$ROOT" ]; }    # a link: another checkout's, who keeps it

settle() {    # what was unpacked knows its place; in a checkout that has moved it is made anew
  in_place && return
  enter
  in_place && return    # another set-up did it while this one waited
  for entry in "$TOOLS"/*; do
    case $entry in "$LOCK" | "$STAGE") ;; *) rm -rf "$entry" ;; esac
  done
  mkdir -p "$TOOLS/bin"
  echo "$ROOT" > "$TOOLS/place"
}

put() {    # put STAGED TARGET: replace TARGET by what was built
  [ ! -e "$2" ] || mv "$2" "$STAGE/replaced.$(basename "$2")"
  mv "$1" "$2"
}

link() { ln -sfn "$2" "$TOOLS/bin/$1"; }

settle
for part in "$@"; do
  [ -f "tools/setup/$part.sh" ] || fail "no part called '$part'; there are: uv python typings broker micropython browser umqtt peers home_assistant"
  # shellcheck source=/dev/null
  . "tools/setup/$part.sh"
  "ready_$part" || { enter; "ready_$part" || "make_$part"; }
done
