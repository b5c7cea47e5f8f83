"""An invoice beside another one: the draft that it replaces, and the period before."""

from collections.abc import Sequence

from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.cycle.rules import changes
from invoicing.cycle.rules.changes import Change, Figure

Status = Invoice.Status


def earlier_draft(invoice: Invoice) -> Invoice | None:
    """The latest discarded draft of the same period and kind, before this one."""
    discarded = Invoice.objects.filter(cycle_id=invoice.cycle_id, kind=invoice.kind, status=Status.DISCARDED)
    return discarded.filter(pk__lt=invoice.pk).order_by("-pk").first()


def period_before(invoice: Invoice) -> Invoice | None:
    """The invoice of the subscription's latest earlier whole period, whatever its state, in the same currency."""
    cycle = invoice.cycle
    earlier = Invoice.objects.filter(
        cycle__subscription_id=cycle.subscription_id,
        cycle__period_start__lt=cycle.period_start,
        kind=Invoice.Kind.CYCLE,
        currency=invoice.currency,
    )
    return earlier.exclude(status=Status.DISCARDED).order_by("-cycle__period_start").first()


def with_interim(invoice: Invoice) -> list[Invoice]:
    """The invoice of a period, and what interim invoices billed of it before its end."""
    interim = Invoice.objects.filter(cycle_id=invoice.cycle_id, kind=Invoice.Kind.INTERIM, currency=invoice.currency)
    return [*interim.exclude(status=Status.DISCARDED).order_by("pk"), invoice]


def changes_between(before: Sequence[Invoice], after: Sequence[Invoice]) -> list[Change]:
    """Charge by charge, corrections apart; lines of one charge are added up, over all invoices of a side."""
    return changes.compare(_figures(before), _figures(after))


def _figures(invoices: Sequence[Invoice]) -> list[Figure]:
    lines = InvoiceLine.objects.filter(invoice__in=invoices).select_related("rated_line__charge")
    return [
        Figure(
            key=f"{line.rated_line.charge.code} {'correction' if line.adjusts_id else ''}",
            label=f"Correction: {line.rated_line.charge.name}" if line.adjusts_id else line.rated_line.charge.name,
            unit=line.unit,
            quantity=line.quantity,
            amount=line.amount,
        )
        for line in lines.order_by("invoice", "position")
    ]
