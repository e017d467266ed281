"""The sections of ./check: what each runs, what it needs set up first, and how its checks are counted.

It knows nothing of the command line and prints nothing.
"""

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".tools" / "check"
MYPY_HOST = ("-m", "mypy", "sim", "tools", "bench", "ha_integration/custom_components")
MYPY_BOARD = (
    *(
        "-m",
        "mypy",
        "--config-file",
        os.devnull,
        "--cache-dir",
        ".mypy_cache/firmware",
        "--no-site-packages",
        "--custom-typeshed-dir",
        ".tools/typings",
    ),
    # An attribute that starts as None may be anything later.
    *("--disallow-untyped-defs", "--no-strict-optional"),
    "firmware",
)
OURS = ("firmware/", "tools/typings/")
RUFF_LINT = ("-m", "ruff", "check", "--output-format", "concise")
RUFF_FORMAT = ("-m", "ruff", "format", "--check", "--output-format", "concise")


@dataclasses.dataclass(frozen=True)
class Section:
    """One named group of checks. A section of tests is the folder tests/<name>; the others list their commands. `minutes`: about how long it takes, where
    that is long: what takes longest begins first. What mostly `waits` runs beside the others."""

    name: str
    what: str
    setup: tuple[str, ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()
    fast: bool = False
    alone: bool = False
    show: bool = False
    minutes: int = 0
    waits: bool = False


SECTIONS = (
    Section("lint", "ruff: rules and format", commands=(RUFF_LINT, RUFF_FORMAT), fast=True),
    Section("core", "the deciding core: schedule, water, safety, power", fast=True),
    Section("firmware", "drivers, store, MQTT client and app on the stand-in port", setup=("broker",), fast=True),
    Section("contract", "documents, messages, parser, copies, import directions, words", fast=True),
    Section("sim", "the simulator's physics, port and repeatability", fast=True, minutes=2),
    Section(
        "tools",
        "this very check, the demo's plumbing, set-up, locks, and that the measurements run",
        setup=("broker", "micropython", "umqtt", "peers"),
        fast=True,
    ),
    Section(
        "types",
        "mypy: host code; firmware against MicroPython's types",
        setup=("typings",),
        commands=(MYPY_HOST, MYPY_BOARD),
    ),
    Section("ha", "the component in Home Assistant's own harness", setup=("broker", "micropython"), minutes=3),
    Section("proofs", "every history of the shipped core, searched to the fixpoint; spoiled cores must fail"),
    Section(
        "micropython",
        "the whole firmware on a real 32-bit MicroPython; heap per module",
        setup=("micropython", "broker"),
        show=True,
        minutes=8,
    ),
    Section(
        "cable",
        "flashing, settings, upgrades: mpremote at the end of a serial line, the cable pulled at every step",
        setup=("micropython", "broker"),
        show=True,
        minutes=5,
        waits=True,
    ),
    Section(
        "e2e", "broker, Home Assistant, browser and simulated board together", setup=("broker", "browser"), alone=True
    ),
)


@dataclasses.dataclass
class Outcome:
    """What a section came to; `problem` says in one line why it is red when no single check is."""

    section: Section
    passed: int = 0
    failed: int = 0
    skipped: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    output: str = ""
    problem: str = ""

    @property
    def green(self) -> bool:
        """Whether everything in the section held, and there was something in it."""
        return not self.failed and not self.problem


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python at the root, its output in one stream."""
    command, env = [sys.executable, *arguments], {**os.environ, **environment}
    return subprocess.run(
        command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )


def run_commands(outcome: Outcome) -> None:
    """Each command is one check, but mypy's words about files that are not ours do not count."""
    for command in outcome.section.commands:
        firmware = command == MYPY_BOARD
        done = python(*command, **({"MYPYPATH": "firmware:tools/typings:.tools/typings"} if firmware else {}))
        output, red = done.stdout, done.returncode != 0
        if firmware and done.returncode == 1:
            output = "".join(line for line in done.stdout.splitlines(True) if line.startswith(OURS))
            red = ": error:" in output
        outcome.failed += red
        outcome.passed += not red
        if red:
            outcome.output += f"$ python {' '.join(command)}\n{output}\n"


def run_tests(outcome: Outcome, extra: Sequence[str]) -> None:
    """Run pytest on the section's folder and count from its report."""
    folder = ROOT / "tests" / outcome.section.name
    if not any(folder.rglob("test_*.py")):
        outcome.problem = f"no tests in tests/{outcome.section.name}"
        return
    report = LOGS / f"{outcome.section.name}.xml"
    report.unlink(missing_ok=True)
    done = python("-m", "pytest", "-q", "--durations=5", f"--junitxml={report}", str(folder.relative_to(ROOT)), *extra)
    outcome.output = done.stdout
    if report.exists():
        count_report(outcome, report)
    if done.returncode and not outcome.failed:
        outcome.problem = "no test was selected" if done.returncode == 5 else f"pytest ended with {done.returncode}"


def count_report(outcome: Outcome, report: Path) -> None:
    """Add up a JUnit report. A test that failed and whose clean-up failed too is one failure."""
    seen: dict[str, str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}".lstrip(":")
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            seen[name] = "failed"
        elif skip is not None:
            seen.setdefault(name, "skipped")
            outcome.skipped.append((name, skip.get("message") or "no reason given"))
        else:
            seen.setdefault(name, "passed")
    outcome.passed = sum(state == "passed" for state in seen.values())
    outcome.failed = sum(state == "failed" for state in seen.values())


def set_up(section: Section) -> str:
    """Make the section's tools ready; returns the reason why not, or nothing."""
    if not section.setup:
        return ""
    done = subprocess.run(
        ["sh", "tools/setup.sh", *section.setup], cwd=ROOT, text=True, stderr=subprocess.PIPE, check=False
    )
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines() or [f"tools/setup.sh ended with {done.returncode}"]
    return lines[-1]


def run_section(section: Section, extra: Sequence[str]) -> Outcome:
    """Run one section from set-up to counts. Set-up is not in its seconds."""
    outcome = Outcome(section, problem=set_up(section))
    began = time.monotonic()
    if not outcome.problem and section.commands:
        run_commands(outcome)
    elif not outcome.problem:
        run_tests(outcome, extra)
    outcome.seconds = time.monotonic() - began
    (LOGS / f"{section.name}.log").write_text(outcome.output)
    return outcome
