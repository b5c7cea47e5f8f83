"""Open the gate checks that somebody now has to decide."""

from collections.abc import Iterable
from datetime import datetime

from compliance.payouts.models import GateCheck


def open_checks(*, payee_ids: Iterable[int], gates: Iterable[str], at: datetime) -> None:
    """Insert what is missing, not started; what exists stays as it is. Where a row is missing, the gate is shut."""
    wanted = [GateCheck(payee_id=payee_id, kind=kind, opened_at=at) for payee_id in payee_ids for kind in gates]
    GateCheck.objects.bulk_create(wanted, batch_size=1000, ignore_conflicts=True)
