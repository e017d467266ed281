"""What a person is told when a board refuses.

Rule: one translated sentence per reason that a person can do something about; the others share one sentence that shows the word.
"""

from homeassistant.exceptions import HomeAssistantError

from . import protocol
from .const import DOMAIN

EXPLAINED = (frozenset(protocol.REASONS) | {"safe_mode"}) - {
    "", "requested", "queued", "reset", "skip_date", "missed", "power_on", "timer", "watchdog", "soft_reset", "adjusted_to_zero",
    "frost", "wet", "season", "skipped", "rain_sensor", "clock_lost", "manual", "checked", "ok", "swapped", "unmetered",
}  # fmt: skip


def refusal_of(reason: str) -> HomeAssistantError:
    """The error that tells a person why the board refused."""
    if reason in EXPLAINED:
        return HomeAssistantError(translation_domain=DOMAIN, translation_key=f"refused_{reason}")
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key="refused", translation_placeholders={"reason": reason or "?"}
    )
