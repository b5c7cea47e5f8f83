"""A proof: what the books claim at each step, what was found by doing the step again, and the first difference."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One step done again."""

    step: str
    claimed: str
    found: str

    @property
    def is_equal(self) -> bool:
        return self.claimed == self.found


def compare(step: str, *, claimed: Decimal | int | str, found: Decimal | int | str) -> Check:
    """Numbers are compared by value, so 2.50 and 2.5 are the same; anything else as it is written."""
    return Check(step=step, claimed=_plain(claimed), found=_plain(found))


def _plain(value: Decimal | int | str) -> str:
    return money.plain(value) if isinstance(value, Decimal) else str(value)


def first_difference(checks: Iterable[Check]) -> Check | None:
    """The step at which the walk forward leaves the books; None if it arrives at the same amount."""
    return next((check for check in checks if not check.is_equal), None)
