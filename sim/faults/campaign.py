"""A campaign: many scenarios times many seeds, and what came of it.

Rule: the lives share nothing, so neither their order nor the number of processes changes a result. Whoever stops half way keeps what is done.
"""

import gc
import hashlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from sim.crew import Crew, Tell
from sim.faults.life import Life, Story
from sim.faults.scenario import Scenario
from sim.faults.script import draw
from sim.faults.verdict import Verdict, judge

CHUNK = 4  # lives that a process takes at a time
DAY_US = 86_400_000_000


class Outcome(NamedTuple):
    """One life: what it was, the verdict, and the digest of its whole event log."""

    name: str
    seed: int
    verdict: Verdict
    log_sha256: str


def story_of(scenario: Scenario, seed: int) -> Story:
    """What a seed makes of a scenario."""
    return Story(scenario, seed, draw(scenario, seed), round(scenario.days * DAY_US))


def live(story: Story, files: dict[str, bytes] | None = None) -> Life:
    """Play a story to its end."""
    life = Life(story, files)
    life.run()
    return life


def outcome(scenario: Scenario, seed: int) -> Outcome:
    """Play one seed of a scenario, and judge it."""
    life = live(story_of(scenario, seed))
    found = Outcome(scenario.name, seed, judge(life), life.truth.digest())
    del life
    gc.collect()  # a life is a knot of objects that only the collector unties
    return found


def _piece(item: tuple[Scenario, range], tell: Tell) -> list[Outcome]:
    """The outcomes of a few seeds; those that are done when a stop is asked for."""
    scenario, seeds = item
    done: list[Outcome] = []
    for seed in seeds:
        done.append(outcome(scenario, seed))
        if tell(len(done) / len(seeds)):
            break
    return done


def run(scenarios: Sequence[Scenario], seeds: range, crew: Crew, progress: Tell) -> list[Outcome]:
    """Play all seeds of all scenarios; those that are done when `progress` says stop. Raises as `Crew.do` does."""
    pieces = [(scenario, seeds[low : low + CHUNK]) for low in range(0, len(seeds), CHUNK) for scenario in scenarios]
    found = crew.do(_piece, pieces, progress)
    return sorted(itertools.chain.from_iterable(found), key=lambda one: (one.name, one.seed))


@dataclass(frozen=True, slots=True)
class Row:
    """A scenario's sums."""

    scenario: Scenario
    outcomes: tuple[Outcome, ...]

    def total(self, name: str) -> float:
        """Sum of one figure of the verdicts."""
        return float(sum(getattr(one.verdict, name) for one in self.outcomes))

    @property
    def failed(self) -> list[int]:
        """Seeds with something wrong."""
        return [one.seed for one in self.outcomes if not one.verdict.good]

    def as_json(self) -> dict[str, object]:
        """For programs: the agreed keys, then more."""
        row: dict[str, object] = {
            "name": self.scenario.name,
            "seeds": len(self.outcomes),
            "hours": round(self.total("hours"), 1),
            "opens_beyond_cap": int(self.total("opens_beyond_cap")),
            "unaccounted_ml": round(self.total("unaccounted_ml")),
            "missed_runs": 0 if self.scenario.forbids_watering else int(self.total("missed_runs")),
            "area": self.scenario.area,
            "forbids_watering": self.scenario.forbids_watering,
            "forbidden_runs": int(self.total("missed_runs")) if self.scenario.forbids_watering else 0,
        }
        for figure in fields(Verdict):
            if figure.name not in row and figure.name != "story":
                row[figure.name] = round(self.total(figure.name))
        row["failed_seeds"] = self.failed
        row["log_sha256"] = hashlib.sha256("".join(one.log_sha256 for one in self.outcomes).encode()).hexdigest()
        return row


def rows(scenarios: Sequence[Scenario], outcomes: Sequence[Outcome]) -> list[Row]:
    """The outcomes by scenario; scenarios without any are left out."""
    found = []
    for scenario in scenarios:
        own = tuple(one for one in outcomes if one.name == scenario.name)
        if own:
            found.append(Row(scenario, own))
    return found


def summary(found: Sequence[Row], began_s: float) -> dict[str, object]:
    """What all came to."""
    figures = [row.as_json() for row in found]
    names = (
        "seeds",
        "hours",
        "opens",
        "opens_beyond_cap",
        "unaccounted_ml",
        "starts",
        "missed_runs",
        "untold_runs",
        "short_runs",
        "crashes",
        "metered_ml",
    )
    total = {name: round(sum(float(str(row[name])) for row in figures), 1) for name in names}
    counted = sum(row.total("starts") for row in found if not row.scenario.forbids_watering)
    return {
        "scenarios": figures,
        "total": total,
        "missed_pct": round(100 * total["missed_runs"] / counted, 3) if counted else 0.0,
        "good": not any(row.failed for row in found),
        "seconds": round(time.monotonic() - began_s, 1),
    }
