"""An invoice beside another one: the draft that it replaces, and the period before."""

from invoicing.cycle.models import Invoice
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


def changes_between(before: Invoice, after: Invoice) -> list[Change]:
    """Charge by charge, corrections apart; lines of one charge are added up."""
    return changes.compare(_figures(before), _figures(after))


def _figures(invoice: Invoice) -> list[Figure]:
    lines = invoice.lines.select_related("rated_line__charge").order_by("position")
    return [
        Figure(
            key=f"{line.rated_line.charge.code} {'correction' if line.adjusts_id else ''}",
            label=f"Correction: {line.rated_line.charge.name}" if line.adjusts_id else line.rated_line.charge.name,
            unit=line.unit,
            quantity=line.quantity,
            amount=line.amount,
        )
        for line in lines
    ]
