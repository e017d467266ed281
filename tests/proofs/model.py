"""Model: runs the searches and prints what they came to. `python -m tests.proofs.model --help`

Exit codes: 0 every promise that is judged holds, 1 one does not (its story is printed), 2 wrong usage.
"""

import argparse
import gc
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from . import mutants, story
from .fair import Fair
from .nodes import Awake, Result, history
from .scale import scaled
from .search import Search
from .views import LONG_VIEWS, VIEWS, View


@dataclass
class Report:
    """What a view came to."""

    view: View
    result: Result
    roads: int = 0  # states from which the fair roads were followed
    seconds: float = 0.0
    actions: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)


def prove(view: View, *, exact: bool = False) -> Report:
    """Search a view to the fixpoint, then follow the fair road from each of its states."""
    began = time.monotonic()
    with scaled(view.scale), _uncollected():
        search = Search(view.scale, view.adversary, exact=exact)
        report = Report(view, search.explore())
        report.actions = Counter(action[0] for _, actions in search.shipped.steps() for action in actions)
        if report.result.broken:
            report.story = story.tell(report.result)
        else:
            _follow_roads(report, search)
    report.seconds = time.monotonic() - began
    return report


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: millions of tuples stay, none of them in a ring, and to look through them again and again takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def prove_apart(view: View, mutant: str | None = None, *, exact: bool = False) -> Report:
    """`prove` for another process: with a mutant's mistake, and without the nodes, which are too many to be sent back."""
    with mutants.applied(mutant):
        report = prove(view, exact=exact)
    report.result.nodes = {}
    return report


def prove_all(
    views: Iterable[View], jobs: int | None = None, *, mutant: str | None = None, exact: bool = False
) -> Iterator[Report]:
    """Prove views in `jobs` processes (as many as there are processors); the reports come in the order of the views."""
    with ProcessPoolExecutor(jobs or os.process_cpu_count(), max_tasks_per_child=4) as pool:
        begun = [pool.submit(prove_apart, view, mutant, exact=exact) for view in views]
        for each in begun:
            yield each.result()


def _follow_roads(report: Report, search: Search) -> None:
    result = report.result
    fair = Fair(search.shipped, report.view.adversary.owed)
    broken = fair.judge(result.nodes)
    report.roads = fair.spots
    if broken:
        result.broken, spot, road = broken
        start = next(
            node for node in result.nodes if isinstance(node, Awake) and (node.mind, node.world.valves) == spot
        )
        result.history = history(result.nodes, start)
        report.story = [*story.tell(result)[:-1], *story.road(road), f"  => {result.broken}"]


def line(report: Report) -> str:
    """One row of the table."""
    result, scale, adversary = report.result, report.view.scale, report.view.adversary
    owed = f"  owed: {', '.join(adversary.owed)}" if adversary.owed else ""
    bound = f"{result.longest:>2} of {scale.bound}"
    figures = f"{result.states:>9} {result.transitions:>11} {result.depth:>5} {report.roads:>7} {bound:>8} {report.seconds:>6.1f}"
    return f"{report.view.name:<20} {scale.zones:>5} {figures}  {result.broken or 'holds'}{owed}"


HEAD = f"{'view':<20} {'zones':>5} {'states':>9} {'transitions':>11} {'depth':>5} {'roads':>7} {'overrun':>8} {'s':>6}"


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.model", description="Search every history of the shipped core."
    )
    parser.add_argument(
        "--long", action="store_true", help="the long form too: wider scales, more at once (some minutes)"
    )
    parser.add_argument("--zones", type=int, choices=(1, 2), help="only views of boards with so many zones")
    parser.add_argument("--view", help="only this view")
    parser.add_argument("--exact", action="store_true", help="take no two states of the core for one (larger)")
    parser.add_argument(
        "--owed", action="store_true", help="judge the promises that are owed as well, and print their stories"
    )
    parser.add_argument("--mutant", choices=sorted(mutants.BY_NAME), help="spoil the core first: the search must fail")
    parser.add_argument("--jobs", type=int, help="processes (as many as there are processors)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--list", action="store_true", help="list views and mutants")
    return parser.parse_args(arguments)


def _chosen(options: argparse.Namespace) -> list[View]:
    views = [*VIEWS, *(LONG_VIEWS if options.long or options.view else ())]
    if options.mutant:
        views = [view for view in views if view.name == mutants.BY_NAME[options.mutant].view]
    views = [view for view in views if options.view in (None, view.name) and options.zones in (None, view.scale.zones)]
    if options.owed:
        views = [replace(view, adversary=replace(view.adversary, owed=())) for view in views]
    return views


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and a story for each promise that does not hold."""
    options = _arguments(arguments)
    if options.list:
        for view in (*VIEWS, *LONG_VIEWS):
            print(f"view    {view.name:<20} {view.what}")
        for mutant in mutants.MUTANTS:
            print(f"mutant  {mutant.name:<32} caught in view {mutant.view!r} by {mutant.promise}")
        return 0
    views = _chosen(options)
    if not views:
        print("no such view: --list names them", file=sys.stderr)
        return 2
    began = time.monotonic()
    reports = []
    if not options.json:
        print(HEAD, flush=True)
    for report in prove_all(views, options.jobs, mutant=options.mutant, exact=options.exact):
        reports.append(report)
        if not options.json:
            print("\n".join([line(report), *report.story]), flush=True)
    _print_sum(reports, time.monotonic() - began, as_json=options.json)
    return int(any(report.result.broken for report in reports))


def _print_sum(reports: Sequence[Report], seconds: float, *, as_json: bool) -> None:
    states, transitions = (sum(getattr(r.result, what) for r in reports) for what in ("states", "transitions"))
    depth = max(report.result.depth for report in reports)
    if as_json:
        total = {"states": states, "transitions": transitions, "depth": depth, "seconds": round(seconds, 1)}
        print(json.dumps({"views": [figures(report) for report in reports], **total}))
        return
    print(
        f"{states} states, {transitions} transitions, depth {depth}, {seconds:.0f} s; "
        "a run is open for its grant, the watchdog's time and one turn at most"
    )


def figures(report: Report) -> dict[str, Any]:
    """The row of the table for a program. `overrun` and `bound` in ticks; `broken` is "" when every promise holds."""
    result, scale = report.result, report.view.scale
    return {
        "name": report.view.name,
        "zones": scale.zones,
        "states": result.states,
        "transitions": result.transitions,
        "depth": result.depth,
        "roads": report.roads,
        "overrun": result.longest,
        "bound": scale.bound,
        "seconds": round(report.seconds, 1),
        "broken": result.broken,
        "story": report.story,
    }


if __name__ == "__main__":
    sys.exit(main())
