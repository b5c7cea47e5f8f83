"""What the page of one invoice shows: every line down to its computation, snapshot and events."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from core import money
from invoicing.cycle.models import Break, Invoice, InvoiceLine, InvoiceTax, TieOut


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line as printed, and everything it rests on."""

    line: InvoiceLine
    segment: str
    quantity: str
    amount: str
    steps: list[dict[str, Any]]
    price_version: str
    effective_at: datetime
    snapshot: dict[str, Any] | None
    trace_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One entry of the timeline, whichever table it comes from."""

    at: datetime
    title: str
    who: str
    why: str
    tone: str


def page_context(invoice: Invoice) -> dict[str, Any]:
    """Everything the template needs, in a fixed number of queries."""
    lines = invoice.lines.select_related(
        "rated_line__price_version__charge", "rated_line__snapshot__watermark", "adjusts__invoice"
    ).order_by("position")
    zone = invoice.parties.get("customer", {}).get("time_zone", "UTC")
    return {
        "invoice": invoice,
        "zone": zone,
        "period": _span(invoice.period_start, invoice.period_end, zone=zone),
        "rows": [_line_row(line, currency=invoice.currency, zone=zone) for line in lines],
        "taxes": [_tax_row(tax, currency=invoice.currency) for tax in invoice.taxes.all()],
        "subtotal": money.amount_text(invoice.subtotal, currency=invoice.currency),
        "total": money.amount_text(invoice.total, currency=invoice.currency),
        "open_holds": list(invoice.holds.filter(released_at=None).select_related("placed_by")),
        "breaks": list(invoice.breaks.filter(closed_at=None)),
        "tie_out": TieOut.objects.filter(invoice=invoice).first(),
        "timeline": _timeline(invoice),
        "pdf_url": reverse("admin:cycle_invoice_pdf", args=[invoice.pk]),
    }


def _line_row(line: InvoiceLine, *, currency: str, zone: str) -> LineRow:
    rated = line.rated_line
    return LineRow(
        line=line,
        segment=_span(line.segment_start, line.segment_end, zone=zone),
        quantity=_grouped(line.quantity),
        amount=money.amount_text(line.amount, currency=currency),
        steps=rated.computation if isinstance(rated.computation, list) else [],
        price_version=f"{rated.price_version.charge.code} v{rated.price_version.version}",
        effective_at=rated.effective_at,
        snapshot=_snapshot_facts(line),
        trace_url=reverse("admin:evidence_trace", args=[line.pk]),
    )


def _snapshot_facts(line: InvoiceLine) -> dict[str, Any] | None:
    snapshot = line.rated_line.snapshot
    if snapshot is None:
        return None
    return {
        "events": _grouped(Decimal(snapshot.event_count)),
        "quantity": _grouped(snapshot.quantity),
        "digest": snapshot.digest,
        "watermark": snapshot.watermark.seq,
        "taken_at": snapshot.taken_at,
    }


def _tax_row(tax: InvoiceTax, *, currency: str) -> dict[str, str]:
    percent = money.plain(tax.percent)
    return {
        "label": f"{tax.name} {percent}%" if tax.percent else tax.name,
        "note": tax.note,
        "taxable": money.amount_text(tax.taxable, currency=currency),
        "tax": money.amount_text(tax.tax, currency=currency),
    }


def _timeline(invoice: Invoice) -> list[Moment]:
    moments = [
        Moment(
            at=move.moved_at,
            title=Invoice.Status(move.to_status).label,
            who=_name(move.actor),
            why=move.reason,
            tone=move.to_status,
        )
        for move in invoice.transitions.select_related("actor")
    ]
    moments += [
        Moment(at=found.opened_at, title=found.get_name_display(), who="Reconciliation", why=found.detail, tone="held")
        for found in Break.objects.filter(invoice=invoice)
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _name(person: Any) -> str:
    return "System" if person is None else person.get_full_name() or person.get_username()


def _span(start: datetime, end: datetime, *, zone: str) -> str:
    """Whole days read as days; anything finer shows its time."""
    tz = ZoneInfo(zone)
    first, last = start.astimezone(tz), end.astimezone(tz)
    whole_days = first.time() == last.time() and first.hour == first.minute == first.second == 0
    pattern = "%d %b %Y" if whole_days else "%d %b %Y %H:%M"
    return f"{first:{pattern}} – {last:{pattern}}"


def _grouped(number: Decimal) -> str:
    """1234567.5 → 1,234,567.5, exactly."""
    whole, _, fraction = money.plain(number).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}" + (f".{fraction}" if fraction else "")
