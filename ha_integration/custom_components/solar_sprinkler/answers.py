"""What an action tells whom called it."""

from homeassistant.core import ServiceResponse
from homeassistant.util import dt as dt_util

from .board import Board
from .commands import Outcome


def _moment(at: int | None) -> str | None:
    return dt_util.utc_from_timestamp(at).isoformat() if at else None


def answer(outcome: Outcome, board: Board) -> ServiceResponse:
    """Say what the board granted; or, when it has not answered yet, that the command waits, until when, and when the board listens again."""
    reply = outcome.reply
    if reply is None:
        return {"queued": True, "expires_at": _moment(outcome.expires_at), "next_wake": _moment(board.next_wake)}
    if not reply.run_id:
        return {"queued": False}
    return {
        "queued": reply.reason == "queued",
        "run_id": reply.run_id,
        "run_time_s": reply.run_time_s,
        "run_until": _moment(reply.run_until),
    }
