"""What one customer owes, and has in their favour, by the books."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, Sum

from invoicing.ledger.models import Posting
from invoicing.ledger.rules.chart import Account

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class CustomerBalances:
    """Both on their own side: above 0 where something is owed, or stands to the customer's favour."""

    receivable: Decimal
    balance: Decimal


def customer_balances(*, customer_id: int, currency: str) -> CustomerBalances:
    """As all entries of this customer in this currency have it now."""
    sums = Posting.objects.filter(entry__customer=customer_id, entry__currency=currency).aggregate(
        receivable=Sum(F("debit") - F("credit"), filter=Q(account=Account.ACCOUNTS_RECEIVABLE)),
        balance=Sum(F("credit") - F("debit"), filter=Q(account=Account.CUSTOMER_BALANCE)),
    )
    return CustomerBalances(receivable=sums["receivable"] or NOTHING, balance=sums["balance"] or NOTHING)
