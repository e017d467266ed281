"""Spreads work over processes: this machine's cores, or the workers of a Dask cluster (the extra `cluster`).

Rule: work is a function of a module and its items, so the results depend on the items alone, whoever does them. They come back in the order of the items.
What a killed process had in hand is done again by another; nobody who was asked to stop throws away what is done. It must not know what the work is.
"""

import multiprocessing
import signal
import time
from collections.abc import Callable, MutableSequence, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.errors import SettingError, SimError, UnreachableError

if TYPE_CHECKING:
    from distributed import Client

ATTEMPTS = 3  # an item whose process was killed so often is at fault itself: it wants more memory than there is
LOOK_S = 0.2
CONNECT_S = 10

type Tell = Callable[
    [float], bool
]  # the work tells the part of its item that is done; True: stop there and return what there is
type Work[Item, Result] = Callable[[Item, Tell], Result]


@dataclass(frozen=True, slots=True)
class Crew:
    """Who does the work: `jobs` processes of this machine, or the cluster whose scheduler listens at `scheduler` (such as tcp://192.168.1.5:8786)."""

    jobs: int = 1
    scheduler: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.jobs <= 256:
            raise SettingError(f"--jobs must be 1 to 256, not {self.jobs}")

    def do[Item, Result](self, work: Work[Item, Result], items: Sequence[Item], progress: Tell) -> list[Result]:
        """The results of all items, or, once `progress` says to stop, of those that are done or were begun (in their order).

        Raises SimError when an item's process is killed again and again, UnreachableError when there is no such cluster; what the work raises comes through.
        """
        if self.scheduler:
            return _on_cluster(self.scheduler, work, items, progress)
        if self.jobs == 1 or len(items) == 1:
            return _here(work, items, progress)
        return _Pool(self.jobs, work, items, progress).run()


def _here[Item, Result](work: Work[Item, Result], items: Sequence[Item], progress: Tell) -> list[Result]:
    results: list[Result] = []
    stopped = False
    for item in items:

        def tell(part: float) -> bool:
            nonlocal stopped
            stopped = progress((len(results) + part) / len(items)) or stopped
            return stopped

        results.append(work(item, tell))
        if stopped or progress(len(results) / len(items)):
            break
    return results


# --- the cores of this machine

_stopped = False  # in a process of the pool
_parts: MutableSequence[float] | None = None  # likewise: how far each item is; shared by all


def _begin(parts: MutableSequence[float]) -> None:
    global _parts  # noqa: PLW0603 - the process's own

    def stop(*_: object) -> None:
        global _stopped  # noqa: PLW0603 - the process's own
        _stopped = True

    _parts = parts
    signal.signal(signal.SIGINT, stop)  # Ctrl-C reaches all of them


def _one[Item, Result](work: Work[Item, Result], item: Item, index: int) -> tuple[Result] | None:
    """The result, or None for an item that was not begun before everybody was asked to stop."""

    def tell(part: float) -> bool:
        if _parts is not None:
            _parts[index] = part
        return _stopped

    return None if _stopped else (work(item, tell),)


class _Pool[Item, Result]:
    """Processes of this machine. When one is killed, all are started anew and do what is not done."""

    def __init__(self, jobs: int, work: Work[Item, Result], items: Sequence[Item], progress: Tell) -> None:
        self._jobs, self._work, self._items, self._progress = jobs, work, items, progress
        self._parts = multiprocessing.Array("d", len(items), lock=False)
        self._done: dict[int, tuple[Result] | None] = {}

    def run(self) -> list[Result]:
        for _ in range(ATTEMPTS):
            if self._try():
                return [found[0] for _, found in sorted(self._done.items()) if found is not None]
        raise SimError(
            "a process was killed again and again, perhaps for want of memory: ask for less, or for fewer --jobs"
        )

    def _try(self) -> bool:
        """Do what is not done; False when a process was killed meanwhile."""
        left = [index for index in range(len(self._items)) if index not in self._done]
        with ProcessPoolExecutor(min(self._jobs, len(left)), initializer=_begin, initargs=(self._parts,)) as pool:
            try:
                futures = {pool.submit(_one, self._work, self._items[index], index): index for index in left}
                self._gather(futures)
            except BrokenProcessPool:
                return False
        return True

    def _gather(self, futures: dict[Future[Any], int]) -> None:
        while futures:
            time.sleep(LOOK_S)
            for future in [future for future in futures if future.done()]:
                index = futures.pop(future)
                self._done[index] = future.result()
                self._parts[index] = 1.0
            if self._progress(sum(self._parts[:]) / len(self._items)):
                for future in [future for future in futures if future.cancel()]:
                    del futures[future]


# --- a cluster


def _on_cluster[Item, Result](
    address: str, work: Work[Item, Result], items: Sequence[Item], progress: Tell
) -> list[Result]:
    client = _client(address)
    try:
        futures = [
            client.submit(_remote, work, item, key=f"sim-{id(items)}-{index}", pure=False)
            for index, item in enumerate(items)
        ]
        while any(future.status == "pending" for future in futures):
            time.sleep(LOOK_S)
            done = sum(future.status != "pending" for future in futures)
            if progress(done / len(items)):
                client.cancel([future for future in futures if future.status == "pending"])
                break
        return [result for future in futures if future.status in ("finished", "error") for result in (future.result(),)]
    finally:
        client.close()


def _remote[Item, Result](work: Work[Item, Result], item: Item) -> Result:
    return work(item, lambda _: False)


def _client(address: str) -> Client:
    try:
        from distributed import Client
    except ImportError:
        raise SettingError("--scheduler needs Dask: install the extra `cluster` (pip install distributed)") from None
    try:
        return Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"no Dask scheduler answers at {address}: is it running, and is the address right?"
        ) from error
