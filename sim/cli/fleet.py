"""`python -m sim fleet`: many boards at once, and how fast they live."""

import argparse
import json
import time
from dataclasses import replace

from sim import fleet
from sim.cli import common, probe
from sim.crew import Crew
from sim.garden import Program
from sim.world import Scenario

SUMMARY = (
    "many boards with the real firmware in virtual time, each with a broker in memory; how fast and how big they are"
)

EXAMPLES = """\
examples:
  python -m sim fleet --boards 50 --days 2              a hundred board-days: 96 wakes and one run of 20 minutes each
  python -m sim fleet --boards 1000 --days 1 --jobs 2 --json
  python -m sim fleet --boards 10 --days 30 --site greensboro --run-time 0
  python -m sim fleet --broker 127.0.0.1:1883 --boards 1000 --wake 1 --for 300
                                                        live boards in real time, as a load for a broker and a network
  python -m sim fleet --boards 10000 --days 7 --scheduler tcp://192.168.1.5:8786

The same seed gives the same log of all messages, byte for byte, however many processes share the work: `log_sha256` is its digest.
bytes_per_board is what the process grew by, divided by the boards in it; board_days_per_s counts all processes, core_board_days_per_s one.
"""


def main(arguments: list[str]) -> int:
    """Run a fleet; the exit code."""
    parser = common.parser("fleet", SUMMARY, EXAMPLES)
    parser.add_argument("--boards", metavar="N", type=int, default=10, help="how many (default %(default)s)")
    parser.add_argument("--days", metavar="D", type=float, default=1.0, help="of virtual time (default %(default)s)")
    common.add_crew(parser)
    parser.add_argument(
        "--run-time", metavar="MIN", type=float, default=20.0, help="of the daily run; 0: none (default %(default)s)"
    )
    parser.add_argument(
        "--wake", metavar="MIN", type=float, default=15.0, help="between two wakes (default %(default)s)"
    )
    live = parser.add_argument_group("live boards on a real broker, in real time")
    live.add_argument(
        "--broker",
        metavar="HOST:PORT",
        default="",
        help="the MQTT broker; anyone must be let in (default: one in memory)",
    )
    live.add_argument(
        "--for", metavar="S", type=float, default=120.0, dest="seconds", help="how long (default %(default)s)"
    )
    common.add_place(parser)
    common.add_output(parser, "weather, keys and noise")
    options = parser.parse_args(arguments)
    crew = common.crew(options)
    scenario = Scenario(
        zones=2,
        seed=options.seed,
        latitude_deg=options.latitude,
        longitude_deg=options.longitude,
        site=options.site,
        year=options.year,
    )
    program = Program(
        run_time_s=common.seconds(options.run_time, "--run-time"),
        wake_interval_s=common.seconds(options.wake, "--wake"),
    )
    if options.broker:
        return _live(options, scenario, program, crew)
    order = fleet.Order(options.boards, options.days, scenario, program, options.seed)
    bar = common.Bar(f"{options.boards} boards")
    with common.Stopper() as stopper, fleet.Stopwatch() as watch:

        def progress(part: float) -> bool:
            bar(part)
            return stopper.asked

        shares = fleet.run(order, crew, progress)
    bar.end()
    found = fleet.summary(order, shares, watch.seconds)
    print(json.dumps(found) if options.json else common.table(found))
    if found["stopped"]:
        return common.INTERRUPTED
    return 1 if found["crashes"] else 0


def _live(options: argparse.Namespace, scenario: Scenario, program: Program, crew: Crew) -> int:
    from sim import crowd  # it needs paho-mqtt

    host, port = probe.address(options.broker)
    probe.check_broker(host, port, "sim-house-probe", "", "")
    scenario = replace(scenario, start_unix_s=time.time())
    whole = crowd.Order(options.boards, options.seconds, host, port, scenario, program, options.seed)
    orders = [
        replace(whole, boards=len(numbers), first=numbers[0]) for numbers in fleet.cut(options.boards, options.jobs)
    ]
    bar = common.Bar(f"{options.boards} live boards")
    with common.Stopper() as stopper:

        def progress(part: float) -> bool:
            bar(part)
            return stopper.asked

        lived = crew.do(crowd.live, orders, progress)
    bar.end()
    found = crowd.summary(whole, lived)
    print(json.dumps(found) if options.json else common.table(found))
    if found["stopped"]:
        return common.INTERRUPTED
    return 1 if found["crashes"] else 0
