"""The states of access as one table: from which to which, and what that move is called."""

MOVES = {
    ("allowed", "held"): "access.held",
    ("held", "allowed"): "access.allowed",
}


def action_of(from_status: str, to_status: str) -> str:
    """Name the move as the audit chain does; KeyError if it is not in the table."""
    return MOVES[from_status, to_status]
