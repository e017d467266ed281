"""The firmware on a real MicroPython, its hardware in this process: `RemoteBoard` lives, `Remote` boots once, `run_script` runs one file.

Rule: what is MicroPython's stays in its own process (tools/micropython); what is hardware stays here and is the very same objects of
`sim.port` that the firmware meets when it runs under CPython. Between them there is one wire (`frames`) and one flash image (`image`).
"""

from sim.remote.board import Build, RemoteBoard
from sim.remote.bridge import Remote
from sim.remote.image import FlashImage
from sim.remote.interpreter import Finished, Options, find_interpreter, run_script

__all__ = [
    "Build",
    "Finished",
    "FlashImage",
    "Options",
    "Remote",
    "RemoteBoard",
    "find_interpreter",
    "run_script",
]
