"""boot.py and main.py, unmodified, on the interpreter: what only a real MicroPython can show."""

from collections.abc import Callable

import pytest

from sim.broker import Broker
from sim.errors import PowerLoss
from sim.port import DEEPSLEEP_RESET, PWRON_RESET, SOFT_WDT_RESET
from sim.remote import RemoteBoard
from sim.remote.image import ROMFS_START, SECTOR
from sim.world import Scenario, World

MakeBoard = Callable[..., RemoteBoard]
Note = Callable[[str], None]


def topics(board: RemoteBoard) -> list[str]:
    """What the board has published, by the last part of its topic."""
    assert board.broker is not None
    return [message.topic.split("/")[-1] for message in board.broker.log]


def test_it_boots_closes_connects_reports_and_sleeps(make_board: MakeBoard):
    board = make_board(broker=Broker(), zones=1)
    board.world.move_valve(0, opens=True)
    board.run_for(1)
    assert not board.world.zones[0].valve.open, "closed before anything else"
    board.run_for(60)
    assert {"announce", "availability", "state", "telemetry"} <= set(topics(board))
    assert board.session is None, "asleep"
    assert board.text.strip() == "", "nothing to say on the cable"


def test_two_days_pass_in_seconds_and_every_wake_is_a_new_program(make_board: MakeBoard, note: Note):
    board = make_board(broker=Broker(), world=World(Scenario(zones=1, clouds=False)))
    board.run_for(48 * 3600)
    wakes = board.boots.count(DEEPSLEEP_RESET)
    note(f"48 hours: {wakes} wakes, {len(board.heaps)} programs")
    assert wakes >= 48
    assert set(board.boots) == {PWRON_RESET, DEEPSLEEP_RESET}


def test_a_program_that_falls_is_caught_by_the_watchdog(make_board: MakeBoard):
    board = make_board(
        broker=Broker(), zones=1, files={"/main.py": b"import machine\nmachine.WDT()\nraise ValueError('fell')\n"}
    )
    board.run_for(10)
    assert "ValueError: fell" in board.text
    assert board.boots[:2] == [PWRON_RESET, SOFT_WDT_RESET]


def test_an_endless_loop_is_caught_by_the_watchdog(make_board: MakeBoard):
    board = make_board(zones=1, files={"/main.py": b"import machine\nmachine.WDT()\nwhile True:\n    pass\n"})
    board.run_for(10)
    assert board.boots[:2] == [PWRON_RESET, SOFT_WDT_RESET]


def test_a_byte_on_the_cable_leads_to_the_prompt_with_the_valves_closed(make_board: MakeBoard):
    board = make_board(broker=Broker(), zones=1)
    board.typed = b"\rprint(6 * 7)\r\n"
    board.run_for(120)
    assert ">>> print(6 * 7)\n42\n" in board.text
    assert board.boots == [PWRON_RESET], "no watchdog"
    assert topics(board) == []


def test_the_raw_repl_that_mpremote_speaks_answers(make_board: MakeBoard):
    board = make_board(zones=1)
    board.typed = b"\r\x03\x01" + b"print(1 + 1)\x04"
    board.run_for(5)
    assert "raw REPL; CTRL-B to exit" in board.text
    assert "OK2\n\x04\x04>" in board.text


def test_the_bundle_runs_from_the_partition_not_from_the_heap(make_board: MakeBoard, note: Note):
    board = make_board(zones=1)
    board.run_for(3)
    assert board.remote is not None
    heap = board.remote.heap()
    assert heap is not None
    application = len(board.image.romfs())
    note(f"bundle {application} B in flash; heap {heap.used} B in use")
    assert heap.used < application


def test_a_normal_wake_writes_no_flash(make_board: MakeBoard):
    board = make_board(broker=Broker(), zones=1)
    board.run_for(120)
    steps = board.image.steps
    board.run_for(3600)
    assert len(board.boots) > 2
    assert board.image.steps == steps


WRITER = """
import os
for number in range(6):
    with open("/kept.new", "wb") as file:
        file.write(bytes([number]) * 3000)
    os.rename("/kept.new", "/kept")
"""


@pytest.mark.parametrize("step", range(1, 60, 4))
def test_a_file_replaced_by_renaming_is_whole_wherever_the_power_goes(make_board: MakeBoard, tmp_path, step: int):
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    board = make_board(zones=1)
    board.image.put_files({"/kept": b"\xff" * 3000})
    board.script = script
    board.image.cut_at = step
    board.run_for(2)
    assert isinstance(board.endings[0], PowerLoss)
    kept = board.image.files()["/kept"]
    assert len(kept) == 3000
    assert len(set(kept)) == 1, "old or new, never both"


def test_erasing_the_partition_erases_nothing_else(make_board: MakeBoard, tmp_path):
    board = make_board(zones=1)
    script = tmp_path / "erase.py"
    script.write_text("import vfs\nprint(vfs.rom_ioctl(3, 0, 8192), vfs.rom_ioctl(4, 0, 4096, b'abcd'))\n")
    board.script = script
    board.run_for(5)
    assert board.text == "4 0\n"
    assert [index for index, count in enumerate(board.image.erases) if count] == [
        ROMFS_START // SECTOR,
        ROMFS_START // SECTOR + 1,
    ]
    assert board.image.romfs()[4096:4100] == b"abcd"


def test_one_seed_is_one_life(make_board: MakeBoard):
    def log() -> list[tuple[int, str, bytes]]:
        board = make_board(broker=Broker(), world=World(Scenario(zones=1, clouds=False)), seed=5)
        board.run_for(2000)
        assert board.broker is not None
        return [(message.at_us, message.topic, message.payload) for message in board.broker.log]

    assert log() == log()
