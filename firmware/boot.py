"""Boot: close first; then leave the cable a way in.

Rule: nothing is read before the valves are closed but this file, the closer and its configuration. Never updated over the air. `maintenance`
stays in the globals that main.py is run in.
"""

import machine
import select
import sys
import time

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
