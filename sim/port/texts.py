"""Stand-in for `json`, which the port has in C: CPython's own looks for its encoder anew for each value of a message, an eighth of a board's day.

Rule: the same texts as CPython's, and the same errors.
"""

import json
import json.encoder
import sys
from collections.abc import Callable
from typing import Any

_TEXTS: dict[type, Callable[[Any], str]] = {  # each is called with its own kind alone
    int: int.__repr__,
    str: json.encoder.encode_basestring_ascii,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
}
_WRITER = "sprinkler.report"  # of the application's modules the one that writes nearly all


class JsonModule:
    """Stands in for `json`."""

    __slots__ = ()

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: object) -> str:
        """A value as JSON. Raises TypeError for what JSON has no form for."""
        return _TEXTS.get(value.__class__, json.dumps)(value)


def hand_out() -> None:
    """Give it to the application, once that is loaded: its modules are shared by all boards, and so is this."""
    module = sys.modules.get(_WRITER)
    if module is not None:
        vars(module)["json"] = _SHARED


_SHARED = JsonModule()
