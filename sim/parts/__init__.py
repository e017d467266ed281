"""What hangs on the board's pins: parts with physics, wired together by `Bench`.

Rule: a part sees levels, bus bytes and the world's truth; it never sees the firmware, and the firmware never sees it but through pins.
"""

from sim.parts.bench import Bench
from sim.parts.bridge import Pulse

__all__ = ["Bench", "Pulse"]
