"""Post journal entries: each document once, balanced, for ever."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from core import bulk
from core.errors import DomainError
from invoicing.ledger.models import JournalEntry, Posting
from invoicing.ledger.rules import booking
from invoicing.ledger.rules.booking import Line


class UnbalancedError(DomainError):
    """Debits and credits differ; a rule of booking is wrong, and nothing was posted."""

    code = "entry_unbalanced"
    http_status = 500


@transaction.atomic
def post_entry(
    *, key: str, memo: str, customer_id: int, currency: str, booked_on: date, lines: Sequence[Line], at: datetime
) -> JournalEntry | None:
    """Post the lines under a key that is used once for ever; None, and nothing posted, where there are no lines.

    A second posting under the key is refused by the database, with the transaction that tried it.
    """
    if not lines:
        return None
    if difference := booking.imbalance(lines):
        raise UnbalancedError(f"The entry {key} is off by {difference}; nothing was posted.")
    entry = JournalEntry.objects.create(
        key=key, memo=memo, customer_id=customer_id, currency=currency, booked_on=booked_on, posted_at=at
    )
    bulk.insert_rows(
        [Posting(entry=entry, account=line.account, debit=line.debit, credit=line.credit) for line in lines]
    )
    return entry
