"""What the actions on a zone's valve do, beside opening and closing it.

Rule: each returns what the board granted, or says that it has yet to hear; what it refuses raises a translated error.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.core import ServiceResponse
from homeassistant.util import dt as dt_util

from . import program_actions, programs
from .answers import answer, confirmation, moment_text
from .coordinator import SprinklerCoordinator
from .errors import ProgramError
from .programs import Program

DAY_S = 86400


async def skip(coordinator: SprinklerCoordinator, zone: int, program: int) -> ServiceResponse:
    """Give up the next start of a zone, or of one of its programs (0: whichever comes first)."""
    outcome = await coordinator.commands.skip(zone, program)
    if outcome.reply is None:
        return answer(outcome, coordinator.data)
    return {"queued": False, "skipped": moment_text(outcome.reply.at or outcome.reply.run_until)}


async def check_valve(coordinator: SprinklerCoordinator, zone: int) -> ServiceResponse:
    """Open for five seconds, close, and tell what the flow meter saw."""
    outcome, check = await coordinator.commands.check_valve(zone)
    if outcome.reply is None:
        return answer(outcome, coordinator.data)
    if check is None:
        return {"queued": False, "verdict": None}
    words = coordinator.words
    volume_l = None if check.volume_ml is None else check.volume_ml / 1000
    sentence = words.say("verdict", check.verdict)
    return {"queued": False, "verdict": check.verdict, "sentence": sentence, "volume_l": volume_l}


async def set_program(coordinator: SprinklerCoordinator, zone: int, given: Mapping[str, Any]) -> ServiceResponse:
    """Make a program, or change the one of that number."""
    board, today = coordinator.data, dt_util.now().date()
    numbers: list[int] = []

    def change(wanted: Any) -> Any:
        try:
            number = given.get("program") or programs.free_id(wanted, board.announce.programs_max)
            known = next((program for program in wanted if program.get("id") == number), None)
            if known is None:
                programs.free_id(wanted, board.announce.programs_max)  # raises if there is room for no more
                known = {"id": number, "zone": zone}
            elif known not in programs.of_zone(wanted, zone):
                raise ProgramError("program_of_another_zone", zone=str(known.get("zone")))
            made = program_actions.changed(known, given, today, board.announce.run_time_max_s)
        except ProgramError as error:
            raise coordinator.words.invalid(error.key, **error.values) from error
        numbers.append(number)
        if given.get("name"):
            coordinator.memory.names[str(number)] = given["name"]
        others = [program for program in wanted if program is not known]
        return sorted([made, *others], key=lambda each: str(each.get("id")))

    is_confirmed = await coordinator.desired.async_edit(programs=change)
    return {"program": numbers[-1], **confirmation(coordinator.data, is_confirmed=is_confirmed)}


def get_programs(coordinator: SprinklerCoordinator, zone: int) -> ServiceResponse:
    """The programs of a zone as they are wanted."""
    board, now = coordinator.data, dt_util.now()
    found = programs.of_zone(board.programs, zone)
    told = [program_actions.told(coordinator.hass, program, _name(coordinator, program), now) for program in found]
    return {"programs": told, **confirmation(board, is_confirmed=not board.is_waited_for)}


def get_history(coordinator: SprinklerCoordinator, zone: int, days: int) -> ServiceResponse:
    """What the board told of a zone in the last days, the oldest first."""
    since = coordinator.now - days * DAY_S
    kinds = ("run_finished", "run_skipped")
    events = [told for told in coordinator.memory.events if told.zone == zone and told.event in kinds]
    teller = coordinator.teller
    return {
        "history": [
            {
                "event": told.event,
                "at": moment_text(told.at),
                "program": told.program,
                "result": told.result,
                "reason": told.reason,
                "duration_s": told.duration_s,
                "volume_l": None if told.volume_ml is None else told.volume_ml / 1000,
                "sentence": teller.event(told),
            }
            for told in events
            if told.at >= since
        ]
    }


def _name(coordinator: SprinklerCoordinator, program: Program) -> str:
    number = str(program["id"])
    return coordinator.memory.names.get(number) or coordinator.words.say("sentence", "program", number=number)
