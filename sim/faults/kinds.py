"""All kinds of faults by their names, and what a field of them may be."""

from sim.faults.board_kinds import BOARD_KINDS
from sim.faults.fields import Choice, Kind, Number, Rule, Text
from sim.faults.house_kinds import HOUSE_KINDS
from sim.faults.part_kinds import PART_KINDS

KINDS: dict[str, Kind] = {**PART_KINDS, **BOARD_KINDS, **HOUSE_KINDS}

__all__ = ["KINDS", "Choice", "Kind", "Number", "Rule", "Text"]
