"""./demo: water a lawn from Home Assistant on this machine, with a simulated board that runs the firmware's own code.

Exit codes: 0 all held, or a person stopped it; 1 a step of --check did not hold; 2 wrong usage, or a port that was named is taken;
3 something could not be started.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.demo import home_assistant, no_ha, session
from tools.demo.board import Scene
from tools.demo.errors import CheckError, DemoError
from tools.demo.home_assistant import DASHBOARD
from tools.demo.journey import Journey, errors_in
from tools.demo.progress import Progress

SPEED_MAX = 100_000  # the simulator's
ROOT = Path(__file__).resolve().parent.parent.parent

INVITATION = """
Open  {url}    (on this machine, without a login)

Try   open a zone: the simulated board opens its valve, and closes it by its own timer when the zone's run time is over
      set the run time to 1 minute first, to see it end sooner
      Settings > Devices & services > Solar Sprinkler: the board and its zones, as they would look in your own Home Assistant
Logs  {logs}
End   Ctrl-C
"""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="./demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="no person: water a zone through Home Assistant, watch it close, end"
    )
    parser.add_argument(
        "--ha",
        choices=home_assistant.versions(),
        default="",
        metavar="VERSION",
        help=f"another Home Assistant than our own: {', '.join(home_assistant.versions())} (first time: some 300 MB)",
    )
    parser.add_argument("--no-ha", action="store_true", help="broker and board only, shown live in the terminal")
    parser.add_argument(
        "--speed", type=speed, default=1, metavar="N", help="sun, soil and battery live N times as fast (default 1)"
    )
    parser.add_argument(
        "--http-port", type=port, metavar="PORT", help="Home Assistant's port (default: the next free one from 8123)"
    )
    parser.add_argument(
        "--mqtt-port", type=port, metavar="PORT", help="the broker's port (default: the next free one from 1883)"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=ROOT / ".demo",
        metavar="DIR",
        help="everything it writes, emptied first (default .demo)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end instead of lines")
    return parser.parse_args(arguments)


def port(text: str) -> int:
    """A port's number. Raises ValueError."""
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError(text)
    return number


def speed(text: str) -> float:
    """How many times as fast. Raises ValueError."""
    times = float(text)
    if not 0 < times <= SPEED_MAX:
        raise ValueError(text)
    return times


async def demo(wanted: argparse.Namespace, progress: Progress) -> None:
    """Run until it is done, stopped or broken."""
    options = session.Options(
        wanted.data.resolve(), wanted.http_port, wanted.mqtt_port, Scene(speed=wanted.speed), wanted.ha
    )
    async with session.start(options, progress) as running:
        if wanted.no_ha:
            await (no_ha.check if wanted.check else no_ha.show)(running, progress)
        else:
            await with_home_assistant(wanted, running, progress)
        errors = errors_in(running.processes)
        progress.record("no error in the logs", 0, held=not errors)
        if errors:
            raise CheckError(f"an error in {running.processes.logs}: {errors[0]}")


async def with_home_assistant(wanted: argparse.Namespace, running: session.Session, progress: Progress) -> None:
    """The whole path: checked, or left to a person until something ends."""
    async with session.with_home_assistant(running, progress) as (api, lawn):
        if wanted.check:
            await Journey(api, lawn, running.board, progress).run()
        else:
            progress.say(INVITATION.format(url=f"{api.url}/{DASHBOARD}/lawn", logs=running.processes.logs))
            raise DemoError(await running.processes.first_end())


async def until_stopped(wanted: argparse.Namespace, progress: Progress) -> bool:
    """Run the demo; a request to end (Ctrl-C, a closed terminal, SIGTERM) ends it in order. Returns whether it was stopped."""
    task = asyncio.create_task(demo(wanted, progress))
    stopped = False

    def stop() -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            progress.say("ending everything")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return stopped


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    wanted = parse(arguments)
    progress = Progress(quiet=wanted.json)
    exit_code, problem = 0, ""
    try:
        if asyncio.run(until_stopped(wanted, progress)) and wanted.check:
            exit_code, problem = 1, "stopped before all steps were done"
    except DemoError as error:
        exit_code, problem = error.exit_code, str(error)
    progress.finish(exit_code, problem)
    if problem and not wanted.json:
        print(f"demo: {problem}", file=sys.stderr)
    return exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
