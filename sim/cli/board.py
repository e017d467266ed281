"""`python -m sim board`: one live board against a real broker."""

import argparse
import json
import re
import secrets
import signal
import sys
import time
from pathlib import Path

from sim import climate, provision
from sim.board import Hardware, SimulatedBoard
from sim.cli import probe, watch
from sim.errors import FileError, SettingError
from sim.flash import Flash
from sim.live import LiveNetwork
from sim.timeline import LiveTime
from sim.world import Scenario, World

SUMMARY = "one live board that runs the real firmware against an MQTT broker"

EPILOG = """\
examples:
  python -m sim board                                   a board on the broker at 127.0.0.1:1883
  python -m sim board --zones 4 --speed 600             four zones; the lawn lives ten minutes a second
  python -m sim board --lawn-time 13:00                 the sun stands where it stands at one in the afternoon
  python -m sim board --site tunis --speed 3600         the weather of a record, an hour a second
  python -m sim board --broker 192.168.1.5:1883 --broker-user 5a17e001 --broker-password-file secret.txt
  python -m sim board --json | jq .zones                ground truth, a line a second
  python -m sim board --quiet --truth truth.jsonl       ground truth into a file, nothing on the screen

The board's flash, its id and its key lie in the data folder, so that the same board comes back next time. What is shown is ground truth: what
truly flows, not what the firmware says.

exit codes: 0 ended by Ctrl-C or SIGTERM; 2 wrong usage; 3 the broker cannot be reached or refuses; 4 a file or folder cannot be used
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sim board",
        description=SUMMARY[0].upper() + SUMMARY[1:] + ".",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    broker = parser.add_argument_group("broker")
    broker.add_argument(
        "--broker", metavar="HOST:PORT", default="127.0.0.1:1883", help="the MQTT broker (default %(default)s)"
    )
    broker.add_argument("--broker-user", metavar="NAME", default="", help="user name at the broker")
    broker.add_argument(
        "--broker-password-file", metavar="FILE", type=Path, help="file whose first line is the password"
    )
    board = parser.add_argument_group("board")
    board.add_argument(
        "--data",
        metavar="DIR",
        type=Path,
        default=Path("sim-board"),
        help="the board's flash, id and key (default ./%(default)s)",
    )
    board.add_argument(
        "--device-id", metavar="HEX8", help="eight hex digits (default: kept in the data folder, at first random)"
    )
    board.add_argument("--zones", metavar="N", type=int, default=2, help="1 to 4 zones (default %(default)s)")
    board.add_argument(
        "--always-responsive",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="stay awake instead of sleeping (default: yes)",
    )
    lawn = parser.add_argument_group("lawn")
    lawn.add_argument(
        "--site", metavar="NAME", default="", help=f"recorded weather instead of made-up: {', '.join(climate.sites())}"
    )
    lawn.add_argument(
        "--latitude", metavar="DEG", type=float, default=36.07, help="north is positive (default %(default)s)"
    )
    lawn.add_argument(
        "--longitude", metavar="DEG", type=float, default=-79.79, help="east is positive (default %(default)s)"
    )
    lawn.add_argument(
        "--speed",
        metavar="N",
        type=float,
        default=1.0,
        help="sun, soil and battery live N times faster; water and clock do not",
    )
    lawn.add_argument("--lawn-time", metavar="HH:MM", help="solar time of day at which the lawn starts (default: now)")
    lawn.add_argument(
        "--battery", metavar="PCT", type=float, default=80.0, help="charge at the start (default %(default)s)"
    )
    lawn.add_argument("--seed", metavar="N", type=int, default=0, help="weather and sensor noise (default %(default)s)")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--truth",
        metavar="FILE",
        type=Path,
        help="append ground truth as JSON lines: at each move of a valve and while water runs",
    )
    output.add_argument(
        "--json", action="store_true", help="ground truth as a JSON line a second instead of the screen"
    )
    output.add_argument("--quiet", action="store_true", help="nothing on the screen")
    return parser


def main(arguments: list[str]) -> int:
    """Run one live board until Ctrl-C or SIGTERM; the exit code."""
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 2
    scenario, settings = _scenario(options), _settings(options)
    device_id = _device_id(options)
    probe.check_broker(
        settings.broker_host,
        settings.broker_port,
        f"sprinkler-{device_id}-probe",
        settings.broker_user,
        settings.broker_password,
    )
    timeline = LiveTime()
    world = World(scenario, timeline)
    network = LiveNetwork(timeline, time.time)  # the machine may have slept, which its monotonic clock does not count
    hardware = Hardware(Flash(options.data / "flash"), network)
    board = SimulatedBoard(world, seed=None, settings=settings, device_id=device_id, hardware=hardware)
    board.raise_crashes = False
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: timeline.stop())
    finish = watch.record_truth(board, options.truth) if options.truth is not None else lambda: None
    _show(options, board, _keep_pairing_code(options.data, board))
    try:
        board.run()
    finally:
        network.shut()
    if timeline.failure is not None:
        raise timeline.failure
    finish()
    if not options.quiet and not options.json:
        print(f"\nended after {timeline.now_us / 1e6:.0f} s, {board.chip.boots} boots")
    return 0


def _settings(options: argparse.Namespace) -> provision.Settings:
    host, port = probe.address(options.broker)
    password = ""
    if options.broker_password_file is not None:
        try:
            password = options.broker_password_file.read_text(encoding="utf-8").split("\n")[0].rstrip("\r")
        except OSError as error:
            raise FileError(f"cannot read {options.broker_password_file}: {error.strerror}") from error
    if password and not options.broker_user:
        raise SettingError("--broker-password-file needs --broker-user")
    return provision.Settings(
        zones=options.zones,
        broker_host=host,
        broker_port=port,
        broker_user=options.broker_user,
        broker_password=password,
        always_responsive=options.always_responsive,
    )


def _scenario(options: argparse.Namespace) -> Scenario:
    now_s = time.time()
    lawn_start_s = None
    longitude_deg = climate.recorded(options.site).longitude_deg if options.site else options.longitude
    if options.lawn_time is not None:
        found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", options.lawn_time)
        if found is None:
            raise SettingError(f"--lawn-time wants HH:MM, such as 13:00, not '{options.lawn_time}'")
        solar_s = (now_s + longitude_deg * 240) % 86_400
        lawn_start_s = now_s - solar_s + int(found[1]) * 3600 + int(found[2]) * 60
    return Scenario(
        zones=options.zones,
        seed=options.seed,
        latitude_deg=options.latitude,
        longitude_deg=options.longitude,
        start_unix_s=now_s,
        lawn_start_unix_s=lawn_start_s,
        speed=options.speed,
        battery_pct=options.battery,
        site=options.site,
    )


def _device_id(options: argparse.Namespace) -> str:
    """The id that was asked for, or the one of this data folder, at first a random one."""
    path = options.data / "device_id"
    try:
        options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        device_id: str = options.device_id or (path.read_text().strip() if path.exists() else secrets.token_hex(4))
        device_id = device_id.lower()
        if re.fullmatch(r"[0-9a-f]{8}", device_id) is None:
            where = "--device-id" if options.device_id else str(path)
            raise SettingError(f"{where}: a device id is eight hex digits, such as 5a17e001")
        path.write_text(device_id + "\n")
    except OSError as error:
        raise FileError(f"cannot use the data folder {options.data}: {error.strerror}") from error
    return device_id


def _keep_pairing_code(data: Path, board: SimulatedBoard) -> Path:
    """Write the pairing code where only its owner can read it."""
    path = data / "pairing_code"
    try:
        path.touch(mode=0o600)
        path.write_text(provision.pairing_code(board.key) + "\n")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}") from error
    return path


def _show(options: argparse.Namespace, board: SimulatedBoard, code_file: Path) -> None:
    board.on_crash = lambda text: print(
        f"sim board: the firmware crashed: {text.strip().splitlines()[-1]}", file=sys.stderr
    )
    address = f"{board.settings.broker_host}:{board.settings.broker_port}"
    if options.quiet:
        return
    if options.json:
        print(
            json.dumps({"device_id": board.device_id, "broker": address, "pairing_code_file": str(code_file)}),
            flush=True,
        )
        watch.show_json(board)
    elif sys.stdout.isatty():
        code = provision.pairing_code(board.key)
        watch.show_screen(
            board, [f"Solar Sprinkler {board.device_id} on the broker at {address}", f"pairing code {code}"]
        )
    else:
        print(f"board {board.device_id} on the broker at {address}; its pairing code is in {code_file}", flush=True)
        watch.show_lines(board)
