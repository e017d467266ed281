# typings: MicroPython's own types, for checking firmware; below .tools/typings, never beside the packages of .venv.
. tools/setup/python.sh

ready_typings() { cmp -s tools/typings.lock .tools/typings/ready; }

make_typings() {
  ready_python || make_python
  say "types of MicroPython, into .tools/typings"
  "$TOOLS/bin/uv" pip install -q --python .venv/bin/python --target "$STAGE/typings" --require-hashes -r tools/typings.lock ||
    fail "could not install the packages of tools/typings.lock (see above)"
  cp tools/typings.lock "$STAGE/typings/ready"
  put "$STAGE/typings" "$TOOLS/typings"
}
