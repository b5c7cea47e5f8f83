"""A draft knows every agreement before it in the audit chain: where one comes in between, it is drafted anew.

What is agreed about a subscription's plans and kept prices is appended to the chain by the transaction that writes it,
and so is a draft; while one appends, nobody else can. So the order of the chain is the order of the commits, and a
draft that read nothing else than what stands before it proves by that order alone what it knew.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from core import audit
from core.errors import DomainError

Result = TypeVar("Result")
ATTEMPTS_MAX = 5
ABOUT_PLANS = ("subscription_started", "plan_changed", "subscription_ended")
ABOUT_KEPT = ("prices_kept", "kept_prices_released", "kept_prices_end_moved")


class AgreementsMovedError(DomainError):
    """Something was agreed about a customer in the moments in which an invoice was drafted."""

    code = "agreements_moved"


def mark() -> int:
    """To be taken before anything is read that was agreed: the last entry of the audit chain."""
    return audit.last_number()


def require_nothing_agreed(subscription_ids: Iterable[int], *, since: int) -> None:
    """To be called while the transaction appends to the chain: nothing was agreed about these since the mark."""
    moved = audit.entries_about(
        [f"subscription:{pk}" for pk in subscription_ids], actions=(*ABOUT_PLANS, *ABOUT_KEPT), after=since
    )
    if moved:
        detail = f"What was agreed about {moved[0].subject} changed while its invoice was drafted. Draft it again."
        raise AgreementsMovedError(detail)


def until_undisturbed(draft: Callable[[], Result]) -> Result:
    """Do it again where agreements moved meanwhile; AgreementsMovedError if they did every time."""
    for _ in range(ATTEMPTS_MAX - 1):
        try:
            return draft()
        except AgreementsMovedError:
            continue
    return draft()
