"""Stands in for the voice pipeline's noise filter, which the page's loading waits for and the demo never uses."""


class AudioProcessor:
    """Filters nothing."""

    def __init__(self, *settings: float) -> None:
        """Take the settings of the real one."""
