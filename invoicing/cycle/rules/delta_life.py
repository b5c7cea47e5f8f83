"""The life of a delta report as one table: from which status to which, and what that move is called."""

MOVES = {
    ("", "proposed"): "delta.proposed",
    ("proposed", "approved"): "delta.approved",
    ("proposed", "rejected"): "delta.rejected",
    ("proposed", "noted"): "delta.noted",
}


def is_allowed(from_status: str, to_status: str) -> bool:
    return (from_status, to_status) in MOVES


def action_of(from_status: str, to_status: str) -> str:
    """Name the move as the audit chain does; KeyError if it is not in the table."""
    return MOVES[from_status, to_status]
