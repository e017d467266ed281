"""Runs files of a board's flash with the stand-ins of one boot: `import machine` and `open` give that boot's own.

Rule: the files run unmodified. Modules that lie on the flash belong to one boot; others (the firmware's package, Python's own) are imported as
usual and shared, for they hold no state of a board; `json` is the port's for them, too.
"""

import builtins
from collections.abc import Callable, Mapping, Sequence
from types import CodeType, ModuleType

from sim.port import Port, texts

FLASH_ONLY = ("boot", "main", "chooser", "closer", "closer_config")  # never imported from the host

_compiled: dict[bytes, CodeType] = {}  # by content: thousands of boards share it


def _compile(source: bytes, name: str) -> CodeType:
    code = _compiled.get(source)
    if code is None:
        code = _compiled[source] = compile(source, name, "exec")
    return code


def run(files: Mapping[str, bytes], port: Port, paths: Sequence[str], say: Callable[[str], None]) -> None:
    """Execute those of `paths` that exist, one after the other in the same globals; `say` gets what they print."""
    names = _builtins(files, port, say)
    scope: dict[str, object] = {"__name__": "__main__", "__builtins__": names}
    for path in paths:
        source = files.get(path)
        if source is not None:
            exec(_compile(source, "flash:" + path), scope)  # noqa: S102 - that is what a board does


def _builtins(files: Mapping[str, bytes], port: Port, say: Callable[[str], None]) -> dict[str, object]:
    """Builtins for one boot, with its own `import`, `open` and `print`."""
    modules = port.modules()
    names = dict(vars(builtins))

    def import_(
        name: str,
        scope: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: Sequence[str] = (),
        level: int = 0,
    ) -> object:
        if level == 0 and name in modules:
            return modules[name]
        source = files.get(f"/{name}.py", files.get(f"/lib/{name}.py")) if level == 0 else None
        if source is None:
            if name in FLASH_ONLY and level == 0:
                raise ImportError(f"no module named '{name}'")
            found = builtins.__import__(name, scope, local, wanted, level)
            texts.hand_out()
            return found
        module = modules[name] = ModuleType(name)
        vars(module)["__builtins__"] = names
        try:
            exec(_compile(source, f"flash:/{name}.py"), vars(module))  # noqa: S102 - that is what a board does
        except BaseException:
            del modules[name]
            raise
        return module

    names["__import__"] = import_
    names["open"] = port.open
    names["print"] = lambda *values, **_: say(" ".join(map(str, values)))
    return names
