"""`python -m sim`: what the simulator can do, one verb each.

Rule: a verb is a module of `sim.cli` with `SUMMARY` and `main(arguments) -> exit code`. Exit codes: 0 done, 1 the firmware or a check failed, 2 wrong
usage, 3 a server cannot be reached or refuses, 4 a file or folder cannot be used, 130 stopped by Ctrl-C and what was done kept. No traceback is shown for
what a user can put right.
"""

import errno
import importlib
import os
import sys

from sim.errors import FileError, SettingError, SimError, UnreachableError

VERBS = {
    "board": "sim.cli.board",
    "season": "sim.cli.season",
    "size": "sim.cli.size",
    "score": "sim.cli.score",
    "tune": "sim.cli.tune",
    "fleet": "sim.cli.fleet",
    "faults": "sim.cli.faults",
    "replay": "sim.cli.replay",
}
CODES: dict[type[SimError], int] = {SettingError: 2, UnreachableError: 3, FileError: 4}
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _list_verbs() -> str:
    rows = [f"  {verb:10} {importlib.import_module(module).SUMMARY}" for verb, module in VERBS.items()]
    return "\n".join(
        ["usage: python -m sim VERB [options]", "", "verbs:", *rows, "", "python -m sim VERB --help explains one."]
    )


def main(arguments: list[str]) -> int:
    """Run one verb; the process's exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_list_verbs())
        return 0
    verb = arguments[0]
    if verb not in VERBS:
        print(f"sim: no verb called '{verb}'; there are: {', '.join(VERBS)}", file=sys.stderr)
        return 2
    try:
        code: int = importlib.import_module(VERBS[verb]).main(arguments[1:])
        sys.stdout.flush()
    except SimError as error:
        print(f"sim {verb}: {error}", file=sys.stderr)
        return next((number for kind, number in CODES.items() if isinstance(error, kind)), 1)
    except SystemExit as leaving:  # argparse's way to say 0 or 2
        return leaving.code if isinstance(leaving.code, int) else 2
    except KeyboardInterrupt:
        print(f"sim {verb}: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output went away: that is an end like any other
        _silence()
        return 0
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        _silence()
        print(f"sim {verb}: cannot write the output: {error.strerror}", file=sys.stderr)
        return CODES[FileError]
    return code


def _silence() -> None:
    """What is still to be printed goes nowhere: else the interpreter would complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
