"""`python -m sim faults`: the fault campaign."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from sim.cli import common
from sim.crew import Crew
from sim.errors import SettingError
from sim.faults import campaign, scenario
from sim.faults.life import Life, Story
from sim.faults.shrink import Shrinker, as_toml
from sim.faults.verdict import Verdict, judge

SUMMARY = "the shipped firmware in scenarios of trouble, judged by the water that really ran; shrinks a life that went wrong to a short story"

EXAMPLES = """\
examples:
  python -m sim faults                                  all scenarios, one seed each
  python -m sim faults --seeds 100 --jobs 8 --html faults.html
  python -m sim faults --scenario power_cut_while_open --seed 17
                                                        one life, told: what was done to it, what it did, the verdict
  python -m sim faults --scenario power_cut_while_open --seed 17 --shrink --save story.toml
  python -m sim faults --scenario story.toml --seed 17  the shrunk one again
  python -m sim faults --list                           the scenarios and what happens in them

What the figures mean, and how to write a scenario: docs/faults.md. Exit code 1: a life went wrong; 130 keeps and shows what was done.
"""
HEAD = f"{'scenario':38} {'seeds':>5} {'hours':>8} {'openings':>8} {'beyond':>6} {'unaccounted':>11} {'starts':>6} {'missed':>6} {'untold':>6} {'short':>5}"


def _parser() -> argparse.ArgumentParser:
    parser = common.parser("faults", SUMMARY, EXAMPLES)
    parser.add_argument(
        "--seeds", metavar="N", type=int, default=1, help="lives of each scenario (default %(default)s)"
    )
    parser.add_argument(
        "--scenario", metavar="NAME", action="append", help="only this one, a name or a .toml file; may be given again"
    )
    parser.add_argument("--area", choices=scenario.AREAS, help="only scenarios of this area")
    parser.add_argument(
        "--shrink", action="store_true", help="shrink one life that goes wrong (with --scenario and --seed)"
    )
    parser.add_argument("--save", metavar="FILE", type=Path, help="write the shrunk story as a scenario")
    parser.add_argument("--log", metavar="FILE", type=Path, help="write the whole event log of one life")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write a report with pictures")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and end")
    common.add_crew(parser)
    common.add_output(parser, "the first life")
    return parser


def _chosen(options: argparse.Namespace) -> list[scenario.Scenario]:
    found = [scenario.load(name) for name in options.scenario or scenario.names()]
    found = [one for one in found if options.area in (None, one.area)]
    if not found:
        raise SettingError(f"no scenario of the area '{options.area}' among those named")
    if len({one.name for one in found}) < len(found):
        raise SettingError("a scenario is named twice")
    return found


def line(row: campaign.Row) -> str:
    """One scenario's line of the table."""
    figures = row.as_json()
    missed = f"({figures['forbidden_runs']})" if row.scenario.forbids_watering else str(figures["missed_runs"])
    unaccounted = f"{figures['unaccounted_ml']} ml"
    mark = f"  seed {', '.join(map(str, row.failed[:5]))}" if row.failed else ""
    return (
        f"{row.scenario.name:38} {figures['seeds']:>5} {figures['hours']:>8} {figures['opens']:>8} {figures['opens_beyond_cap']:>6}"
        f" {unaccounted:>11} {figures['starts']:>6} {missed:>6} {figures['untold_runs']:>6} {figures['short_runs']:>5}{mark}"
    )


def _table(found: Sequence[campaign.Row], summary: dict[str, object]) -> None:
    print(HEAD)
    for row in found:
        print(line(row))
    total = summary["total"]
    assert isinstance(total, dict)
    print(
        f"\n{total['seeds']:.0f} lives, {total['hours']:.0f} h in {summary['seconds']} s; {total['opens']:.0f} openings, "
        f"{total['opens_beyond_cap']:.0f} beyond the cap; {total['metered_ml'] / 1000:.0f} l, {total['unaccounted_ml']:.0f} ml unaccounted for; "
        f"{total['starts']:.0f} starts, {total['missed_runs']:.0f} missed ({summary['missed_pct']} %), {total['untold_runs']:.0f} untold, "
        f"{total['crashes']:.0f} crashes"
    )
    forbidden = [row.scenario.name for row in found if row.scenario.forbids_watering]
    if forbidden:
        print(f"missed in brackets are not counted, because the cause must forbid watering: {', '.join(forbidden)}")
        print("untold are those of them of which nothing says why")
    for row in found:
        for one in [one for one in row.outcomes if not one.verdict.good][:3]:
            print(f"\n{row.scenario.name}, seed {one.seed}:")
            print("".join(f"  {words}\n" for words in one.verdict.story[:4]), end="")
            print(f"  shrink it: python -m sim faults --scenario {row.scenario.name} --seed {one.seed} --shrink")


def _tell(life: Life, verdict: Verdict) -> None:
    """A life as a story: deeds, what the hardware did, the verdict."""
    print(f"{life.story.scenario.name}, seed {life.story.seed}: {life.story.scenario.story}")
    print(f"\n{len(life.story.deeds)} deeds in {life.story.until_us / 3.6e9:.1f} h:")
    print("".join(f"  {deed.words()}\n" for deed in life.story.deeds))
    told = [one for one in life.truth.lines if one.split(" ", 2)[1] in ("fault", "over", "valve", "boot", "power")]
    shown = told if len(told) <= 80 else [*told[:50], f"... {len(told) - 75} lines (--log FILE has all)", *told[-25:]]
    for one in shown:
        at, _, words = one.partition(" ")
        print(f"  {int(at) / 3.6e9:9.4f} h  {words}" if at.isdigit() else f"  {one}")
    print("\n" + ("nothing went wrong" if verdict.good else "\n".join(verdict.story)))


def _one(chosen: scenario.Scenario, options: argparse.Namespace) -> int:
    """One life, told; shrunk if that is wanted."""
    story = campaign.story_of(chosen, options.seed)
    if options.shrink:
        story = _shrink(story)
    life = campaign.live(story)
    verdict = judge(life)
    if options.log:
        common.write(options.log, lambda path: path.write_text("\n".join(life.truth.lines) + "\n", encoding="utf-8"))
    if options.save:
        common.write(options.save, lambda path: path.write_text(as_toml(story), encoding="utf-8"))
    if options.json:
        one = campaign.Outcome(chosen.name, options.seed, verdict, life.truth.digest())
        print(json.dumps(campaign.summary([campaign.Row(chosen, (one,))], time.monotonic()) | {"story": verdict.story}))
    else:
        _tell(life, verdict)
    return 0 if verdict.good else 1


def _shrink(story: Story) -> Story:
    bar = common.Bar("shrinking")
    shrinker = Shrinker(
        story,
        lambda tries, smaller: bar(0.0, f"{tries} lives: {len(smaller.deeds)} deeds, {smaller.until_us / 3.6e9:.1f} h"),
    )
    smaller = shrinker.run()
    bar.end()
    return smaller


def main(arguments: list[str]) -> int:
    """Run the campaign, or one life; the exit code."""
    options = _parser().parse_args(arguments)
    if not 1 <= options.seeds <= 1_000_000:
        raise SettingError(f"--seeds must be 1 to 1000000, not {options.seeds}")
    crew = common.crew(options)
    chosen = _chosen(options)
    if options.list:
        for one in chosen:
            print(f"{one.name:38} {one.area:8} {one.story}")
        return 0
    single = len(chosen) == 1 and options.seeds == 1
    if (options.shrink or options.save or options.log) and not single:
        raise SettingError("--shrink, --save and --log are for one life: name one --scenario and its --seed")
    if single and not options.html:
        return _one(chosen[0], options)
    return _many(chosen, options, crew)


def _many(chosen: list[scenario.Scenario], options: argparse.Namespace, crew: Crew) -> int:
    began_s = time.monotonic()
    bar = common.Bar(f"{len(chosen)} scenarios")
    with common.Stopper() as stopper:

        def progress(part: float) -> bool:
            bar(part)
            return stopper.asked

        seeds = range(options.seed, options.seed + options.seeds)
        outcomes = campaign.run(chosen, seeds, crew, progress)
    bar.end()
    found = campaign.rows(chosen, outcomes)
    summary = campaign.summary(found, began_s) | {"stopped": stopper.asked}
    if options.html:
        from sim.faults.report import page

        common.write(options.html, lambda path: path.write_text(page(found, summary), encoding="utf-8"))
    if options.json:
        print(json.dumps(summary))
    else:
        _table(found, summary)
    if stopper.asked:
        return common.INTERRUPTED
    return 0 if summary["good"] else 1
