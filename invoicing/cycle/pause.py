"""A break pauses a customer's cycle: none of its invoices of the same time is issued while it is open."""

from django.db.models import QuerySet

from core.errors import DomainError
from invoicing.cycle.models import Break, Invoice

UNDECIDED = [Invoice.Status.DRAFT, Invoice.Status.HELD, Invoice.Status.APPROVED]


class CyclePausedError(DomainError):
    """Another invoice of the same customer and time has an open break."""

    code = "cycle_paused"


def require_unpaused(invoice: Invoice) -> None:
    """CyclePausedError names the break that is in the way; PostgreSQL asks once more when the invoice is issued."""
    found = open_breaks(invoice).exclude(invoice=invoice).select_related("invoice").first()
    if found is not None:
        raise CyclePausedError(
            f"{found.invoice} of the same customer and time has an open break: {found.detail} Until it is repaired or"
            " accepted, nothing of this cycle is issued."
        )


def open_breaks(invoice: Invoice) -> QuerySet[Break]:
    """What pauses the cycle of this invoice, its own breaks included."""
    return Break.objects.filter(
        closed_at=None,
        invoice__customer=invoice.customer_id,
        invoice__period_start__lt=invoice.period_end,
        invoice__period_end__gt=invoice.period_start,
    ).order_by("pk")


def lock_cycle(*, invoice_id: int) -> None:
    """Hold what a break on this invoice would pause, in ascending order: two who find breaks at once never circle."""
    invoice = Invoice.objects.filter(pk=invoice_id).first()
    if invoice is not None:
        together = Invoice.objects.select_for_update(of=("self",)).filter(
            customer=invoice.customer_id,
            period_start__lt=invoice.period_end,
            period_end__gt=invoice.period_start,
            status__in=UNDECIDED,
        )
        list(together.order_by("pk").values_list("pk", flat=True))
