"""`python -m sim replay`: one board's life again, step by step."""

import argparse
import json
import sys
from pathlib import Path

from sim import replay
from sim.cli import common
from sim.errors import SettingError

SUMMARY = "one board's life recorded, played again byte for byte, and looked at step by step"

EXAMPLES = """\
examples:
  python -m sim replay --save day.log --seed 3 --days 1     record a day of a board with a daily run
  python -m sim replay day.log                              play it again: the same, byte for byte?
  python -m sim replay day.log --show --only boot,valve     what happened
  python -m sim replay day.log --step --from 2.9            from hour 2.9 on, a line for each Enter
  python -m sim replay --save bad.log --scenario power_cut_while_open --seed 17
                                                            a life of the fault campaign (python -m sim faults)

A recording holds how it was made, so it is played again from that alone. Where firmware or simulator have changed since, the first line that differs is told:
exit code 1.
"""


def _parser() -> argparse.ArgumentParser:
    parser = common.parser("replay", SUMMARY, EXAMPLES)
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="a recording")
    record = parser.add_argument_group("to record")
    record.add_argument("--save", metavar="FILE", type=Path, help="write a recording")
    record.add_argument(
        "--scenario", metavar="NAME", default="", help="of `python -m sim faults --list` (default: a garden)"
    )
    record.add_argument("--days", metavar="D", type=float, default=1.0, help="in a garden (default %(default)s)")
    record.add_argument("--site", metavar="NAME", default="", help="recorded weather of a garden (default: made up)")
    record.add_argument(
        "--run-time", metavar="MIN", type=float, default=20.0, help="of the daily run (default %(default)s)"
    )
    record.add_argument(
        "--wake", metavar="MIN", type=float, default=15.0, help="between two wakes (default %(default)s)"
    )
    look = parser.add_argument_group("to look at")
    look.add_argument("--show", action="store_true", help="print the lines")
    look.add_argument("--step", action="store_true", help="print a line for each Enter; q ends it")
    look.add_argument("--only", metavar="LIST", default="", help="kinds of lines, such as boot,valve,message,fault")
    look.add_argument("--from", metavar="H", type=float, default=0.0, dest="since", help="hours from the start")
    look.add_argument("--until", metavar="H", type=float, default=float("inf"), help="hours from the start")
    common.add_output(parser, "what is recorded")
    return parser


def main(arguments: list[str]) -> int:
    """Record, or play again; the exit code."""
    options = _parser().parse_args(arguments)
    if (options.file is None) == (options.save is None):
        raise SettingError("give a recording to play again, or --save FILE to make one")
    before = replay.load(options.file) if options.file else None
    order = before.order if before else _order(options)
    bar = common.Bar(str(options.file or options.save))
    with common.Stopper() as stopper:

        def progress(part: float) -> bool:
            bar(part)
            return stopper.asked

        found = replay.play(order, progress)
    bar.end()
    if options.save:
        common.write(options.save, lambda path: path.write_text(found.text(), encoding="utf-8"))
    told = _told(options, before, found) | {"stopped": stopper.asked}
    if options.json:
        print(json.dumps(told))
    else:
        _look(options, found)
        print(_words(told, before, found))
    if stopper.asked:
        return common.INTERRUPTED
    return 0 if told["same"] in (True, None) else 1


def _order(options: argparse.Namespace) -> replay.Order:
    return replay.Order(
        options.scenario,
        options.seed,
        options.days,
        options.site,
        common.seconds(options.run_time, "--run-time"),
        common.seconds(options.wake, "--wake"),
    )


def _told(options: argparse.Namespace, before: replay.Recording | None, found: replay.Recording) -> dict[str, object]:
    differs = replay.first_difference(before, found) if before else None
    return {
        "file": str(options.file or options.save),
        "seed": found.order.seed,
        "lines": len(found.lines),
        "log_sha256": found.digest(),
        "same": None if before is None else differs is None,
        "first_difference": differs,
        "same_firmware": None if before is None else before.firmware == found.firmware,
    }


def _words(told: dict[str, object], before: replay.Recording | None, found: replay.Recording) -> str:
    if before is None:
        return f"{told['lines']} lines recorded in {told['file']}, sha256 {told['log_sha256']}"
    if told["same"]:
        return f"the same, byte for byte: {told['lines']} lines, sha256 {told['log_sha256']}"
    at = int(str(told["first_difference"])) - 1
    firmware = "the same firmware" if told["same_firmware"] else "another firmware than the recording's"
    lines = [f"differs from line {at + 1} on, with {firmware}:"]
    for name, one in (("recorded", before), ("now", found)):
        lines.append(f"  {name:9} {one.lines[at] if at < len(one.lines) else '(nothing more)'}")
    return "\n".join(lines)


def _look(options: argparse.Namespace, found: replay.Recording) -> None:
    if not options.show and not options.step:
        return
    kinds = set(filter(None, options.only.split(",")))
    for line in found.lines:
        at, _, words = line.partition(" ")
        hours = int(at) / 3.6e9 if at.isdigit() else 0.0
        if not options.since <= hours <= options.until or (kinds and words.split(" ", 1)[0] not in kinds):
            continue
        print(f"{hours:10.5f} h  {words}")
        if options.step and sys.stdin.readline().strip().lower() == "q":
            return
