"""Reading: the settings that lie in a file, by two late modules, one after the other, for the heap has room for one.

Rule: the file counts as a whole or not at all. It must not know what settings mean.
"""

from .auth import verify
from .errors import RefusedError
from .settings import Settings
from .store import DESIRED, OLD, read_file

if False:  # for annotations
    from shapes import Span

    from .board import Board


def load(board: "Board", topic: str, key: bytes) -> Settings:
    """The settings kept on flash; those before them when they do not validate, and the defaults when there are none."""
    for path in (DESIRED, DESIRED + OLD):
        payload = read_file(board, path)
        end = verify(key, topic, payload) if payload else 0
        payload = None
        try:
            if end:
                return read(board, path, end)
        except RefusedError:
            pass  # the next one, then
    return Settings()


def read(board: "Board", path: str, length: int) -> Settings:
    """Settings from the JSON that is the first `length` bytes of a file. Raises RefusedError."""
    try:
        s, spans = _settings(board, path, length)
        s.programs = _programs(board, path, spans)
    except OSError:
        raise RefusedError("storage")
    return s


def _settings(board: "Board", path: str, length: int) -> "tuple[Settings, list[Span]]":
    from .desired import parse

    try:
        with board.open_file(path, "rb") as f:
            return parse(f, length, board.zones())
    finally:
        board.drop("grounds")
        board.drop("desired")


def _programs(board: "Board", path: str, spans: "list[Span]") -> bytes:
    from .programs import take

    try:
        with board.open_file(path, "rb") as f:
            return take(f, spans, board.zones())
    finally:
        board.drop("programs")
