"""The life of a dispute as one table: from which step to which, with which outcome, and what that move is called."""

EVIDENCE, OPS, ENGINEERING, CORRECTING, CLOSED = "evidence", "ops", "engineering", "correcting", "closed"
UPHELD, REJECTED, WITHDRAWN = "upheld", "rejected", "withdrawn"

# A bill that its own chain does not reproduce is never defended: nothing leads from engineering to rejected.
MOVES = {
    ("", EVIDENCE, ""): "dispute.opened",
    (EVIDENCE, OPS, ""): "dispute.reproduced",
    (EVIDENCE, ENGINEERING, ""): "dispute.broken",
    (OPS, EVIDENCE, ""): "dispute.evidence_again",
    (ENGINEERING, EVIDENCE, ""): "dispute.evidence_again",
    (OPS, CORRECTING, UPHELD): "dispute.upheld",
    (ENGINEERING, CORRECTING, UPHELD): "dispute.upheld",
    (CORRECTING, CLOSED, UPHELD): "dispute.corrected",
    (OPS, CLOSED, REJECTED): "dispute.rejected",
    (EVIDENCE, CLOSED, WITHDRAWN): "dispute.withdrawn",
    (OPS, CLOSED, WITHDRAWN): "dispute.withdrawn",
    (ENGINEERING, CLOSED, WITHDRAWN): "dispute.withdrawn",
}
_ADVICE = {
    (EVIDENCE, REJECTED): "wait until its evidence is rebuilt",
    (EVIDENCE, UPHELD): "wait until its evidence is rebuilt",
    (ENGINEERING, REJECTED): (
        "its bill is not reproduced, so nobody may defend it; have engineering find out why, then rebuild the evidence"
    ),
    (CORRECTING, WITHDRAWN): "it is upheld, and the correction is under way",
}


def is_allowed(from_status: str, to_status: str, *, outcome: str) -> bool:
    return (from_status, to_status, outcome) in MOVES


def action_of(from_status: str, to_status: str, *, outcome: str) -> str:
    """Name the move as the audit chain does; KeyError if it is not in the table."""
    return MOVES[from_status, to_status, outcome]


def refusal(from_status: str, to_status: str, *, outcome: str) -> str:
    """Say why this move is not open, and what would open it."""
    if from_status == CLOSED:
        return "The dispute is closed. If there is something new, open another one."
    advice = _ADVICE.get((from_status, outcome))
    wish = f"be {outcome}" if outcome else f"go on to {to_status}"
    return (
        f"The dispute cannot {wish} now: {advice}." if advice else f"The dispute is at {from_status}; it cannot {wish}."
    )


def is_legal_log(moves: list[tuple[str, str, str]], *, status: str) -> bool:
    """Whether a log of moves begins with the opening, follows the table without a jump and ends in `status`."""
    reached = ""
    for from_status, to_status, outcome in moves:
        if from_status != reached or not is_allowed(from_status, to_status, outcome=outcome):
            return False
        reached = to_status
    return reached == status
