"""Put payables up for payment together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.roles import Role
from compliance.payouts.models import BatchItem, Payable, PayoutBatch
from core import audit
from core.errors import DomainError, InvalidInputError

BATCH_SIZE_MAX = 5000


class BatchExistsError(DomainError):
    """References are given once."""

    code = "batch_exists"


class PayableTakenError(DomainError):
    """A payable stands in one batch, so that no two releases can pay it."""

    code = "payable_taken"


@transaction.atomic
def make_batch(*, reference: str, payable_ids: Sequence[int], actor: Any, at: datetime) -> PayoutBatch:
    """Gather open payables; whoever makes the batch cannot release it."""
    roles.require_role(actor, Role.FINANCE, to="make payout batches")
    wanted = sorted(set(payable_ids))
    if not 1 <= len(wanted) <= BATCH_SIZE_MAX:
        raise InvalidInputError(f"A batch holds 1 to {BATCH_SIZE_MAX} payables.", pointer="/payables")
    payables = list(Payable.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
    _require_open(payables, wanted=wanted)
    batch = PayoutBatch(reference=reference, created_by=actor, created_at=at)
    _save(batch)
    BatchItem.objects.bulk_create([BatchItem(batch=batch, payable=payable) for payable in payables])
    audit.append_entry(
        action="payout_batch.made",
        subject=f"payout_batch:{batch.pk}",
        actor=actor,
        facts={"reference": reference, "payables": wanted},
        at=at,
    )
    return batch


def _require_open(payables: Sequence[Payable], *, wanted: Sequence[int]) -> None:
    missing = sorted(set(wanted) - {payable.pk for payable in payables})
    if missing:
        raise InvalidInputError(f"There is no payable {missing[0]}.", pointer="/payables")
    # The payables are locked, so nobody can put them into another batch meanwhile.
    taken = dict(BatchItem.objects.filter(payable__in=payables).values_list("payable_id", "batch__reference"))
    for payable in payables:
        if payable.pk in taken:
            raise PayableTakenError(
                f"{payable.reference} is in batch {taken[payable.pk]} already.", pointer="/payables"
            )
        if payable.withdrawn_at is not None:
            raise PayableTakenError(f"{payable.reference} was withdrawn.", pointer="/payables")


def _save(batch: PayoutBatch) -> None:
    try:
        with transaction.atomic():
            batch.save(force_insert=True)
    except IntegrityError as error:
        raise BatchExistsError(f"There is a batch {batch.reference} already.", pointer="/reference") from error
