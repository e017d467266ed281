"""What is wrong with a sensor: noise, bias, drift. Rule: it turns a true value into a told one, in the true value's unit, and knows no sensor."""

from dataclasses import dataclass
from random import Random


@dataclass(slots=True)
class Flaw:
    """`noise` is a standard deviation, `bias` is there from the start, `drift_a_day` is added every day. A fault injector sets them at any time."""

    noise: float = 0.0
    bias: float = 0.0
    drift_a_day: float = 0.0

    def told(self, true: float, now_us: int, random: Random) -> float:
        """What the sensor tells at true time `now_us` when `true` is so. A sensor without noise draws no random number."""
        told = true + self.bias + self.drift_a_day * now_us / 86_400_000_000
        return told + random.gauss(0.0, self.noise) if self.noise else told
