"""Boot: close first; then leave the cable a way in; then choose the application.

Rule: nothing is read before the valves are closed but this file, the closer and its configuration. Never updated over the air. `maintenance` and `slots`
stay in the globals that main.py is run in.
"""

import machine
import os
import select
import sys
import time
import vfs

import closer

try:
    import closer_config
except (
    ImportError,
    OSError,
    SyntaxError,
    NameError,
    TypeError,
    ValueError,
):  # lost or torn: the closer's own defaults close one zone
    closer_config = None

closer.close_first(machine, time, closer_config)
maintenance = closer.maintenance_asked(machine, time, select, sys.stdin)
try:
    import chooser

    slots = chooser.choose(vfs, os, sys.path, open, not maintenance)
except (ImportError, OSError, SyntaxError, NameError, TypeError, ValueError):
    slots = 0  # lost or torn: what the port has mounted, if anything
chooser = sys.modules.pop("chooser", None) and None  # its time is over; the heap is short
