"""Stands in for the voice pipeline's speech detector, which the page's loading waits for and the demo never uses."""


class MicroVad:
    """Hears nothing."""

    def Process10ms(self, audio: bytes) -> float:  # noqa: N802, ARG002  (the package's own name)
        """The probability of speech in ten milliseconds; negative: not enough audio yet."""
        return -1.0
