"""The firmware on the stand-in port. What is here is also used by programs outside of pytest, so it finds the firmware by itself."""

from sim.provision import find_firmware

find_firmware()
