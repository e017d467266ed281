"""`python -m tools.provision` from end to end: the real mpremote, the real interpreter, a real broker; only the hardware is simulated, in real time."""

import contextlib
import hashlib
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import chooser
import pytest

from sim.errors import PowerLoss
from sim.port import DEEPSLEEP_RESET, HARD_RESET, PWRON_RESET, SOFT_RESET, SOFT_WDT_RESET, WDT_RESET
from sim.provision import FIRMWARE, SLOTS, Settings, pairing_code, slots_record
from sim.remote import FlashImage, RemoteBoard
from sim.remote.image import MOUNT, SIZE
from sim.remote.interpreter import ROOT, run_script
from sim.rom import SLOT_BYTES
from sim.world import Scenario, World
from tests.cable.cable import TOOL, Bench, Ran, Step, Until
from tests.micropython.conftest import StartBroker
from tests.micropython.firmwares import version
from tests.tools.test_provision import image_bytes, keep
from tools.micropython.package import build, firmware_romfs

OLDER_BOOT = b"""import machine, time, closer
maintenance = True
closer.close_first(machine, time, None)
# older
"""
PASSWORD = "water-and-sun"
SLEEPY = Settings(zones=1, broker_port=9)  # nobody answers there, so it sleeps soon
NEWER = FIRMWARE / "sprinkler" / "soil.py"
PAST_THE_WINDOW = Step(
    (sys.executable, "-c", "import time; time.sleep(3)")
)  # in which the cable is listened to after a power-on


@pytest.fixture(autouse=True)
def maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the tool keeps the maps of names."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "solar-sprinkler"


def lawn(folder: Path, port: int, **more: object) -> str:
    """A settings file for a board of one zone; its name."""
    settings = {
        "zones": 1,
        "wifi_ssid": "lawn",
        "wifi_password": PASSWORD,
        "broker_host": "127.0.0.1",
        "broker_port": port,
        "battery_sensor": "ina219",
        "panel_sensor": True,
        "soil_raw": [[320, 1015]],
        "ul_per_pulse": 2222,
        "close_ms": 80,
    }
    path = folder / "lawn.json"
    path.write_text(json.dumps(settings | more))
    return str(path)


def said(ran: Ran) -> str:
    return f"{ran.arguments}: {ran.code}\n{ran.out}\n{ran.err}"


# --- a new board


def test_a_bare_board_becomes_one_that_reports_to_its_own_broker(
    bench: Callable[..., Bench], maps: Path, tmp_path: Path, free_port: int, start_broker: StartBroker
):
    broker = tmp_path / "broker"
    witness = tmp_path / "witness.txt"
    witness.write_text("ha-secret\n")

    def open_the_broker() -> None:
        maker = f"{ROOT}/.tools/bin/mosquitto_passwd"
        subprocess.run([maker, "-b", broker / "solar_sprinkler.passwd", "homeassistant", "ha-secret"], check=True)
        config = broker / "solar_sprinkler.conf"
        text = config.read_text().replace("listener 1883", f"listener {free_port} 127.0.0.1")
        config.write_text(text.replace("persistence true", "persistence false") + "user root\n")
        start_broker(config)

    board = bench(erased=True)
    settings = lawn(tmp_path, free_port)
    witnessed = ("--witness-user", "homeassistant", "--witness-password-file", str(witness))
    installed, configured, verified, blind = board.run(
        board.provision("install", "--json"),
        board.provision("configure", "--settings", settings, "--mosquitto", str(broker), "--json"),
        open_the_broker,
        board.provision("verify", *witnessed),
        board.provision("verify", "--report-wait", "8"),
    )
    assert [ran.code for ran in (installed, configured, verified)] == [0, 0, 0], said(verified)
    assert json.loads(installed.out)["written"] == [
        "/closer.mpy",
        "/chooser.mpy",
        "/boot.py",
        "application",
        "/slots.bin",
        "/main.py",
    ]
    (kept,) = maps.iterdir()
    assert (str(kept), kept.name[:9]) == (json.loads(installed.out)["map"], "5a17e001-")
    files = board.board.image.files()
    config = json.loads(files["/config.json"])
    assert (config["broker_user"], len(config["broker_password"])) == ("5a17e001", 24)
    assert b"CLOSE_MS = 80\n" in files["/closer_config.py"]
    assert pairing_code(bytes.fromhex(config["device_key"])) in verified.out
    assert "▀" in verified.out, "the QR code"
    assert re.search(r"the soil probe of zone 1 reads \d{3}, as `soil_raw` counts", said(verified))
    assert blind.code == 1, "the board's own account reads nothing of what boards say"
    assert "--witness-user" in blind.err
    everything = "".join(ran.out + ran.err for ran in (installed, configured, verified, blind))
    for secret in (config["device_key"], config["broker_password"], PASSWORD, "ha-secret"):
        assert secret not in everything
        assert secret not in board.command_lines
    chip = board.board.chip
    assert (chip.sdk_access_point, chip.sdk_station) == (False, ("lawn", PASSWORD))
    assert chip.sdk_flash_writes == 3, "access point off, station on, network stored once"
    assert not {WDT_RESET, SOFT_WDT_RESET} & set(board.board.boots)


NO_ESPTOOL = """
import subprocess
real = subprocess.run
def run(line, *more, **named):
    if "esptool" not in line:
        return real(line, *more, **named)
    open({told!r}, "w").write(" ".join(map(str, line[2:])))
    return subprocess.CompletedProcess(line, 0)
subprocess.run = run
"""


def test_flash_hands_the_image_to_esptool_and_then_installs(bench: Callable[..., Bench], tmp_path: Path):
    """esptool itself meets no chip here: what it is told is checked, then the board is as its loader leaves it."""
    image, sha256 = keep(tmp_path, image_bytes())
    told = tmp_path / "told"
    (tmp_path / "sitecustomize.py").write_text(NO_ESPTOOL.replace("{told!r}", repr(str(told))))
    board = bench(erased=True)
    (ran,) = board.run(
        board.provision("flash", "--erase", "--image", str(image), "--sha256", sha256, PYTHONPATH=str(tmp_path))
    )
    assert ran.code == 0, said(ran)
    assert "now give `configure`" in ran.out
    assert told.read_text().startswith(f"esptool --chip esp8266 --port {board.port} ")
    assert told.read_text().endswith(f"--erase-all 0x0 {image}")
    assert board.board.image.romfs().startswith(build().romfs)


def test_settings_that_were_there_are_not_written_again_and_the_key_stays(bench: Callable[..., Bench], tmp_path: Path):
    board = bench(erased=True)
    settings = lawn(tmp_path, 9)
    configure = board.provision("configure", "--settings", settings, "--json")
    keys: list[str] = []
    writes: list[int] = []

    def look() -> None:
        keys.append(json.loads(board.board.image.files()["/config.json"])["device_key"])
        writes.append(board.board.chip.sdk_flash_writes)

    ran = board.run(
        board.provision("install"),
        configure,
        look,
        configure,
        look,
        board.provision("configure", "--settings", settings, "--new-key"),
        look,
    )
    assert [one.code for one in ran] == [0, 0, 0, 0], said(ran[-1])
    assert keys[0] == keys[1] != keys[2]
    assert (json.loads(ran[1].out)["changed"], json.loads(ran[2].out)["changed"]) == (True, False)
    assert writes == [3, 3, 3], "the chip's own settings were stored once"


# --- boards that sleep, work, or are not there


def test_a_sleeping_board_is_reached_by_two_presses_and_none_of_its_boots_is_the_watchdogs(
    bench: Callable[..., Bench], broker_port: int
):
    board = bench(settings=Settings(zones=1, broker_port=broker_port))
    (ran,) = board.run(
        Until(lambda: board.board.session is None and bool(board.board.endings)),  # asleep
        board.provision("install"),
        Until(lambda: board.board.boots[-1] == SOFT_RESET),
    )
    assert ran.code == 0, said(ran)
    assert "Press its RESET button" in ran.err
    assert board.board.boots == [PWRON_RESET, DEEPSLEEP_RESET, HARD_RESET, SOFT_RESET]


def test_a_board_that_nobody_resets_goes_on_with_its_work_and_the_tool_ends_with_a_clear_line(
    bench: Callable[..., Bench],
):
    board = bench(settings=Settings(zones=1, broker_port=9, always_responsive=True), presses=False)
    (_, ran) = board.run(PAST_THE_WINDOW, board.provision("install", "--wait", "7", "--json"))
    assert ran.code == 3
    assert json.loads(ran.out)["exit_code"] == 3
    assert "press RESET twice" in ran.err
    assert board.board.boots == [PWRON_RESET], "it was not disturbed"


def test_an_application_that_is_interrupted_dies_by_its_watchdog(bench: Callable[..., Bench]):
    """The stand-in itself: what happens to plain mpremote without the maintenance window."""
    board = bench(settings=Settings(zones=1, broker_port=9, always_responsive=True))
    board.run(PAST_THE_WINDOW, board.mpremote("resume", "exec", "import time; time.sleep(8)"), seconds=12)
    assert board.board.boots[:2] == [PWRON_RESET, SOFT_WDT_RESET]


# --- cut off


@pytest.mark.parametrize(("verb", "step"), [("install", 9), ("configure", 2)])
def test_a_cable_that_is_pulled_leaves_a_board_that_closes_and_a_command_that_can_be_given_again(
    bench: Callable[..., Bench], tmp_path: Path, verb: str, step: int
):
    board = bench(settings=SLEEPY)
    put_older(board.board.image)
    board.cut_at = step
    arguments = ("--settings", lawn(tmp_path, 9)) if verb == "configure" else ()
    (ran,) = board.run(board.provision(verb, *arguments))
    assert ran.code == 3, said(ran)
    assert "give the same command again" in ran.err
    assert isinstance(board.board.endings[-1], PowerLoss)
    assert_closes(board.board.image)
    again = bench(settings=SLEEPY)
    copy_flash(board.board.image, again.board.image)
    (ran,) = again.run(again.provision("install"))
    assert ran.code == 0, said(ran)
    assert again.board.image.romfs().startswith(build().romfs)


def test_a_cable_that_is_pulled_while_it_verifies_changes_nothing(bench: Callable[..., Bench]):
    board = bench(settings=SLEEPY)
    board.power_goes_when = "every file is"
    (ran,) = board.run(board.provision("verify"))
    assert ran.code == 3, said(ran)
    assert "give the same command again" in ran.err
    assert_closes(board.board.image)


@pytest.mark.parametrize("verb", ["install", "configure"])
def test_wherever_the_power_goes_the_board_closes_and_runs_no_half_application(
    bench: Callable[..., Bench], tmp_path: Path, note: Callable[[str], None], verb: str
):
    board = bench(settings=SLEEPY)
    image = board.board.image
    put_older(image)
    image.put_files({"/boot.py": OLDER_BOOT})
    before, whole = image.path.read_bytes(), [image.romfs()]
    steps = record(image)
    arguments = ("--settings", lawn(tmp_path, 9), "--no-join") if verb == "configure" else ()
    (ran,) = board.run(board.provision(verb, *arguments))
    assert ran.code == 0, said(ran)
    whole.append(image.romfs())
    for cut in range(1, len(steps) + 1):
        with FlashImage(tmp_path / f"{cut}.bin") as left:
            replay(left, before, steps, cut)
            assert_closes(left, f"{verb}, cut at flash step {cut} of {len(steps)}")
            files = left.files()
            json.loads(files["/config.json"])
            assert files["/closer_config.py"].endswith(b"\n"), "old or new, whole"
            assert "/main.py" not in files or left.romfs() in whole, "nothing runs from half a partition"
    note(f"{verb}: power cut at each of {len(steps)} flash steps, the valve closed every time")


def test_wherever_the_power_goes_on_a_new_board_what_starts_it_comes_after_what_closes_it(
    bench: Callable[..., Bench], tmp_path: Path, note: Callable[[str], None]
):
    board = bench(erased=True)
    image = board.board.image
    image.put_files({"/boot.py": b"# a bare interpreter's own\n"})
    before = image.path.read_bytes()
    steps = record(image)
    (ran,) = board.run(board.provision("install"))
    assert ran.code == 0, said(ran)
    closed = 0
    for cut in range(1, len(steps) + 1):
        with FlashImage(tmp_path / f"{cut}.bin") as left:
            replay(left, before, steps, cut)
            files = left.files()
            if files["/boot.py"] == (FIRMWARE / "boot.py").read_bytes():
                assert_closes(left, f"cut at flash step {cut} of {len(steps)}")
                closed += 1
            assert "/main.py" not in files or left.romfs() == image.romfs()
    note(
        f"install on a bare board: power cut at each of {len(steps)} flash steps; from step {len(steps) - closed + 1} on it closes"
    )
    assert closed > len(steps) // 2, "what closes comes first"


def put_older(image: FlashImage) -> None:
    """Another application than this checkout's lies in the partition; it runs as well."""
    image.put_romfs(firmware_romfs(FIRMWARE, optimisation=3))


def record(image: FlashImage) -> list[Callable[[FlashImage], None]]:
    """Every step that the board's flash will make from now on, to be made again."""
    steps: list[Callable[[FlashImage], None]] = []
    erase, write = image.erase, image.write

    def note_erase(sector: int) -> None:
        steps.append(lambda other: other.erase(sector))
        erase(sector)

    def note_write(offset: int, data: bytes) -> None:
        kept = bytes(data)
        steps.append(lambda other: other.write(offset, kept))
        write(offset, data)

    image.erase, image.write = note_erase, note_write  # type: ignore[method-assign]
    return steps


def replay(image: FlashImage, before: bytes, steps: list[Callable[[FlashImage], None]], cut: int) -> None:
    """The flash as it is when the power goes in the middle of step `cut`."""
    with image.path.open("r+b") as file:
        file.write(before)
    image.cut_at = cut
    with contextlib.suppress(PowerLoss):
        for step in steps:
            step(image)
        pytest.fail("there was no such step")


def copy_flash(source: FlashImage, target: FlashImage) -> None:
    with target.path.open("r+b") as file:
        file.write(source.path.read_bytes())


def assert_closes(image: FlashImage, when: str = "") -> None:
    """A board with this flash, powered on with its valve standing open, closes it within a second."""
    with RemoteBoard(World(Scenario(zones=1)), build=build()) as board:
        copy_flash(image, board.image)
        board.world.move_valve(0, opens=True)
        board.run_for(1)
        assert not board.world.zones[0].valve.open, when


# --- wrong and full devices

OTHER = """
import builtins, sys
real = builtins.__import__
class Other:
    platform = "rp2"
    implementation = sys.implementation
def imported(name, *more):
    return Other if name == "{name}" else real(name, *more)
builtins.__import__ = imported
"""


@pytest.mark.parametrize(("module", "words"), [("sys", "is a rp2, not an esp8266"), ("vfs", "built without ROMFS")])
def test_a_wrong_device_is_refused_before_anything_is_written(bench: Callable[..., Bench], module: str, words: str):
    board = bench(erased=True)
    board.board.image.put_files({"/boot.py": OTHER.replace("{name}", module).encode()})
    steps = board.board.image.steps
    (ran,) = board.run(board.provision("install"))
    assert ran.code == 4, said(ran)
    assert words in ran.err
    assert board.board.image.steps == steps


@pytest.mark.parametrize(
    ("before", "written"), [("0.0.9", ["application", "/slots.bin", "/main.py"]), ("", ["/slots.bin"])]
)
def test_an_upgrade_by_cable_follows_an_update_over_the_air(
    bench: Callable[..., Bench],
    tmp_path: Path,
    free_port: int,
    start_broker: StartBroker,
    before: str,
    written: list[str],
):
    """Slot 1 is the application; slot 0 holds an older one (`before`), or what the cable brings already."""
    board = bench(settings=Settings(zones=1, broker_port=free_port))
    first = version(before).image if before else build().romfs
    second = version("0.2.0").image
    fields = chooser.fresh(len(first), hashlib.sha256(first).digest())
    fields[chooser.ACTIVE] = 1
    fields[chooser.SIZE + chooser.STRIDE : chooser.SHA256 + chooser.STRIDE + 1] = (
        len(second),
        hashlib.sha256(second).digest(),
    )
    image = board.board.image
    image.put_romfs(first.ljust(SLOT_BYTES, b"\xff") + second)
    image.put_files({SLOTS: chooser.packed(fields)})
    config = tmp_path / "broker.conf"
    config.write_text(f"listener {free_port} 127.0.0.1\nallow_anonymous true\nuser root\n")
    start_broker(config)
    older, installed, verified = board.run(
        board.provision("verify", "--json"), board.provision("install", "--json"), board.provision("verify", "--json")
    )
    assert older.code == 1, said(older)
    assert (installed.code, verified.code) == (0, 0), said(installed) + said(verified)
    assert json.loads(installed.out)["written"] == written
    assert image.files()[SLOTS] == slots_record(build().romfs)
    assert image.romfs().startswith(build().romfs)
    assert json.loads(verified.out)["firmware"] == "0.1.0", verified.out


FILL = """
import os
with open("/holiday.bin", "wb") as file:
    while os.statvfs("/")[3] > 2:
        file.write(bytes(2048))
        file.flush()
"""


def test_a_full_board_is_refused_before_anything_is_written(bench: Callable[..., Bench]):
    board = bench(erased=True)
    board.board.image.put_files({"/boot.py": b""})
    run_script(MOUNT + FILL, image=board.board.image.path, mount=False).check()
    steps = board.board.image.steps
    (ran,) = board.run(board.provision("install"))
    assert ran.code == 4, said(ran)
    assert "holiday.bin" in ran.err
    assert "bytes free" in ran.err
    assert board.board.image.steps == steps


def test_something_else_at_the_port_is_not_taken_for_a_board(bench: Callable[..., Bench]):
    board = bench(erased=True)
    board.board.image.put_files(
        {"/boot.py": b"import time\nwhile True:\n    print('GPS $GPGGA,123519,4807.038,N')\n    time.sleep_ms(50)\n"}
    )
    (ran,) = board.run(board.provision("install", "--wait", "4"))
    assert ran.code == 3, said(ran)
    assert "not this firmware's MicroPython" in ran.err


# --- plain mpremote


def test_the_plain_commands_of_the_guide_make_a_board_that_closes_and_reports(
    bench: Callable[..., Bench], tmp_path: Path, broker_port: int
):
    text = (ROOT / "docs" / "flashing.md").read_text()
    section = text[text.index("## Without the tool") :]
    lines = [line.split("#")[0].strip() for line in re.findall(r"^(mpremote .*)$", section, re.MULTILINE)]
    assert any("mip install" in line for line in lines)
    assert any("romfs deploy" in line for line in lines)
    board = bench(erased=True)
    here = tmp_path / "build"
    for arguments in (("install",), ("configure", "--settings", lawn(tmp_path, broker_port))):
        line = [*TOOL, *arguments, "--save", here]
        subprocess.run(line, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    steps = [
        board.mpremote(
            *(part.strip("'\"").replace("build/", f"{here}/") for part in re.findall(r"'[^']*'|\S+", line)[1:])
        )
        for line in lines
    ]
    ran = board.run(*steps, board.provision("verify"), seconds=110)
    assert [one.code for one in ran] == [0] * len(ran), said(next(one for one in ran if one.code))
    assert "it reports" in ran[-1].out
    assert len(board.board.image.path.read_bytes()) == SIZE


HOLD = """
import serial, sys, time
cable = serial.Serial(sys.argv[1], 115200, timeout=1)
for _ in range(15):
    cable.write(b"\\r")
    time.sleep(0.1)
"""


def test_what_is_to_be_tried_at_the_prompt_of_a_real_board_runs_on_this_one(bench: Callable[..., Bench]):
    text = (ROOT / "docs" / "building.md").read_text()
    lines = [
        shlex.split(line) for line in re.findall(r"`(mpremote connect PORT resume (?:exec|romfs query)[^`]*)`", text)
    ]
    lines = [line for line in lines if "while True: pass" not in line]
    assert len(lines) >= 5
    board = bench(settings=SLEEPY)
    _, *ran = board.run(Step((sys.executable, "-c", HOLD, board.port)), *(board.mpremote(*line[3:]) for line in lines))
    assert [one.code for one in ran] == [0] * len(lines), said(next(one for one in ran if one.code))
    assert "True" in ran[0].out, "maintenance"
    assert "327680 bytes" in ran[1].out


PERSON = """
import os, pty, re, select, sys, time
answers = {answers!r}
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.executable, [sys.executable, "-m", "tools.provision", "configure", "--port", sys.argv[1]])
seen, asked = "", 0
while True:
    try:
        data = os.read(terminal, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data.decode(errors="replace")
    question = seen[asked:]
    if re.search(r": $", question):
        asked = len(seen)
        time.sleep(0.05)
        words = question.strip().splitlines()[-1]
        os.write(terminal, next((answer for start, answer in answers.items() if words.startswith(start)), "").encode() + b"\\n")
print(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_person_is_asked_and_what_is_typed_as_a_password_is_not_shown(bench: Callable[..., Bench]):
    answers = {
        "Zones": "1",
        "Wi-Fi network": "lawn",
        "Wi-Fi password": PASSWORD,
        "MQTT broker (": "127.0.0.1",
        "MQTT password": "token-of-mine",
        "Closing pulse": "80",
    }
    board = bench(erased=True)
    installed, asked = board.run(
        board.provision("install"), Step((sys.executable, "-c", PERSON.format(answers=answers), board.port))
    )
    assert (installed.code, asked.code) == (0, 0), said(asked)
    assert "settings written" in asked.out
    assert PASSWORD not in asked.out
    assert "token-of-mine" not in asked.out
    files = board.board.image.files()
    config = json.loads(files["/config.json"])
    assert (config["wifi_password"], config["broker_password"]) == (PASSWORD, "token-of-mine")
    assert config["broker_user"] == "5a17e001", "its id, where none is given"
    assert b"CLOSE_MS = 80\n" in files["/closer_config.py"]
