# python: .venv with the packages of requirements.lock, on a Python >= 3.14.2, < 3.15.
# Looked for in this order: $SPRINKLER_PYTHON, this machine's own, uv's, Debian's packages unpacked below .tools/debian.
. tools/setup/uv.sh
. tools/setup/debian.sh

VERSIONS='>=3.14.2,<3.15'

ready_python() {    # the stamp holds the place and the whole lock: a moved checkout or another lock means a new .venv; a link is another checkout's
  [ -x .venv/bin/python ] && { [ -L .venv ] || { echo "$ROOT"; cat requirements.lock; } | cmp -s - .venv/ready; }
}

make_python() {
  ready_uv || make_uv
  named_python || python=$(own_python || unpacked_python || uv_python || debian_python) ||
    fail "found no Python $VERSIONS and could not fetch one: install it, or name it by SPRINKLER_PYTHON=/path/to/python"
  say "Python packages, into .venv ($("$python" --version))"
  "$TOOLS/bin/uv" venv -q --relocatable --no-project --python "$python" "$STAGE/venv"
  "$TOOLS/bin/uv" pip sync -q --require-hashes --python "$STAGE/venv/bin/python" requirements.lock ||
    fail "could not install the packages of requirements.lock (see above); is there a connection to the package index?"
  { echo "$ROOT"; cat requirements.lock; } > "$STAGE/venv/ready"
  put "$STAGE/venv" .venv
}

named_python() {
  [ -n "${SPRINKLER_PYTHON:-}" ] || return 1
  "$SPRINKLER_PYTHON" -c 'import sys; sys.exit(not (3, 14, 2) <= sys.version_info < (3, 15))' 2>/dev/null ||
    fail "SPRINKLER_PYTHON=$SPRINKLER_PYTHON is not a Python $VERSIONS"
  python=$SPRINKLER_PYTHON
}

own_python() {
  # a pyenv shim for a version that is not installed makes uv give up
  PATH=$(echo "$PATH" | tr : '\n' | grep -v pyenv/shims | paste -sd: -) "$TOOLS/bin/uv" python find --system --no-project "$VERSIONS" 2>/dev/null
}

unpacked_python() { [ -x "$TOOLS/debian/usr/bin/python3.14" ] && echo "$TOOLS/debian/usr/bin/python3.14"; }

uv_python() {
  say "Python 3.14, by uv"
  UV_PYTHON_INSTALL_DIR=$TOOLS/pythons UV_HTTP_RETRIES=0 UV_HTTP_CONNECT_TIMEOUT=10 "$TOOLS/bin/uv" python install -q --no-bin 3.14 >/dev/null 2>&1 &&
    UV_PYTHON_INSTALL_DIR=$TOOLS/pythons "$TOOLS/bin/uv" python find --managed-python --no-project "$VERSIONS" 2>/dev/null
}

debian_python() {
  can_unpack_debian || return 1
  say "Python 3.14 and Mosquitto from Debian's packages, into .tools/debian"
  unpack_debian_suite forky "$TOOLS/debian" python3.14 mosquitto >&2 && unpacked_python
}
