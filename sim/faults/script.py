"""A script: what happens in one life, drawn from a scenario by a seed, each deed on its own.

Rule: a deed's draws depend on the scenario's name, the seed and its own number alone, so that leaving one out changes no other: that is what shrinking needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from sim.faults.scenario import WHEN, Range, Scenario, Trouble, Value

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Deed:
    """One fault, all drawn. It begins `after_us` after `at_us`, or after the nth time that the board or a valve (`zone`, 0: any) did `when`.

    `for_us` 0: for good.
    """

    kind: str
    values: Mapping[str, Value]
    seed: str
    after_us: int
    for_us: int
    at_us: int = -1
    when: str = ""
    zone: int = 0
    nth: int = 1

    def words(self) -> str:
        """For a person."""
        values = " ".join(f"{key}={value}" for key, value in self.values.items())
        lasts = f" for {self.for_us / 1e6:g} s" if self.for_us else ""
        if self.when:
            begins = f"{self.after_us / 1e6:g} s after the board or valve {self.when} (time {self.nth})"
        else:
            begins = f"at {(self.at_us + self.after_us) / HOUR_US:.3f} h"
        return f"{self.kind} {values}{lasts}, {begins}".replace("  ", " ").replace(" ,", ",")

    def toml(self) -> str:
        """The same as a `[[fault]]` without anything left to draw."""
        rows = ["[[fault]]", f'do = "{self.kind}"']
        if self.when:
            rows += [f'when = "{self.when}"', f"zone_of = {self.zone}", f"nth = {self.nth}"]
        else:
            rows.append(f"at_h = {self.at_us / HOUR_US!r}")
        if self.after_us:
            rows.append(f"after_s = {self.after_us / 1e6!r}")
        if self.for_us:
            rows.append(f"for_s = {self.for_us / 1e6!r}")
        rows.append(f'draws = "{self.seed}"')
        rows += [
            f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value!r}"
            for key, value in self.values.items()
        ]
        return "\n".join(rows) + "\n"


def _draw(found: Range, random: Random) -> Value:
    if isinstance(found[0], str):
        return random.choice(found)
    low, high = found[0], found[-1]
    if low == high:
        return low
    if isinstance(low, int) and isinstance(high, int):
        return random.randint(low, high)
    return round(random.uniform(float(low), float(high)), 6)


def _deed(trouble: Trouble, random: Random, seed: str, turn: int) -> Deed:
    drawn = {key: _draw(found, random) for key, found in trouble.values.items()}
    own = {key: value for key, value in drawn.items() if key not in WHEN and key != "when"}
    return Deed(
        kind=trouble.kind,
        values=own,
        seed=str(drawn.get("draws", seed)),
        after_us=round(float(drawn.get("after_s", 0)) * 1_000_000),
        for_us=round(float(drawn.get("for_s", 0)) * 1_000_000),
        at_us=round(float(drawn["at_h"]) * HOUR_US) if "at_h" in drawn else -1,
        when=str(drawn.get("when", "")),
        zone=int(drawn.get("zone_of", 0)),
        nth=int(drawn.get("nth", 1)) + turn,
    )


def draw(scenario: Scenario, seed: int) -> tuple[Deed, ...]:
    """All deeds of one life. A fault with `times` comes so often: at moments drawn anew, or at so many times in a row that its `when` happens."""
    deeds = []
    for index, trouble in enumerate(scenario.faults):
        times = int(_draw(trouble.values.get("times", (1,)), Random(f"{scenario.name} {seed} {index} times")))
        for turn in range(times):
            own = f"{scenario.name} {seed} {index} {turn}"
            deeds.append(_deed(trouble, Random(own), own, turn))
    return tuple(deeds)
