# home_assistant: another Home Assistant than the one in .venv, below .tools/home-assistant-VERSION, for ./demo --ha VERSION. VERSION comes in
# $SPRINKLER_HOME_ASSISTANT; each one that is known has its lock in tools/home_assistant/.
. tools/setup/python.sh

ready_home_assistant() {
  version=${SPRINKLER_HOME_ASSISTANT:?names the version}
  other=$TOOLS/home-assistant-$version lock=tools/home_assistant/$version.lock
  [ -f "$lock" ] || fail "no Home Assistant $version is known; there are: $(cd tools/home_assistant && echo ./*.lock | sed 's/\.lock//g; s/\.\///g')"
  [ -x "$other/bin/python" ] && cmp -s "$lock" "$other/ready"
}

make_home_assistant() {
  ready_python || make_python
  say "Home Assistant $version, into .tools/home-assistant-$version (some 300 MB)"
  "$TOOLS/bin/uv" venv -q --relocatable --no-project --python .venv/bin/python "$STAGE/home-assistant"
  "$TOOLS/bin/uv" pip sync -q --require-hashes --python "$STAGE/home-assistant/bin/python" "$lock" ||
    fail "could not install the packages of $lock (see above); is there a connection to the package index?"
  cp "$lock" "$STAGE/home-assistant/ready"
  put "$STAGE/home-assistant" "$other"
}
