"""Flow meter: counts pulses, gives millilitres. It must not know which valve the water went through."""

if False:  # for annotations
    from shapes import Pin

    from .board import Board


class FlowMeter:
    """Pulses of a turbine meter. `ul_per_pulse`: microlitres a pulse stands for (YF-S201: 450 pulses/l, 2222)."""

    def __init__(self, board: "Board", ul_per_pulse: int) -> None:
        self._ul_per_pulse = ul_per_pulse
        self.pulses = 0  # not taken yet
        self._rest_ul = 0
        board.on_flow(self._count)

    def _count(self, _pin: "Pin") -> None:
        self.pulses += 1

    def take_ml(self) -> int:
        """Whole millilitres since the last call; the rest is kept."""
        pulses = self.pulses
        self.pulses -= pulses
        ul = self._rest_ul + pulses * self._ul_per_pulse
        self._rest_ul = ul % 1000
        return ul // 1000
