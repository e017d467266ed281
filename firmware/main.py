"""Main: hands the port's modules to the application and runs it, unless boot.py was asked for maintenance."""

import machine
import network
import os
import select
import socket
import sys
import time

import closer

# boot.py ran before, in the same globals
if not maintenance and slots < 0:  # type: ignore[name-defined]  # noqa: F821
    closer.sleep(machine, 0, 3600)  # no application that is whole: closed at each boot, and in reach of the cable
elif not maintenance:  # type: ignore[name-defined]  # noqa: F821
    machine.WDT()  # an application that hangs while it is loaded is a boot that failed, too
    from sprinkler.app import App
    from sprinkler.board import Board

    closer.close_first = closer.close_all = closer.maintenance_asked = closer.read_record = (
        None  # their time is over; the heap is short
    )
    config = closer_config  # type: ignore[name-defined]  # noqa: F821 - likewise
    App(
        Board(machine, network, socket, select, time, os, open, closer, config, sys.modules, __import__, slots)  # type: ignore[name-defined]  # noqa: F821
    ).run()
