"""Chooses ports on 127.0.0.1: the one a person named, or the next free one."""

import socket

from tools.demo.errors import RefusedError

SEARCHED = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose(preferred: int, named: int | None, option: str, taken: tuple[int, ...] = ()) -> int:
    """`named` if a person named it, else the first free port from `preferred` on that is not in `taken`.

    Raises RefusedError for a named port that is not free (`option` is the name to show), or when none is.
    """
    if named is not None:
        if named in taken or not is_free(named):
            raise RefusedError(f"port {named} is taken; name another with {option}, or leave {option} out")
        return named
    for port in range(preferred, preferred + SEARCHED):
        if port not in taken and is_free(port):
            return port
    raise RefusedError(f"no free port from {preferred} to {preferred + SEARCHED - 1}; name one with {option}")
