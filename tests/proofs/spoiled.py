"""Spoiled: all mutants of the firmware and what catches each. `python -m tests.proofs.spoiled --help`

Those of the core and its books are caught by the model search (mutants.py). The ones here are in closer, drivers, store, inbox and acknowledgements; each is
put in, in a process of its own, and a scene, a crash, a power cut or a named test of the firmware must then fail.

Exit codes: 0 every mutant is caught, 1 one is not, 2 wrong usage.
"""

import argparse
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import sim.provision
from sim.parts.bench import ENABLE, OPEN
from sim.port import SOFT_WDT_RESET, Port
from sprinkler import backlog, commands, inbox, recall, segments, store

from . import model, mutants, powercut
from .aftermath import Witness, confirmed, judge, whole
from .mutants import Patch
from .scenes import BY_NAME
from .views import VIEWS

GRANTED_AT = 8 + 7  # of RTC memory: the higher byte of a run's granted seconds, behind the closer's record
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Spoiled:
    """A mistake: where it is, what catches it, and how it is put in."""

    name: str
    where: str
    catcher: Catcher
    patches: Callable[[], list[Patch]]


class Catcher:
    """Something that must fail. `look` gives the words with which it does, "" when it does not."""

    name: str

    def look(self) -> str:
        """Run it."""
        raise NotImplementedError


class Scene(Catcher):
    """A scene to its end; `dies`: by the watchdog, in the middle of an opening pulse or while the water runs."""

    def __init__(self, scene: str, dies: str = "") -> None:
        self.scene, self.dies = BY_NAME[scene], dies
        self.name = f"scene {scene}" + (f", reset {dies}" if dies else "")
        self._over = False

    def look(self) -> str:
        rig = self.scene.prepare()
        witness = Witness(rig)
        if self.dies:
            self._arm(rig)
        self.scene.act(rig)
        sure = confirmed(rig)
        broken = list(judge(rig, self.scene, int(self._over), int(self._over)))
        broken += [*whole(rig.board.chip.flash.files, self.scene, rig, sure), *witness.broken]
        return broken[0] if broken else ""

    def _arm(self, rig: Any) -> None:
        before = rig.board.on_boot

        def at_call(call: str) -> None:
            pins = rig.board.bench._outputs
            pulsing = bool(pins[OPEN] and pins[ENABLE])
            if not self._over and call == "wait" and (pulsing if self.dies == "in a pulse" else rig.open_zones()):
                self._over = True
                if self.dies == "with RTC memory spoiled":
                    spoiled = bytearray(rig.board.chip.rtc_memory)
                    spoiled[GRANTED_AT] |= 0x20  # some two hours more
                    rig.board.chip.rtc_memory = bytes(spoiled)
                rig.board.reset_now(SOFT_WDT_RESET)

        def boots(port: Port) -> None:
            port.session.on_call = at_call
            if before is not None:
                before(port)

        rig.board.on_boot = boots
        if rig.board.session is not None:
            rig.board.session.on_call = at_call


class Cuts(Catcher):
    """Power cuts of one round of a life."""

    name = "power cuts"

    def look(self) -> str:
        tally = powercut.cut_life(1, 1, (1.0,), 1, (0, 2))
        return tally.broken[0] if tally.broken else ""


class Tests(Catcher):
    """Tests of the firmware, by file and words of their names."""

    def __init__(self, file: str, words: str = "") -> None:
        self.file, self.words = file, words
        self.name = f"tests/firmware/{file}"

    def look(self) -> str:
        said = io.StringIO()
        selected = ["-k", self.words] if self.words else []
        with redirect_stdout(said):
            pytest.main(["-x", "-q", "-p", "no:cacheprovider", str(ROOT / self.name), *selected])
        failed = re.search(r"FAILED \S+::(\S+)", said.getvalue())
        return failed.group(1) if failed else ""


# --- the mistakes


def _closer(*changes: tuple[str, str]) -> Callable[[], list[Patch]]:
    """The closer on the board's flash, with these texts replaced."""

    def patches() -> list[Patch]:
        files = dict(sim.provision.firmware_files())
        text = files["/closer.py"].decode()
        for old, new in changes:
            if text.count(old) != 1:
                raise ValueError(f"closer.py has {text.count(old)} times: {old}")
            text = text.replace(old, new)
        files["/closer.py"] = text.encode()
        return [(sim.provision, "firmware_files", lambda: files)]

    return patches


def _settings_not_kept_twice() -> list[Patch]:
    def set_in_place(board: Any, new: str, path: str) -> None:
        if store.read_file(board, path) is not None:
            board.os.remove(path)
        board.os.rename(new, path)

    return [(store, "set_in_place", set_in_place), (inbox, "set_in_place", set_in_place)]


def _segments_in_place() -> list[Patch]:
    def write(board: Any, path: str, head: Any, parts: Any) -> None:
        parts = list(parts)
        with suppress(OSError):
            board.os.mkdir(segments.FOLDER)
        data = backlog.struct.pack(segments.HEAD, *head) + b"".join(parts)
        with board.open_file(path, "wb") as f:
            f.write(data[:40])
        with board.open_file(path, "wb") as f:
            f.write(data + backlog.hashlib.sha256(data).digest()[:4])

    return [(backlog, "_write", write)]


def _checksums_ignored() -> list[Patch]:
    unsealed = lambda data: data[:-4] if len(data) > 4 else None  # noqa: E731
    return [(store, "unsealed", unsealed), (recall, "unsealed", unsealed)]


def _counter_not_compared() -> list[Patch]:
    def judged(app: Any, command: Any, retained: bool) -> None:
        before, app.memory.counter = app.memory.counter, 0
        try:
            shipped(app, command, retained)
        finally:
            app.memory.counter = max(before, app.memory.counter)

    shipped = commands._judge
    return [(commands, "_judge", judged)]


def _counter_forgotten() -> list[Patch]:
    def unpack(memory: Any, data: bytes) -> None:
        shipped(memory, data)
        memory.counter = 0

    shipped = recall.unpack_ledger
    return [(recall, "unpack_ledger", unpack)]


def _retained_commands() -> list[Patch]:
    def judged(app: Any, command: Any, retained: bool) -> None:
        shipped(app, command, False)

    shipped = commands._judge
    return [(commands, "_judge", judged)]


def _ack_frees(which: Callable[..., tuple[int, int, int]]) -> Callable[[], list[Patch]]:
    """`which` turns (memory, boot id, event, sample) into what is freed instead."""

    def patches() -> list[Patch]:
        shipped = backlog.free
        return [(backlog, "free", lambda memory, board, *acked: shipped(memory, board, *which(memory, *acked)))]

    return patches


def _anyone_may_speak() -> list[Patch]:
    def verify(key: bytes, topic: str, payload: Any) -> int:
        return bytes(payload).find(b"\n") if b"\n" in bytes(payload) else len(payload)

    return [(inbox, "verify", verify)]


def _expired_commands() -> list[Patch]:
    def judged(app: Any, command: Any, retained: bool) -> None:
        shipped(app, {**command, "expires_at": app.clock.unix(app.clock.now_s()) + 60}, retained)

    shipped = commands._judge
    return [(commands, "_judge", judged)]


SPOILED = (
    Spoiled("only the first zone is closed", "closer", Scene("boot"),
            _closer(("for zone in range(1, zone_count(config) + 1):", "for zone in range(1, 2):"))),
    Spoiled("pins are cleared only in `finally`", "closer", Scene("hand", "in a pulse"),
            _closer(("machine.Pin(n, out, value=0)", "machine.Pin(n, out, value=machine.Pin(n)())"))),
    Spoiled("no pulse has a length", "closer", Scene("hand"),
            _closer(("            time.sleep_ms(width_ms)\n", "            pass\n"))),
    Spoiled("boot closes only after a power-on", "closer", Scene("hand", "while it runs"),
            _closer(("    failed = close_all(", "    failed = [] if cause != machine.PWRON_RESET else close_all("))),
    Spoiled("the mark of a sleep counts for ever, whatever woke it", "closer", Scene("woken", "while it runs"),
            _closer(("if mark == SLEPT_CLOSED and cause == machine.DEEPSLEEP_RESET:", "if mark == SLEPT_CLOSED:"),
                    ("        rtc.memory(record(0, 0) + rest)  # the mark", "        pass  # the mark"))),
    Spoiled("the polarity is not asked for", "closer", Scene("swapped"),
            _closer(('bool(getattr(config, "SWAPPED", 0))', "False"))),
    Spoiled("settings are not kept twice", "store", Cuts(), _settings_not_kept_twice),
    Spoiled("segments are written in place", "backlog", Cuts(), _segments_in_place),
    Spoiled("checksums are not looked at", "store", Scene("program", "with RTC memory spoiled"), _checksums_ignored),
    Spoiled("the counter is not compared", "commands", Scene("hand"), _counter_not_compared),
    Spoiled("the counter is forgotten at a reset", "recall", Scene("hand", "while it runs"), _counter_forgotten),
    Spoiled("retained commands are obeyed", "commands", Tests("test_commands.py", "retain"), _retained_commands),
    Spoiled("expired commands are obeyed", "commands", Tests("test_commands.py", "expire"), _expired_commands),
    Spoiled("an ack frees all", "backlog", Tests("test_backlog.py", "an_ack"),
            _ack_frees(lambda memory, boot_id, event, sample: (boot_id, 1 << 30, 1 << 30))),
    Spoiled("an ack of another boot frees this one's", "backlog", Tests("test_backlog.py", "an_ack"),
            _ack_frees(lambda memory, boot_id, event, sample: (memory.boot_id, event, sample))),
    Spoiled("anyone may speak", "inbox", Tests("test_commands.py", "another_key"), _anyone_may_speak),
)  # fmt: skip
BY_NAME_SPOILED = {spoiled.name: spoiled for spoiled in SPOILED}


def caught(spoiled: Spoiled) -> str:
    """What the catcher says with the mistake in; "" when it says nothing. In a copy of this process, which then ends."""
    with tempfile.TemporaryFile("w+") as answer:
        copy = os.fork()
        if not copy:
            with mock.patch("sys.stderr", io.StringIO()):
                answer.write(_look(spoiled))
                answer.flush()
                os._exit(0)
        os.waitpid(copy, 0)
        answer.seek(0)
        return answer.read()


def _look(spoiled: Spoiled) -> str:
    for owner, attribute, value in spoiled.patches():
        setattr(owner, attribute, value)
    try:
        return spoiled.catcher.look()
    except Exception as error:  # noqa: BLE001 - a firmware that falls is caught as well
        return f"{type(error).__name__}: {error}"


def rows(jobs: int, only: str = "", *, model_too: bool = True) -> Iterator[dict[str, str]]:
    """A row for each mutant: name, where, what catches it, and the words with which it did ("": it was missed)."""
    for spoiled in SPOILED:
        if only in ("", spoiled.name):
            words = caught(spoiled)
            yield {"name": spoiled.name, "where": spoiled.where, "catcher": spoiled.catcher.name, "caught": words}
    chosen = [mutant for mutant in mutants.MUTANTS if model_too and only in ("", mutant.name)]
    views = {view.name: view for view in VIEWS}
    with ProcessPoolExecutor(jobs, max_tasks_per_child=8) as pool:
        begun = [pool.submit(model.prove_apart, views[mutant.view], mutant.name) for mutant in chosen]
        for mutant, each in zip(chosen, begun, strict=True):
            broken = each.result().result.broken
            words = broken if broken.startswith(mutant.promise) else ""
            yield {
                "name": mutant.name,
                "where": "core and its books",
                "catcher": f"model, view {mutant.view}",
                "caught": words,
            }


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.spoiled",
        description="Spoil the firmware, one mistake at a time, and see what catches it.",
    )
    names = sorted([*BY_NAME_SPOILED, *mutants.BY_NAME])
    parser.add_argument("--mutant", choices=names, default="", metavar="NAME", help="only this one")
    parser.add_argument("--without-model", action="store_true", help="leave out those that the model search catches")
    parser.add_argument("--jobs", type=int, default=os.process_cpu_count() or 1, help="processes")
    parser.add_argument("--json", action="store_true", help="print them as JSON")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the mutants, with what caught each."""
    options = _arguments(arguments)
    began = time.monotonic()
    found = []
    for row in rows(options.jobs, options.mutant, model_too=not options.without_model):
        found.append(row)
        if not options.json:
            print(
                f"{row['name']:<44} {row['where']:<20} {row['catcher']:<34} {row['caught'][:90] or 'NOT CAUGHT'}",
                flush=True,
            )
    missed = [row["name"] for row in found if not row["caught"]]
    if options.json:
        print(json.dumps({"mutants": found, "caught": len(found) - len(missed), "missed": missed}))
    else:
        print(f"{len(found) - len(missed)} of {len(found)} caught, {time.monotonic() - began:.0f} s")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
