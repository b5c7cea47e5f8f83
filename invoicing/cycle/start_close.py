"""Start a close in the background: it is written down and queued, and a worker does it, slice by slice."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, work
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.cycle import close, close_runs, due
from invoicing.cycle.models import CloseRun, ParkedCustomer

CLOSE_JOB = "cycle.close"
STARTERS = (Role.FINANCE, Role.OPS)


class NotOverYetError(InvalidInputError):
    """A close was asked for up to an instant that has not come."""

    code = "not_over_yet"


class CloseBusyError(DomainError):
    """Another process is at work on this close; the job is tried again later, in case that process dies."""

    code = "close_busy"


class NotParkedError(DomainError):
    """The customer is not parked any more."""

    code = "not_parked"


@transaction.atomic
def start_close(*, as_of: datetime, customer_codes: Sequence[str] | None, actor: Any, at: datetime) -> CloseRun:
    """Have every period that ended by `as_of` drafted; the same close twice is one, as long as it has not ended.

    Who starts a close is who drafted its invoices, and approves none of them.
    """
    roles.require_role(actor, *STARTERS, to="start a close")
    if as_of > at:
        raise NotOverYetError(
            f"{as_of.isoformat()} has not come yet: a period is drafted when it is over.", pointer="/as_of"
        )
    if customer_codes is not None:
        due.require_known(customer_codes)
    run = close_runs.find_waiting(as_of=as_of, customer_codes=customer_codes)
    if run is None:
        run = close_runs.ask_for_run(as_of=as_of, customer_codes=customer_codes, actor=actor, at=at)
        facts = {"as_of": as_of.isoformat(), "customers": run.customer_codes}
        audit.append_entry(action="close.started", subject=f"close:{run.pk}", actor=actor, facts=facts, at=at)
    _queue(run, at=at)
    return run


def try_again(*, parked_id: int, actor: Any, at: datetime) -> CloseRun:
    """Close a parked customer once more, as the close did that failed."""
    parked = ParkedCustomer.objects.select_related("customer", "run").filter(pk=parked_id).first()
    if parked is None:
        raise NotFoundError(f"There is no parked customer {parked_id}.")
    if parked.left_at is not None:
        raise NotParkedError("This customer is not parked any more; there is nothing to try again.")
    return start_close(as_of=parked.run.as_of, customer_codes=[parked.customer.code], actor=actor, at=at)


def go_on(*, run_id: int, at: datetime, is_over: Callable[[], bool]) -> None:
    """Do the next slice of a close; what is left is queued again."""
    run = CloseRun.objects.select_related("asked_by").get(pk=run_id)
    report = close.go_on(run, actor=run.asked_by, at=at, is_over=is_over)
    if run.ended_at is not None:
        return
    if report is None:
        raise CloseBusyError("Another process is at work on this close.")
    with transaction.atomic():
        _queue(run, at=at)


def _queue(run: CloseRun, *, at: datetime) -> None:
    work.enqueue(kind=CLOSE_JOB, key=f"{run.pk}, slice {run.attempts + 1}", arguments={"run_id": run.pk}, at=at)
