"""The whole life of a gate check as one table: which verdict may follow which stored state, and where it leads."""

from enum import StrEnum

from compliance.payouts.rules.gates import GateState


class Verdict(StrEnum):
    """What a person may decide about a gate check."""

    REQUEST = "request"
    REVIEW = "review"
    APPROVE = "approve"
    REJECT = "reject"
    SUSPEND = "suspend"


LEADS_TO = {
    Verdict.REQUEST: GateState.PENDING,
    Verdict.REVIEW: GateState.NEEDS_REVIEW,
    Verdict.APPROVE: GateState.APPROVED,
    Verdict.REJECT: GateState.REJECTED,
    Verdict.SUSPEND: GateState.SUSPENDED,
}

# Approving what is approved renews it. What was rejected or suspended goes through a review before it opens again.
MOVES: dict[GateState, frozenset[Verdict]] = {
    GateState.NOT_STARTED: frozenset(Verdict) - {Verdict.SUSPEND},
    GateState.PENDING: frozenset(Verdict) - {Verdict.REQUEST},
    GateState.NEEDS_REVIEW: frozenset(Verdict) - {Verdict.REVIEW},
    GateState.APPROVED: frozenset(Verdict),
    GateState.REJECTED: frozenset({Verdict.REQUEST, Verdict.REVIEW}),
    GateState.SUSPENDED: frozenset({Verdict.REVIEW, Verdict.REJECT}),
}


def is_allowed(*, stored: str, verdict: Verdict) -> bool:
    return stored in MOVES and verdict in MOVES[GateState(stored)]


def transitions() -> list[tuple[str, str]]:
    """The same table as pairs of stored states, for the guard in the database."""
    return sorted((str(state), str(LEADS_TO[verdict])) for state, verdicts in MOVES.items() for verdict in verdicts)
