# peers: the soil water models that bench/crops.py measures beside ours, hash-checked, in an environment of their own: .tools/peers.
. tools/setup/python.sh

ready_peers() { cmp -s bench/peers.lock "$TOOLS/peers/lock"; }

make_peers() {
  ready_python || make_python
  say "pyfao56 and aquacrop, into .tools/peers"
  "$TOOLS/bin/uv" venv -q --relocatable --no-project --python .venv/bin/python "$STAGE/peers"
  "$TOOLS/bin/uv" pip sync -q --require-hashes --python "$STAGE/peers/bin/python" bench/peers.lock ||
    fail "could not install the packages of bench/peers.lock (see above); is there a connection to the package index?"
  cp bench/peers.lock "$STAGE/peers/lock"
  put "$STAGE/peers" "$TOOLS/peers"
}
