# umqtt: the MQTT client that bench/ measures beside ours, as .tools/umqtt/umqtt/simple.py, hash-checked.
# It is a source package without a build system: uv fetches, checks and unpacks it, and then cannot build it. What it unpacked is what we want.
. tools/setup/uv.sh

ready_umqtt() { cmp -s bench/umqtt.lock "$TOOLS/umqtt/lock"; }

make_umqtt() {
  ready_uv || make_uv
  say "umqtt.simple, into .tools/umqtt"
  UV_CACHE_DIR=$STAGE/cache "$TOOLS/bin/uv" pip install -q --require-hashes --no-deps --target "$STAGE/none" -r bench/umqtt.lock \
    2> "$STAGE/umqtt.log" || true
  found=$(find "$STAGE/cache" -path '*/umqtt/simple.py' 2>/dev/null | head -1)
  [ -n "$found" ] || { cat "$STAGE/umqtt.log" >&2; fail "could not fetch umqtt.simple (see above); is there a connection to the package index?"; }
  mkdir -p "$STAGE/umqtt/umqtt"
  cp "$found" "$STAGE/umqtt/umqtt/simple.py"
  cp bench/umqtt.lock "$STAGE/umqtt/lock"
  put "$STAGE/umqtt" "$TOOLS/umqtt"
}
