"""What customers paid in advance, and what their invoices have used of it (EN 16931 BT-113)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import Sum

from invoicing.cycle.bills import Bill
from invoicing.cycle.models import Invoice

NOTHING = Decimal(0)


class Prepaid:
    """What is left for the bills of one close, in their order; call it under the locks of the close.

    Drafts use it as issued invoices do; one that is discarded gives it back.
    """

    def __init__(self, bills: Sequence[Bill]) -> None:
        self._agreed = {bill.due.subscription_id: bill.terms.prepaid for bill in bills if bill.terms.prepaid}
        self._used = _used_by(self._agreed) if self._agreed else {}

    def left_for(self, bill: Bill) -> Decimal:
        """How much this bill may take; what is agreed may have grown since an earlier one."""
        subscription_id = bill.due.subscription_id
        return max(bill.terms.prepaid - self._used.get(subscription_id, NOTHING), NOTHING)

    def use(self, bill: Bill, amount: Decimal) -> None:
        if amount:
            subscription_id = bill.due.subscription_id
            self._used[subscription_id] = self._used.get(subscription_id, NOTHING) + amount

    def left_of_all(self) -> Decimal:
        """For one document over all these bills."""
        left = (max(agreed - self._used.get(pk, NOTHING), NOTHING) for pk, agreed in self._agreed.items())
        return sum(left, NOTHING)


def _used_by(subscription_ids: Iterable[int]) -> dict[int, Decimal]:
    live = Invoice.objects.filter(cycle__subscription__in=list(subscription_ids)).exclude(
        status=Invoice.Status.DISCARDED
    )
    used = live.order_by().values_list("cycle__subscription").annotate(used=Sum("prepaid"))
    return dict(used)
