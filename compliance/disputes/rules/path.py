"""The stated rule (ADR): does the chain reproduce the billed amount, and who goes on with the dispute."""

from collections.abc import Sequence
from dataclasses import dataclass

RULE = "1"
STATED = (
    "Every line that the dispute names is walked from its events to its amount again; for a whole invoice its totals "
    "are added up as well. If every step comes to what was billed, operations answer the customer with the pack. If "
    "any does not, engineering takes it with the first step that differs, and operations keep the customer informed."
)
OPS, ENGINEERING = "ops", "engineering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step done again: of the line at this position, or of the invoice's totals."""

    line: int | None
    name: str
    claimed: str
    found: str

    @property
    def is_equal(self) -> bool:
        return self.claimed == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which path, by which version of the rule, and the break where there is one."""

    path: str
    rule: str
    first_break: Step | None


class NothingWalkedError(ValueError):
    """A dispute that names nothing can be put on no path."""


def decide_path(steps: Sequence[Step]) -> Decision:
    """Steps in the order of the invoice: lines by position, each from its events on, then the totals."""
    if not steps:
        raise NothingWalkedError("nothing was recomputed, so nothing is proved")
    first = next((step for step in steps if not step.is_equal), None)
    return Decision(path=OPS if first is None else ENGINEERING, rule=RULE, first_break=first)
