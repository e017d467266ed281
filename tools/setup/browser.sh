# browser: Chromium as .tools/bin/chromium, and what drives it (the Python package playwright, with its own driver) in .tools/playwright.
# Chromium is $SPRINKLER_BROWSER, this machine's own, or unpacked from this machine's own Debian packages.
. tools/setup/python.sh

ready_browser() { [ -x "$TOOLS/bin/chromium" ] && cmp -s tools/browser.lock "$TOOLS/playwright/ready"; }

make_browser() {
  ready_python || make_python
  [ -x "$TOOLS/bin/chromium" ] || make_chromium
  say "playwright, into .tools/playwright"
  "$TOOLS/bin/uv" pip install -q --python .venv/bin/python --target "$STAGE/playwright" --no-deps --require-hashes -r tools/browser.lock ||
    fail "could not install the packages of tools/browser.lock (see above)"
  cp tools/browser.lock "$STAGE/playwright/ready"
  put "$STAGE/playwright" "$TOOLS/playwright"
}

make_chromium() {
  for name in "${SPRINKLER_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" /Applications/Chromium.app/Contents/MacOS/Chromium; do
    found=$(command -v "$name") || continue
    link chromium "$found"
    return
  done
  can_unpack_debian || fail "needs Chromium or Google Chrome: install it, or name it by SPRINKLER_BROWSER=/path/to/it, then run this again"
  say "Chromium from this machine's packages, into .tools/chromium (some 100 MB)"
  unpack_host_packages "$TOOLS/chromium" chromium fonts-dejavu-core ||
    fail "could not fetch the package chromium (see above); install it, or name a browser by SPRINKLER_BROWSER=/path/to/it"
  [ -x "$TOOLS/chromium/usr/lib/chromium/chromium" ] ||
    fail "this machine's package chromium holds no browser (Ubuntu's does not); install Google Chrome, then run this again"
  wrap chromium chromium/usr/lib/chromium/chromium "
export XDG_DATA_HOME='$TOOLS/chromium/usr/share'    # its fonts, for a machine that has none
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_SYSROOT='$TOOLS/chromium'"
}
