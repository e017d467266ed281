"""./check: runs the repository's checks by sections, and says what passed, what failed, and what was skipped and why.

Exit codes: 0 all green, 1 something failed or was not there to run, 2 wrong usage.
"""

import argparse
import concurrent.futures
import json
import sys
import time
from collections.abc import Iterator, Sequence

from tools.sections import LOGS, ROOT, SECTIONS, Outcome, Section, run_section

BY_NAME = {section.name: section for section in SECTIONS}
GROUPS = {"all": SECTIONS, "fast": tuple(section for section in SECTIONS if section.fast)}


def run_all(sections: Sequence[Section], extra: Sequence[str]) -> Iterator[Outcome]:
    """Outcomes as they come: two sections at a time, the longest first, and beside them one that mostly waits; those that measure time run by
    themselves, last."""
    by_length = sorted(sections, key=lambda section: -section.minutes)
    with (
        concurrent.futures.ThreadPoolExecutor(max_workers=2) as busy,
        concurrent.futures.ThreadPoolExecutor(max_workers=1) as waiting,
    ):
        together = [
            (waiting if section.waits else busy).submit(run_section, section, extra)
            for section in by_length
            if not section.alone
        ]
        for future in concurrent.futures.as_completed(together):
            yield future.result()
    for section in sections:
        if section.alone:
            yield run_section(section, extra)


def row(outcome: Outcome) -> str:
    """One line of the table."""
    counts = f"{outcome.passed:>6} {outcome.failed:>6} {len(outcome.skipped):>7}"
    return f"{outcome.section.name:<12} {outcome.seconds:>7.1f} {counts}  {outcome.problem}".rstrip()


def print_outcome(outcome: Outcome) -> None:
    """The line of a finished section; what it printed, if that is wanted or needed."""
    print(row(outcome), flush=True)
    if outcome.output and (outcome.section.show or not outcome.green):
        print("".join(f"    {line}\n" for line in outcome.output.splitlines()), flush=True)


def print_summary(outcomes: Sequence[Outcome], seconds: float) -> None:
    """Every skipped test with its reason, red sections by name, and the total on a line by itself."""
    skipped = [(name, reason) for outcome in outcomes for name, reason in outcome.skipped]
    for name, reason in skipped:
        print(f"skipped {name}: {reason}")
    for outcome in outcomes:
        if not outcome.green:
            print(f"red     {outcome.section.name}: {outcome.problem or 'see above, or ' + str(log_of(outcome))}")
    passed, failed = sum(outcome.passed for outcome in outcomes), sum(outcome.failed for outcome in outcomes)
    print(f"{seconds:.1f} s, logs in {LOGS.relative_to(ROOT)}/")
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped", flush=True)


def log_of(outcome: Outcome) -> str:
    """Where the section's whole output lies, from the root."""
    return str((LOGS / f"{outcome.section.name}.log").relative_to(ROOT))


def as_json(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The same for programs."""
    sections = [
        {
            "name": outcome.section.name,
            "green": outcome.green,
            "seconds": round(outcome.seconds, 2),
            "passed": outcome.passed,
            "failed": outcome.failed,
            "skipped": [{"test": name, "reason": reason} for name, reason in outcome.skipped],
            "problem": outcome.problem,
            "log": log_of(outcome),
        }
        for outcome in outcomes
    ]
    return json.dumps(
        {"green": all(outcome.green for outcome in outcomes), "seconds": round(seconds, 2), "sections": sections},
        indent=2,
    )


def chosen(names: Sequence[str]) -> list[Section]:
    """The sections of these names and groups, each once, in the table's order."""
    wanted = {
        section.name for name in names or ["all"] for section in GROUPS.get(name, (BY_NAME.get(name),)) if section
    }
    return [section for section in SECTIONS if section.name in wanted]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what follows -- goes to pytest."""
    parser = argparse.ArgumentParser(
        prog="./check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Sections:\n" + listing() + "\n\nWhat follows -- goes to pytest: ./check core -- -k battery -x",
    )
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help="a section's name, or fast, or all (the default)"
    )
    parser.add_argument("--list", action="store_true", help="list the sections and end")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.sections if name not in BY_NAME and name not in GROUPS]
    if unknown:
        parser.error(f"no section called {', '.join(unknown)}; there are: {', '.join([*BY_NAME, *GROUPS])}")
    return options


def listing() -> str:
    """The sections with what they check; those of fast carry a mark."""
    lines = [f"  {section.name:<12} {'fast' if section.fast else '    '}  {section.what}" for section in SECTIONS]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; returns the exit code."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    options = parse(arguments[:split])
    if options.list:
        print(listing())
        return 0
    LOGS.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    outcomes = []
    if not options.json:
        print(f"{'section':<12} {'seconds':>7} {'passed':>6} {'failed':>6} {'skipped':>7}", flush=True)
    for outcome in run_all(chosen(options.sections), arguments[split + 1 :]):
        outcomes.append(outcome)
        if not options.json:
            print_outcome(outcome)
    seconds = time.monotonic() - began
    if options.json:
        print(as_json(outcomes, seconds))
    else:
        print_summary(outcomes, seconds)
    return 0 if all(outcome.green for outcome in outcomes) else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
