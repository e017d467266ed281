# broker: Mosquitto as .tools/bin/mosquitto and mosquitto_passwd: this machine's own, the one beside Debian's Python, or unpacked from
# this machine's own Debian or Ubuntu packages.
. tools/setup/debian.sh

ready_broker() { [ -x "$TOOLS/bin/mosquitto" ] && [ -x "$TOOLS/bin/mosquitto_passwd" ]; }

make_broker() {
  found=$(PATH=$PATH:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin command -v mosquitto) || found=
  passwd=$(PATH=$PATH:/usr/local/bin:/opt/homebrew/bin command -v mosquitto_passwd) || passwd=
  if [ -n "$found" ] && [ -n "$passwd" ]; then
    link mosquitto "$found"
    link mosquitto_passwd "$passwd"
    return
  fi
  if [ -x "$TOOLS/debian/usr/sbin/mosquitto" ]; then
    link mosquitto "$TOOLS/debian/usr/sbin/mosquitto"
    link mosquitto_passwd "$TOOLS/debian/usr/bin/mosquitto_passwd"
    return
  fi
  can_unpack_debian || fail "needs Mosquitto: install it (brew install mosquitto, apt install mosquitto, dnf install mosquitto), then run this again"
  say "Mosquitto from this machine's packages, into .tools/broker"
  unpack_host_packages "$TOOLS/broker" mosquitto ||
    fail "could not fetch the package mosquitto (see above); install it (apt install mosquitto), then run this again"
  wrap mosquitto broker/usr/sbin/mosquitto
  wrap mosquitto_passwd broker/usr/bin/mosquitto_passwd
}
