"""What the application asks its deciding core on a day, written down in the simulator, then asked again of the core alone: no store, no MQTT, no port.

Rule: the questions are those of the firmware, with the arguments that they had, and each answer must be the one that was given then.
"""

import sys
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any

from sim.board import SimulatedBoard

CORE, LAYOUT = "sprinkler.core", "sprinkler.core.state"  # the latter only says where a number stands
ROUNDS = 5

type Question = tuple[Callable[..., Any], tuple[Any, ...], Any]


class Listener:
    """While it is entered, `asked` grows by each call that the rest of the firmware makes of the core; what the core asks itself is no call of its own."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self._inside = False
        self._before: list[tuple[object, str, object]] = []

    def __enter__(self) -> Listener:
        for name, module in list(sys.modules.items()):
            if not name.startswith("sprinkler."):
                continue
            for key, value in list(vars(module).items()):
                if isinstance(value, FunctionType) and value.__module__.startswith(CORE) and value.__module__ != LAYOUT:
                    self._before.append((module, key, value))
                    setattr(module, key, self._told(value))
        return self

    def __exit__(self, *_: object) -> None:
        for module, key, value in self._before:
            setattr(module, key, value)

    def _told(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: object) -> object:
            if self._inside:
                return function(*arguments)
            kept = tuple(list(one) if isinstance(one, list) else one for one in arguments)
            self._inside = True
            try:
                answer = function(*arguments)
            finally:
                self._inside = False
            self.asked.append((function, kept, list(answer) if isinstance(answer, list) else answer))
            return answer

        return call


def asked_in_a_day(board: SimulatedBoard) -> list[Question]:
    """What `board` asks its core in the next day; let it live for a day before, so that all modules are loaded."""
    with Listener() as listener:
        board.run_for(86_400)
    return listener.asked


def cpu_ms(asked: list[Question]) -> float:
    """CPU time of asking it all again, the fastest of ROUNDS. Raises AssertionError when an answer is another one now."""
    for function, arguments, answer in asked:
        assert function(*arguments) == answer, f"{function.__qualname__}{arguments} is no pure function"
    best_ms = float("inf")
    for _ in range(ROUNDS):
        began_s = time.process_time()
        for function, arguments, _answer in asked:
            function(*arguments)
        best_ms = min(best_ms, (time.process_time() - began_s) * 1000)
    return best_ms
