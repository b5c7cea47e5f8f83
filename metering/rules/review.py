"""The life of a review item: every move there is."""

OPEN, TAKEN, RESOLVED = "open", "taken", "resolved"
MOVES = {
    ("assign", OPEN): TAKEN,
    ("assign", TAKEN): TAKEN,
    ("resolve", OPEN): RESOLVED,
    ("resolve", TAKEN): RESOLVED,
}


def next_status(move: str, status: str) -> str | None:
    """Give the status after a move; None where the move is not to be made."""
    return MOVES.get((move, status))
