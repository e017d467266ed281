"""What an action tells whom called it."""

from typing import Any

from homeassistant.core import ServiceResponse
from homeassistant.util import dt as dt_util

from .board import Board
from .commands import Outcome


def moment_text(at: int | None) -> str | None:
    """Unix seconds as a text that templates understand; 0 is none."""
    return dt_util.utc_from_timestamp(at).isoformat() if at else None


def answer(outcome: Outcome, board: Board) -> ServiceResponse:
    """Say what the board granted; or, when it has not answered yet, that the command waits, until when, and when the board listens again."""
    reply = outcome.reply
    if reply is None:
        return {
            "queued": True,
            "expires_at": moment_text(outcome.expires_at),
            "next_wake": moment_text(board.next_wake),
        }
    if not reply.run_id:
        return {"queued": False}
    return {
        "queued": reply.reason == "queued",
        "run_id": reply.run_id,
        "run_time_s": reply.run_time_s,
        "run_until": moment_text(reply.run_until),
    }


def confirmation(board: Board, *, is_confirmed: bool) -> dict[str, Any]:
    """Whether settings and programs are in force on the board, or when it will hear of them."""
    if is_confirmed:
        return {"confirmed": True}
    return {"confirmed": False, "next_wake": moment_text(board.next_wake)}
