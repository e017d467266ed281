"""What faults hold changed: an attribute of the simulated world, until the last fault that holds it is over.

Rule: faults of one kind may overlap; none that ends takes another's trouble away, and none leaves any behind.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.faults.fields import Undo

if TYPE_CHECKING:
    from sim.faults.life import Life


def hold(life: Life, owner: Any, name: str, value: Any, change: Callable[[Any], None] | None = None) -> Undo:
    """Set an attribute (by `change`, where more belongs to it); what ends that. Of several faults the latest that still lasts has its value."""
    change = change or (lambda wanted: setattr(owner, name, wanted))
    key = (id(owner), name)
    own, held = life.held.setdefault(key, (getattr(owner, name), []))
    mine = object()
    held.append((mine, value))
    change(value)

    def over() -> None:
        held[:] = [row for row in held if row[0] is not mine]
        change(held[-1][1] if held else own)
        if not held:
            life.held.pop(key, None)

    return over
