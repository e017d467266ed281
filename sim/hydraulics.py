"""How much water runs: pure functions in ml/s and bar.

Each outlet passes k * sqrt(pressure); the supply line loses pressure with the square of the total flow, so two open zones share. A zone's outlets are its
sprinklers, which a clog narrows, and a burst pipe behind its valve; water of a burst never reaches the lawn.
"""

import math
from collections.abc import Sequence

SUPPLY_BAR = 3.0
LINE_LOSS = 0.1  # part of the supply pressure that one zone's nominal flow loses on the way
NOMINAL_ML_S = 8_000 / 60  # 8 l/min through one open zone
WHEEL_TURNS_ML_S = 300 / 60  # a small turbine meter stands still below about 0.3 l/min


def flows_ml_s(openings: Sequence[float], supply_bar: float = SUPPLY_BAR) -> tuple[float, ...]:
    """Flow of each zone; `openings` holds what each valve lets pass (1 = fully open, 0 = closed, less than 0.1 = a leak, more than 1 = a burst pipe)."""
    total = sum(openings)
    if total <= 0 or supply_bar <= 0:
        return (0.0,) * len(openings)
    nozzle = NOMINAL_ML_S / math.sqrt(SUPPLY_BAR * (1 - LINE_LOSS))
    line = SUPPLY_BAR * LINE_LOSS / (NOMINAL_ML_S * NOMINAL_ML_S)  # bar / (ml/s)^2
    pressure_bar = supply_bar / (1 + line * (nozzle * total) ** 2)
    root = nozzle * math.sqrt(pressure_bar)
    return tuple(root * opening for opening in openings)


def application_rate_mm_h(flow_ml_s: float, area_m2: float) -> float:
    """Depth that a flow puts on a lawn in an hour."""
    return flow_ml_s * 3.6 / area_m2
