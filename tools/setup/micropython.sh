# micropython: an interpreter that has the board's language and heap, as .tools/micropython/mpy-e8266.
. tools/setup/python.sh

ready_micropython() {
  [ -x "$TOOLS/micropython/mpy-e8266" ] && [ -z "$(find tools/micropython -type f -newer "$TOOLS/micropython/ready")" ]
}

make_micropython() {
  ready_python || make_python
  [ -x "$TOOLS/micropython/mpy-e8266" ] || say "MicroPython, built into .tools/micropython"
  sh tools/micropython/build.sh "$TOOLS/micropython" || exit 1
  touch "$TOOLS/micropython/ready"
}
