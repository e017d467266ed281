# uv: the installer of Python packages, from PATH or into .tools/uv in the version that requirements.lock names, hash-checked.

ready_uv() { [ -x "$TOOLS/bin/uv" ]; }

make_uv() {
  if found=$(command -v uv) && "$found" --version >/dev/null 2>&1; then
    link uv "$found"
    return
  fi
  python=$(host_python) || fail "needs uv, or a Python 3 to install it with: install either, then run this again"
  say "uv, into .tools/uv"
  awk '/^uv==/ { on = 1 } on { sub(/ *#.*/, ""); print } on && !/\\$/ { exit }' requirements.lock > "$STAGE/uv.txt"
  if "$python" -m venv "$STAGE/uv" >/dev/null 2>&1; then
    "$STAGE/uv/bin/python" -m pip install -qq --require-hashes -r "$STAGE/uv.txt" || fail "pip could not install uv (see above)"
  elif "$python" -m pip --version >/dev/null 2>&1; then
    rm -rf "$STAGE/uv"
    "$python" -m pip install -qq --require-hashes --target "$STAGE/uv" -r "$STAGE/uv.txt" || fail "pip could not install uv (see above)"
  else
    fail "needs uv, or Python's venv module (Debian and Ubuntu: apt install python3-venv): install either, then run this again"
  fi
  put "$STAGE/uv" "$TOOLS/uv"
  link uv "$TOOLS/uv/bin/uv"
}

host_python() {    # the first Python 3.9 or newer on PATH that runs at all (a pyenv shim may not)
  for name in python3 python3.14 python3.13 python3.12 python3.11 python; do
    found=$(command -v "$name") || continue
    "$found" -c 'import sys; sys.exit(sys.version_info < (3, 9))' >/dev/null 2>&1 || continue
    echo "$found"
    return
  done
  return 1
}
