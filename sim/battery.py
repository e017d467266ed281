"""LiPo cell, solar panel and linear charger: pure functions in volt, ampere, W/m2 and C.

Sources: open-circuit voltages of a LiPo cell in steps of 10 %; the panel is a fit through two points of a 2 W / 6 V panel
(338 mA at 1000 W/m2 and 36 mA at 100 W/m2, both at 4.5 V), lying flat; the charger follows the bq24074 (linear, so what the panel gives at
max(4.5 V, cell + 0.2 V) is what the cell gets). Assumed, not sourced: the internal resistance, 0.15 ohm at 25 C and twice that at 0 C. Nothing here was
measured on a board.
"""

OPEN_CIRCUIT_V = (3.000, 3.640, 3.695, 3.733, 3.762, 3.793, 3.836, 3.909, 3.994, 4.088, 4.200)
INTERNAL_OHM = 0.15  # at ROOM_C
ROOM_C = 25.0
CHARGE_END_V = 4.2
CHARGE_SET_A = 0.5
PANEL_FLOOR_V = 4.5
PANEL_OPEN_V = 6.0
DIES_BELOW_V = 3.0
STARTS_ABOVE_V = 3.3


def internal_ohm(temperature_c: float = ROOM_C) -> float:
    """Resistance of the cell: doubles for every 25 C below room temperature, down to -25 C; above 50 C it falls no further."""
    return float(INTERNAL_OHM * 2.0 ** ((ROOM_C - max(-25.0, min(50.0, temperature_c))) / 25))


def open_circuit_v(charge: float) -> float:
    """Voltage of the resting cell at `charge` (0 empty ... 1 full)."""
    tenths = min(1.0, max(0.0, charge)) * 10
    index = min(9, int(tenths))
    low = OPEN_CIRCUIT_V[index]
    return low + (OPEN_CIRCUIT_V[index + 1] - low) * (tenths - index)


def terminal_v(charge: float, current_a: float, temperature_c: float = ROOM_C) -> float:
    """Voltage at the cell's terminals; `current_a` is positive while charging."""
    return open_circuit_v(charge) + current_a * internal_ohm(temperature_c)


def panel_a(irradiance_w_m2: float, rated_w: float) -> float:
    """Current of the panel held at 4.5 V."""
    current = 0.360e-3 * irradiance_w_m2 - 2.2e-8 * irradiance_w_m2 * irradiance_w_m2
    return max(0.0, current) * rated_w / 2.0


def charger_a(charge: float, available_a: float, load_a: float, temperature_c: float = ROOM_C) -> tuple[float, float]:
    """(current drawn from the panel, current into the cell) while the board draws `load_a`; the load is fed first.

    The cell's current is negative while it feeds the board. It takes at most 0.5 A and, near its end voltage, only what keeps it there.
    """
    into_cell_a = available_a - load_a
    if into_cell_a > 0:
        headroom_a = max(0.0, (CHARGE_END_V - open_circuit_v(charge)) / internal_ohm(temperature_c))
        into_cell_a = min(into_cell_a, CHARGE_SET_A, headroom_a)
    return max(0.0, into_cell_a + load_a), into_cell_a


def panel_v(irradiance_w_m2: float, available_a: float, drawn_a: float) -> float:
    """Voltage of the panel between its floor under full load and its open-circuit voltage in full light."""
    if irradiance_w_m2 < 1:
        return 0.0
    light = min(1.0, irradiance_w_m2 / 50)  # below 50 W/m2 its open-circuit voltage collapses
    used = min(1.0, drawn_a / available_a) if available_a > 0 else 0.0
    return light * (PANEL_OPEN_V - (PANEL_OPEN_V - PANEL_FLOOR_V) * used)
