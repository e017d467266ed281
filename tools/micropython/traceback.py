"""A board's traceback with the names of the sources: python -m tools.micropython.traceback MAP < text

The application on a board has short names (tools/micropython/bundler/bundle.py). The map of a build is written by the same tool with --write; it belongs to
that very build, so write it when a board is flashed, and keep it. Without a map the sources of this checkout are taken.

Exit codes: 0 done; 2 wrong usage, or the map cannot be read or written.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_FRAME = re.compile(r'^(\s*File "(.*)", line (\d+), in )(\w+)\s*$')
_ERROR = re.compile(r"^(\w+)(:.*)?$")
_QUOTED = re.compile(r"'(\w+)'")


def meant(meanings: Mapping[str, Sequence[str]], name: str) -> str:
    """What `name` stands for; itself, where it was not shortened."""
    return " or ".join(meanings.get(name, [name]))


def _function(meanings: Mapping[str, Sequence[str]], module: str, line: int) -> str:
    """The function that a line was written in, "" where that is not known: it may have been inlined in the one that the frame names."""
    while line > 0:
        if found := meanings.get(f"{module}:{line}"):
            return found[0]
        line -= 1
    return ""


def restored(meanings: Mapping[str, Sequence[str]], text: str) -> str:
    """`text` with its short names replaced: in the frames of a traceback, in the line of the error behind it, and in quotes there."""
    lines, inside = [], False
    for line in text.splitlines():
        frame = _FRAME.match(line)
        error = _ERROR.match(line) if inside else None
        if frame:
            written_in = _function(meanings, frame[2], int(frame[3]))
            lines.append(frame[1] + (written_in or meant(meanings, frame[4])))
        elif error:
            rest = _QUOTED.sub(lambda name: f"'{meant(meanings, name[1])}'", error[2] or "")
            own = [
                name for name in meanings.get(error[1], ()) if name.endswith("Error")
            ]  # else it is the interpreter's own
            lines.append((own[0].rpartition(".")[2] if own else error[1]) + rest)
        else:
            lines.append(line)
        inside = bool(frame) or (inside and not error)
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Restore the standard input, or write a map; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.micropython.traceback",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("map", nargs="?", type=Path, metavar="MAP", help="the map of the build that the board runs")
    parser.add_argument("--write", action="store_true", help="write MAP from the sources of this checkout")
    options = parser.parse_args(arguments)
    if options.write and options.map is None:
        parser.error("--write needs the file to write: MAP")
    try:
        if options.map is not None and not options.write:
            meanings = json.loads(options.map.read_text(encoding="utf-8"))
        else:
            from tools.micropython.package import meanings as of_the_sources

            meanings = of_the_sources()
        if options.write:
            options.map.write_text(json.dumps(meanings, indent=1) + "\n", encoding="utf-8")
            return 0
    except (OSError, ValueError) as error:
        print(f"traceback: {options.map} is no map: {error}", file=sys.stderr)
        return 2
    sys.stdout.write(restored(meanings, sys.stdin.read()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
