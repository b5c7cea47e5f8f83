"""The life of a payment as one table: which step may follow which status, and where it leads."""

from collections.abc import Sequence
from enum import StrEnum


class Status(StrEnum):
    """Where a payment stands; a sequence of its own beside the status of its invoice."""

    PENDING = "pending"
    SETTLED = "settled"
    ERRORED = "errored"
    CHARGEBACK = "chargeback"
    REFUNDED = "refunded"


class Step(StrEnum):
    """What happened to a payment."""

    RECORDED = "recorded"
    SETTLED = "settled"
    FAILED = "failed"
    REFUNDED = "refunded"  # in part or in full
    DISPUTED = "disputed"
    WON = "dispute_won"
    LOST = "dispute_lost"


# A refund in part leaves it where it stands; a lost dispute leaves it charged back, for good.
MOVES: dict[tuple[str, Step], frozenset[Status]] = {
    ("", Step.RECORDED): frozenset({Status.PENDING}),
    (Status.PENDING, Step.FAILED): frozenset({Status.ERRORED}),
    (Status.PENDING, Step.SETTLED): frozenset({Status.SETTLED}),
    (Status.ERRORED, Step.SETTLED): frozenset({Status.SETTLED}),
    (Status.SETTLED, Step.REFUNDED): frozenset({Status.SETTLED, Status.REFUNDED}),
    (Status.SETTLED, Step.DISPUTED): frozenset({Status.CHARGEBACK}),
    (Status.CHARGEBACK, Step.REFUNDED): frozenset({Status.CHARGEBACK}),
    (Status.CHARGEBACK, Step.WON): frozenset({Status.SETTLED}),
    (Status.CHARGEBACK, Step.LOST): frozenset({Status.CHARGEBACK}),
}
# A rank never falls, but for a dispute that was won: nothing that came late makes a settled payment pending again.
RANKS = {"": 0, Status.PENDING: 1, Status.ERRORED: 2, Status.SETTLED: 3, Status.CHARGEBACK: 4, Status.REFUNDED: 4}
_ADVICE = {
    Status.PENDING: "it is settled or failed next",
    Status.ERRORED: "only a later attempt can settle it",
    Status.SETTLED: "it can be refunded or disputed",
    Status.CHARGEBACK: "its dispute is won or lost next, once",
    Status.REFUNDED: "nothing follows a refund in full",
}


def is_allowed(from_status: str, step: Step) -> bool:
    return (from_status, step) in MOVES


def leads_to(from_status: str, step: Step, *, is_all_refunded: bool = False) -> Status:
    """The status after the step; KeyError if it is not in the table."""
    reached = MOVES[from_status, step]
    return Status.REFUNDED if is_all_refunded and Status.REFUNDED in reached else min(reached, key=RANKS.__getitem__)


def rows() -> list[tuple[str, str, str]]:
    """The same table as `(from, step, to)`, for the guard in the database."""
    return sorted((str(begun), str(step), str(to)) for (begun, step), reached in MOVES.items() for to in reached)


def refusal(from_status: str, step: Step) -> str:
    """Why this step is not open, and what is."""
    return f"The payment is {from_status}, so it cannot be {words_of(step)}: {_ADVICE[Status(from_status)]}."


def words_of(step: str) -> str:
    """The step as a person reads it: dispute won."""
    return step.replace("_", " ")


def is_legal_log(moves: Sequence[tuple[str, str, str]], *, status: str) -> bool:
    """Whether a log of `(from, step, to)` begins with nothing, follows the table without a jump and ends there."""
    reached, table = "", set(rows())
    for move in moves:
        if move[0] != reached or move not in table:
            return False
        reached = move[2]
    return bool(moves) and reached == status
