"""Interim drafts that failed: kept with the reason until an attempt has nothing against them; tried again at once."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from accounts import roles
from accounts.roles import Role
from core import work
from core.errors import DomainError, NotFoundError
from invoicing.cycle.models import StoppedInterim
from invoicing.cycle.rules import parking

TRY_JOB = "cycle.interim"
TRIERS = (Role.FINANCE, Role.OPS)


class NotStoppedError(DomainError):
    """The interim draft does not wait any more."""

    code = "not_stopped"


def open_stops() -> QuerySet[StoppedInterim]:
    """Whose interim draft failed and was not made since, longest first."""
    return StoppedInterim.objects.filter(left_at=None).select_related("customer").order_by("stopped_at", "pk")


@transaction.atomic
def note_failure(*, customer_id: int, subscription_ids: Iterable[int], error: Exception, at: datetime) -> str:
    """Keep why these could not be drafted; gives the reason as it is kept."""
    if isinstance(error, DomainError):
        code, reason = error.code, error.message
    else:
        code, reason = parking.DEFECT, f"{type(error).__name__}: {error}"
    reason = reason.replace("\x00", "") or type(error).__name__
    for subscription_id in sorted(set(subscription_ids)):
        known = StoppedInterim.objects.filter(subscription=subscription_id, left_at=None)
        if not known.update(attempts=F("attempts") + 1, last_tried_at=at, code=code, reason=reason):
            StoppedInterim.objects.create(
                customer_id=customer_id,
                subscription_id=subscription_id,
                code=code,
                reason=reason,
                stopped_at=at,
                last_tried_at=at,
            )
    return reason


def let_go(*, customer_id: int, at: datetime) -> None:
    """An attempt had nothing against this customer."""
    StoppedInterim.objects.filter(customer=customer_id, left_at=None).update(left_at=at)


def try_again(*, stopped_id: int, actor: Any, at: datetime) -> None:
    """Have a worker try this customer once more now; an attempt comes by itself within the hour."""
    roles.require_role(actor, *TRIERS, to="try interim drafts again")
    stopped = StoppedInterim.objects.filter(pk=stopped_id).first()
    if stopped is None:
        raise NotFoundError(f"There is no interim draft that failed {stopped_id}.")
    if stopped.left_at is not None:
        raise NotStoppedError("This interim draft does not wait any more; there is nothing to try again.")
    work.enqueue(kind=TRY_JOB, key=str(stopped.customer_id), arguments={"customer_id": stopped.customer_id}, at=at)
