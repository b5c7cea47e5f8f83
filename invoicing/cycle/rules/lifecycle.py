"""The life of an invoice as one table: from which status to which, and what that move is called."""

MOVES = {
    ("", "draft"): "invoice.drafted",
    ("draft", "held"): "invoice.held",
    ("held", "draft"): "invoice.released",
    ("draft", "approved"): "invoice.approved",
    ("approved", "held"): "invoice.held",
    ("approved", "final"): "invoice.finalized",
    ("draft", "discarded"): "invoice.discarded",
    ("held", "discarded"): "invoice.discarded",
}

_ADVICE = {
    ("held", "approved"): "release its hold first",
    ("held", "final"): "release its hold and have it approved first",
    ("draft", "final"): "have its figures approved first",
    ("approved", "discarded"): "hold it first, which withdraws the approval",
}
_ENDED = {
    "final": "a final invoice never changes; a correction is a line on the next one",
    "discarded": "a discarded draft stays as it is; close the period again for a new one",
}


def is_allowed(from_status: str, to_status: str) -> bool:
    return (from_status, to_status) in MOVES


def action_of(from_status: str, to_status: str) -> str:
    """Name the move as the audit chain does; KeyError if it is not in the table."""
    return MOVES[from_status, to_status]


def refusal(from_status: str, to_status: str) -> str:
    """Say why this move is not open, and what would open it."""
    advice = _ENDED.get(from_status) or _ADVICE.get((from_status, to_status))
    reached = f"is {from_status} already" if from_status == to_status else f"is {from_status}"
    return f"The invoice {reached}: {advice}." if advice else f"The invoice {reached}; it cannot become {to_status}."


def is_legal_log(moves: list[tuple[str, str]], *, status: str) -> bool:
    """Whether a log of moves begins with the draft, follows the table without a jump and ends in `status`."""
    reached = ""
    for from_status, to_status in moves:
        if from_status != reached or not is_allowed(from_status, to_status):
            return False
        reached = to_status
    return reached == status
