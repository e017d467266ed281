"""Boards in virtual time: boots, endings, turns, and the firmware's own code on them."""

import json

import pytest

from sim.board import SimulatedBoard
from sim.broker import Broker
from sim.errors import SettingError, WatchdogReset
from sim.port import DEEPSLEEP_RESET, HARD_RESET, PWRON_RESET, SOFT_RESET, SOFT_WDT_RESET
from sim.provision import Settings, pairing_code
from sim.timeline import VirtualTime
from sim.world import Scenario, World


def small(
    main: str, *, boot: str = "", timeline: VirtualTime | None = None, device_id: str = "5a17e001"
) -> SimulatedBoard:
    """A board with a firmware of a few lines."""
    files = {"/boot.py": boot.encode(), "/main.py": main.encode()}
    return SimulatedBoard(World(Scenario(), timeline), seed=1, files=files, device_id=device_id)


def test_boot_and_main_run_in_the_same_globals_with_the_boards_own_modules() -> None:
    board = small(
        "print(told, machine.unique_id().hex(), open('/config.json').read(1))",
        boot="import machine\ntold = 'boot first'",
    )
    board.run_for(1)
    assert board.printed == ["boot first 5a17e001 {"]
    assert board.boots == [PWRON_RESET]


def test_module_on_flash_is_loaded_once_in_a_boot() -> None:
    board = small("import lines\nimport lines as again\nprint(lines is again, lines.machine.reset_cause())")
    board.chip.flash.files["/lines.py"] = b"import machine\nprint('loaded')"
    board.run_for(1)
    assert board.printed == ["loaded", "True 0"]


def test_missing_closer_configuration_is_an_import_error() -> None:
    board = small("try:\n import closer_config\nexcept ImportError:\n print('none')")
    del board.chip.flash.files["/closer_config.py"]
    board.run_for(1)
    assert board.printed == ["none"]


def test_each_ending_boots_with_its_cause() -> None:
    board = small(
        "import machine, time\n"
        "n = len((machine.RTC().memory()))\n"
        "machine.RTC().memory(bytes(n + 1))\n"
        "if n == 0: machine.reset()\n"
        "if n == 1: machine.deepsleep(1000)\n"
        "if n == 2:\n machine.WDT()\n time.sleep_ms(60000)\n"
    )
    board.run_for(60)
    assert board.boots == [PWRON_RESET, SOFT_RESET, DEEPSLEEP_RESET, SOFT_WDT_RESET]
    board.reset_now()
    board.run_for(1)
    board.power_cut(off_s=5)
    board.run_for(4)
    assert board.boots[4:] == [HARD_RESET]
    board.run_for(10)
    assert board.boots[4:] == [
        HARD_RESET,
        PWRON_RESET,
        SOFT_RESET,
        DEEPSLEEP_RESET,
        SOFT_WDT_RESET,
    ]  # RTC memory was lost: it begins anew


def test_sleep_of_two_hours_wakes_after_48_minutes() -> None:
    board = small("import machine, time\nprint(time.time())\nmachine.deepsleep(7200000)")
    board.run_for(3000)
    assert [int(text) for text in board.printed] == [0, 2905]


def test_reset_button_wakes_a_sleeping_board_and_its_clock_jumped_ahead() -> None:
    board = small("import machine, time\nprint(time.time())\nmachine.deepsleep(3600000)")
    board.run_for(10)
    board.reset_now()
    board.run_for(10)
    assert board.boots == [PWRON_RESET, DEEPSLEEP_RESET]
    assert int(board.printed[1]) >= 3600


def test_sleep_without_end_is_ended_from_outside_only() -> None:
    board = small("import machine\nmachine.deepsleep()")
    board.run_for(1_000_000)
    assert len(board.boots) == 1
    board.power_cut()
    board.run_for(10)
    assert board.boots == [PWRON_RESET, PWRON_RESET]


def test_hanging_firmware_is_bitten_only_if_it_armed_the_watchdog() -> None:
    armed = small("import machine, time\nd = machine.WDT()\nwhile True:\n d.feed()\n time.sleep_ms(100)")
    careless = small("import time\nwhile True:\n time.sleep_ms(100)")
    for board in (armed, careless):
        board.run_for(5)
        board.hang()
        board.run_for(10)
    assert armed.boots == [PWRON_RESET, SOFT_WDT_RESET]
    assert careless.boots == [PWRON_RESET]


def test_firmware_that_crashes_is_reported_or_left_at_its_prompt() -> None:
    loud = small("1 / 0")
    with pytest.raises(ZeroDivisionError):
        loud.run_for(1)
    quiet = small("import machine\nmachine.WDT()\n1 / 0")
    quiet.raise_crashes = False
    quiet.run_for(4)
    assert quiet.boots == [PWRON_RESET, SOFT_WDT_RESET]
    assert "ZeroDivisionError" in quiet.crashes[0]


def test_cut_at_a_call_keeps_that_call_from_happening() -> None:
    board = small(
        "import machine, time\nmachine.RTC().memory(b'before')\nmachine.RTC().memory(b'after')\nwhile True: time.sleep_ms(1000)"
    )
    calls: list[str] = []

    def cut(call: str) -> None:
        calls.append(call)
        if calls.count("rtc.memory") == 2:
            board.reset_now()

    def arm(port: object) -> None:
        if len(board.boots) == 1 and board.session is not None:
            board.session.on_call = cut

    board.on_boot = arm
    kept: list[bytes] = []
    board.on_end = lambda _ending: kept.append(board.chip.rtc_memory)
    board.run_for(5)
    assert board.boots == [PWRON_RESET, HARD_RESET]
    assert kept == [b"before"]


def test_ending_is_told() -> None:
    board = small("import machine, time\nmachine.WDT()\ntime.sleep_ms(9000)")
    endings: list[object] = []
    board.on_end = endings.append
    board.run_for(4)
    assert isinstance(endings[0], WatchdogReset)


def test_boards_of_one_process_take_turns_and_share_nothing() -> None:
    timeline = VirtualTime()
    main = (
        "import machine, time\nwhile True:\n print(machine.unique_id()[3], time.ticks_ms() // 1000)\n time.sleep_ms(%d)"
    )
    boards = [small(main % (1000 * (n + 1)), timeline=timeline, device_id=f"0000000{n}") for n in range(3)]
    for board in boards:
        board.power_on()
    timeline.run_for(6.5)
    assert [len(board.printed) for board in boards] == [7, 4, 3]
    assert boards[2].printed == ["2 0", "2 3", "2 6"]


def test_flat_cell_keeps_the_board_off_until_the_sun_has_charged_it() -> None:
    board = SimulatedBoard(World(Scenario(battery_pct=0, clouds=False)), seed=1, files={"/main.py": b"print('up')"})
    board.world.charge_mah = 0
    board.run_for(3600)
    assert board.boots == []
    board.run_for(12 * 3600)  # the sun rises over Greensboro
    assert board.boots == [PWRON_RESET]
    assert board.world.charge_mah > 0


def test_cell_that_runs_flat_ends_the_boot_and_the_memory() -> None:
    scenario = Scenario(battery_pct=1, capacity_mah=100, panel_w=0)
    board = SimulatedBoard(
        World(scenario),
        seed=1,
        files={
            "/main.py": b"import machine, time\nmachine.RTC().memory(b'x')\nwhile True:\n machine.ADC(0).read()\n time.sleep_ms(9000)"
        },
    )
    board.run_for(40)
    assert board.chip.rtc_memory == b"x"
    board.run_for(3600)
    assert board.boots == [PWRON_RESET]
    assert board.session is None
    assert board.chip.rtc_memory == b""


def test_zones_of_board_and_world_must_agree() -> None:
    with pytest.raises(SettingError, match="make them equal"):
        SimulatedBoard(World(Scenario(zones=2)), zones=3)


def test_provisioned_key_stays_the_boards_own_and_has_a_pairing_code() -> None:
    board = SimulatedBoard(settings=Settings(device_key="000102030405060708090a0b0c0d0e0f"), files={})
    assert board.key == bytes(range(16))
    assert pairing_code(board.key) == "AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4FO"


# --- the firmware's own code


def log_of(seed: int) -> list[tuple[int, str, bytes]]:
    """All that a board said within three hours, with its true times; a fault in between."""
    board = SimulatedBoard(World(Scenario(seed=seed)), Broker(), seed=seed)
    board.chip.clock.awake_drift, board.chip.clock.sleep_drift = 0.02, -0.03
    board.run_for(3600)
    board.power_cut(off_s=3)
    board.run_for(2 * 3600)
    assert board.broker is not None
    return [(message.at_us, message.topic, message.payload) for message in board.broker.log]


def test_same_seed_gives_the_same_log_byte_for_byte() -> None:
    first = log_of(4)
    assert len(first) > 20
    assert first == log_of(4)
    assert first != log_of(5)


def test_firmware_waters_for_the_time_it_was_told_and_the_meter_agrees_with_it() -> None:
    board = SimulatedBoard(
        World(Scenario(zones=2, clouds=False)), Broker(), seed=1, settings=Settings(always_responsive=True)
    )
    board.run_for(20)
    from sprinkler import protocol
    from sprinkler.auth import sign

    now_s = int(board.world.unix_s())
    topic = protocol.topic(board.device_id, protocol.COMMAND)
    wish = {"id": "1", "counter": now_s * 1000, "expires_at": now_s + 60, "command": "run", "zone": 2, "run_time_s": 30}
    assert board.broker is not None
    board.broker.publish(topic, sign(board.key, topic, json.dumps(wish).encode()))
    board.run_for(15)
    zone = board.world.zones[1]
    assert zone.valve.open
    board.run_for(45)
    assert not zone.valve.open
    board.world.advance()
    assert zone.meter_ml == pytest.approx(30 * 8000 / 60, rel=0.03)
    finished = [
        json.loads(message.payload)
        for message in board.broker.messages("+/+/event")
        if b"run_finished" in message.payload
    ]
    assert finished[0]["volume_ml"] == pytest.approx(zone.meter_ml, rel=0.01)
    assert board.chip.sdk_flash_writes == 0
