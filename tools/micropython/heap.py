"""What the firmware costs of a board's heap: python -m tools.micropython.heap

Rule: measured on the interpreter with gc.mem_alloc() after a collection, before and after each import; nothing is estimated. What a
module costs by itself is seen unbundled and with a roomy heap; what counts is the bundle, as a board gets it.
"""

import ast
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sim.provision import FIRMWARE
from sim.remote.image import FlashImage
from sim.remote.interpreter import BOARD_HEAP, run_script
from tools.micropython.bundler.program import Program
from tools.micropython.bundler.scopes import without_annotations
from tools.micropython.package import ENTRIES, build, modules_romfs, package_sources

ROOMY = 3 * BOARD_HEAP
MEASURE = """
import gc
def used():
    gc.collect()
    return gc.mem_alloc()
def load(name):
    before = used()
    __import__(name)
    print(name, used() - before)
names = {names!r}
used()
for name in names:
    load(name)
print("free", gc.mem_free())
import micropython
micropython.qstr_info()
"""


@dataclass(frozen=True, slots=True)
class Costs:
    """Bytes by module, in the order of loading; `free` after all; `names` new to the interpreter."""

    modules: dict[str, int]
    free: int
    names: int


def measure(romfs: bytes, names: list[str], heap: int = BOARD_HEAP) -> Costs:
    """What importing `names`, one after the other, costs; the closer lies in the file system."""
    with tempfile.TemporaryDirectory() as folder, FlashImage(Path(folder) / "flash.bin") as image:
        image.put_romfs(romfs)
        image.put_files({"/closer.mpy": build().closer})
        printed = run_script(MEASURE.format(names=names), image=image.path, heap=heap).check().splitlines()
    rows = dict(line.split(" ") for line in printed if not line.startswith("qstr"))
    free = int(rows.pop("free"))
    counted = next(line for line in printed if line.startswith("qstr")).split("n_qstr=")[1].split(",")[0]
    return Costs({name: int(value) for name, value in rows.items()}, free, int(counted))


def by_module() -> tuple[Costs, list[str]]:
    """Each module of the application by itself, unbundled; and which of them are loaded on demand only."""
    sources = {name: without_annotations(text) for name, text in package_sources(FIRMWARE).items()}
    program = Program(sources, tuple(ENTRIES))
    late = list(dict.fromkeys(name for cell in program.late.values() for name in cell))
    names = ["sprinkler", "sprinkler.core", *program.resident, *late]
    return measure(modules_romfs(FIRMWARE), names, ROOMY), late


def as_on_a_board() -> Costs:
    """The closer and the bundle."""
    return measure(build().romfs, ["closer", *ENTRIES])


def functions(name: str) -> int:
    """How many functions a module has."""
    path = FIRMWARE / (name.replace(".", "/") + ".py")
    nodes = ast.walk(ast.parse(path.read_text())) if path.exists() else ()
    return sum(isinstance(node, ast.FunctionDef) for node in nodes)


def table() -> str:
    """Both, for people."""
    apart, on_demand = by_module()
    lines = [f"{'module':<32}{'functions':>10}{'bytes':>8}   (each by itself, unbundled)"]
    for name, value in apart.modules.items():
        when = "   on demand" if name in on_demand else ""
        lines.append(f"{name:<32}{functions(name):>10}{value:>8}{when}")
    resident = sum(value for name, value in apart.modules.items() if name not in on_demand)
    lines.append(f"{'resident, unbundled':<42}{resident:>8}   {apart.names} names")
    bundle = as_on_a_board()
    lines += [f"{name + ' as on a board':<42}{value:>8}" for name, value in bundle.modules.items()]
    lines.append(
        f"{'resident, as on a board':<42}{sum(bundle.modules.values()):>8}   {bundle.names} names, {bundle.free} B free"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
