"""Where each number of the controller's state stands: one flat tuple of small ints and words.

Rule: the layout and its making, nothing else. A tuple can be hashed, compared and printed, so the same state that runs on the board is the
state that the model checker walks through. Layout: the board's fields, then ZONE fields for each zone.
"""

# The board's fields
BATTERY_LOW = 0  # 1 from the closing voltage up to the opening voltage
LEAK_ML = 1  # water seen lately while every valve should be closed
SINCE_MS = 2  # time since the first of it
STOP_WAIT_MS = 3  # a bare stop fires no pulse until this has run down
LIVED_MS = 4  # time that has passed for this board and was not spent on a new day's allowance yet (safety.py)
BOARD = 5

# A zone's fields, from base(zone) on
PHASE = 0
CAUSE = 1  # why it is closing
PROGRAM = 2  # 0: by hand
GRANTED_MS = 3  # open time granted to the run, over all boots; 0: no run
OPEN_MS = 4  # open time used, over all boots
QUEUED_MS = 5  # a run that waits for another zone; 0: none
QUEUED_PROGRAM = 6
TRIES = 7  # closing pulses of this closing
WAIT_MS = 8  # until the closing goes on
SEEN_ML = 9  # flow during the check after a closing pulse
DRY_MS = 10  # time open without flow
FAULT = 11  # bits below
EVIDENCE = 12  # what "closed" stands on
RESUMED = 13  # 1: this run was resumed after a reset, and will not be again
QUEUE_AGE_MS = 14  # how long the queued run has waited
OPENINGS = 15  # of this day, of any kind
DAY_ML = 16  # metered while open, this day
ZONE = 17

# Phases
CLOSED = "closed"
OPEN = "open"
CLOSING = "closing"  # a pulse was given; the water runs out
CHECKING = "checking"  # the meter is watched

# Fault bits of a zone
NO_FLOW = 1
LEAK = 2
OVERRUN = 4
LOCKOUT = 8
FAULT_WORDS = ((NO_FLOW, "no_flow"), (LEAK, "leak"), (OVERRUN, "overrun"))


def base(zone: int) -> int:
    """Index of the first field of `zone` (from 1)."""
    return BOARD + (zone - 1) * ZONE


def zones(state: tuple | list) -> int:
    """Number of zones in `state`."""
    return (len(state) - BOARD) // ZONE


def closed_zone(evidence: str, fault: int) -> tuple:
    """The fields of a zone that is closed, with `evidence` (a word of protocol.EVIDENCE) for it and its fault bits."""
    return (CLOSED, "", 0, 0, 0, 0, 0, 0, 0, 0, 0, fault, evidence, 0, 0, 0, 0)
