"""What the page of one invoice shows: every line down to its computation, snapshot and events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core import activation, money, personal_keys
from core.activation import Refusal
from invoicing.cycle import approve, compare, draft, offences, pdf, settlement
from invoicing.cycle.admin import standing, timeline, wording
from invoicing.cycle.admin.timeline import name_of
from invoicing.cycle.admin.wording import LOCALE
from invoicing.cycle.models import (
    DeltaReport,
    FalseAlarm,
    Invoice,
    InvoiceAllowanceCharge,
    InvoiceLine,
    InvoiceTax,
    Offence,
    TieOut,
)
from invoicing.cycle.rules.changes import Change, percent_of_change
from invoicing.documents.rules import figures
from invoicing.rating.models import RatedLine

OFFENCES_SHOWN = 5
PAYMENT_TONES = {
    "settled": "success",
    "chargeback": "danger",
    "errored": "warning",
    "refunded": "none",
    "pending": "info",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line as printed, and everything it rests on."""

    line: InvoiceLine
    segment: str
    quantity: str
    unit_price: str
    amount: str
    steps: list[dict[str, str]]
    price_version: str
    effective_at: datetime
    snapshot: dict[str, Any] | None
    trace_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The invoice against another one, charge by charge."""

    title: str
    against: Invoice
    rows: list[dict[str, Any]]
    note: str


def page_context(invoice: Invoice) -> dict[str, Any]:
    """Everything the template needs, in a fixed number of queries."""
    return {
        "invoice": invoice,
        **_document(invoice),
        **_in_the_way(invoice),
        "paid": _paid(invoice),
        "timeline": timeline.moments_of(invoice),
        "comments": list(invoice.comments.select_related("author")),
        "next": standing.next_step(invoice),
        "approvals": _approvals(invoice),
        "comparisons": _comparisons(invoice),
        "drafted_by": name_of(invoice.drafted_by),
        "approved_by": "—" if invoice.approved_by is None else name_of(invoice.approved_by),
        "pdf_missing": pdf.what_is_missing(invoice=invoice),
        "pdf_url": reverse("admin:cycle_invoice_pdf", args=[invoice.pk]),
        "evidence_url": reverse("admin:evidence_packs", args=[invoice.pk]),
    }


def _document(invoice: Invoice) -> dict[str, Any]:
    """What the document says: its period, lines, sums and taxes."""
    lines = invoice.lines.select_related(
        "rated_line__price_version__charge",
        "rated_line__fee_version__program",
        "rated_line__snapshot__watermark",
        "adjusts__invoice",
    )
    lines = lines.prefetch_related("deductions__billed__invoice").order_by("position")
    zone = invoice.parties.get("customer", {}).get("time_zone", "UTC")
    return {
        "zone": zone,
        "period": figures.span_text(invoice.period_start, invoice.period_end, zone=zone, locale=LOCALE),
        "rows": [_line_row(line, currency=invoice.currency, zone=zone) for line in lines],
        "line_sum": wording.amount_text(
            invoice.subtotal + invoice.allowances - invoice.charges, currency=invoice.currency
        ),
        "allowances": [_allowance_row(part, currency=invoice.currency) for part in invoice.allowances_charges.all()],
        "settlement": _settlement(invoice),
        "taxes": [_tax_row(tax, currency=invoice.currency) for tax in invoice.taxes.all()],
        "subtotal": wording.amount_text(invoice.subtotal, currency=invoice.currency),
        "total": wording.amount_text(invoice.total, currency=invoice.currency),
        "credit_notes": invoice.credited_by.exclude(status=Invoice.Status.DISCARDED).order_by("pk"),
        "credit_rows": [
            (line, wording.amount_text(line.amount, currency=invoice.currency))
            for line in invoice.credit_lines.select_related("credits__invoice")
        ],
        "erased": _erased(invoice.customer.personal_key_id),
        "document_erased": _erased(invoice.personal_key_id),
    }


def _in_the_way(invoice: Invoice) -> dict[str, Any]:
    """What has to be looked at before it goes on: changes, holds, offences, unusual figures, breaks, refusals."""
    return {
        "delta_reports": DeltaReport.objects.filter(
            Q(invoice=invoice) | Q(kind=DeltaReport.Kind.UNCHANGED, rows__corrects__invoice=invoice)
        ).distinct(),
        "open_holds": list(invoice.holds.filter(released_at=None, placed_by__isnull=False).select_related("placed_by")),
        "offences": _offences(invoice),
        "unusual": [
            draft.describe_unusual(figure, invoice=invoice) for figure in invoice.unusual.select_related("charge")
        ],
        "breaks": list(invoice.breaks.filter(closed_at=None)),
        "tie_out": TieOut.objects.filter(invoice=invoice).first(),
        "refusals": _refusals(invoice),
    }


def _erased(key_id: int | None) -> str:
    """When whom it stands for was erased, such as "erased on 26 Nov 2026", if that was."""
    return personal_keys.erased_words(key_id) if key_id is not None and personal_keys.is_destroyed(key_id) else ""


def _refusals(invoice: Invoice) -> list[Refusal]:
    """What guards would say if it were issued now; asked where that is the next step."""
    is_next = invoice.status == Invoice.Status.APPROVED
    return activation.find_refusals(invoice, at=timezone.now()) if is_next else []


def _offences(invoice: Invoice) -> list[tuple[Offence, FalseAlarm | None]]:
    """What contradicts an invariant about this customer, each with a statement that it is a false alarm, if any."""
    found = offences.open_offences().filter(customer=invoice.customer_id)[:OFFENCES_SHOWN]
    said = FalseAlarm.objects.exclude(decision=FalseAlarm.Decision.REFUSED).select_related("stated_by", "decided_by")
    by_offence = {alarm.offence_id: alarm for alarm in said.filter(offence__in=[one.pk for one in found])}
    return [(one, by_offence.get(one.pk)) for one in found]


def _line_row(line: InvoiceLine, *, currency: str, zone: str) -> LineRow:
    rated = line.rated_line
    return LineRow(
        line=line,
        segment=figures.span_text(line.segment_start, line.segment_end, zone=zone, locale=LOCALE),
        quantity=figures.number_text(line.quantity, locale=LOCALE),
        unit_price=figures.quoted_price_text(line.unit_price, currency=currency, locale=LOCALE),
        amount=wording.amount_text(line.amount, currency=currency),
        steps=[_step(step, currency=currency) for step in rated.told_steps],
        price_version=_version_name(rated),
        effective_at=rated.effective_at,
        snapshot=_snapshot_facts(line),
        trace_url=reverse("admin:evidence_trace", args=[line.pk]),
    )


def _version_name(rated: RatedLine) -> str:
    """The price version, and the figures of the fee program that it follows."""
    price, fees = rated.price_version, rated.fee_version
    follows = f", {fees}" if fees else ""
    return f"{price.charge.code} v{price.version}{follows}"


def _step(step: dict[str, Any], *, currency: str) -> dict[str, str]:
    """One step of the computation, its figures exact and grouped; money without units has neither these nor a price."""
    has_units = any(Decimal(step.get(name) or 0) for name in ("quantity", "unit_price"))
    named = ("quantity", "unit_price", "flat_fee", "amount") if has_units else ("flat_fee", "amount")
    told = {name: Decimal(step[name]) for name in named if step.get(name) is not None}
    is_money = "becomes" not in step  # else units become other units
    return {
        "label": step["label"],
        **{
            name: figures.price_text(figure, currency=currency, locale=LOCALE)
            if is_money and name != "quantity"
            else figures.number_text(figure, locale=LOCALE)
            for name, figure in told.items()
        },
    }


def _snapshot_facts(line: InvoiceLine) -> dict[str, Any] | None:
    snapshot = line.rated_line.snapshot
    if snapshot is None:
        return None
    return {
        "events": figures.number_text(Decimal(snapshot.event_count), locale=LOCALE),
        "quantity": figures.number_text(snapshot.quantity, locale=LOCALE),
        "digest": snapshot.digest,
        "watermark": snapshot.watermark.seq,
        "taken_at": snapshot.taken_at,
    }


def _tax_row(tax: InvoiceTax, *, currency: str) -> dict[str, str]:
    percent = money.plain(tax.percent)
    return {
        "label": f"{tax.name} {percent}%" if tax.percent else tax.name,
        "note": tax.note,
        "taxable": wording.amount_text(tax.taxable, currency=currency),
        "tax": wording.amount_text(tax.tax, currency=currency),
    }


def _allowance_row(part: InvoiceAllowanceCharge, *, currency: str) -> dict[str, str]:
    sign = 1 if part.kind == InvoiceAllowanceCharge.Kind.CHARGE else -1
    share = ""
    if part.percent is not None and part.base is not None:
        share = f", {money.plain(part.percent)}% of {wording.amount_text(part.base, currency=currency)}"
    return {
        "label": f"{part.reason}{share}",
        "amount": wording.amount_text(sign * part.amount, currency=currency),
        "url": reverse("admin:pricing_invoiceterm_change", args=[part.term_id]),
    }


def _settlement(invoice: Invoice) -> list[tuple[str, str]]:
    """From the total to what is to be paid; nothing where both are one."""
    if not invoice.prepaid and not invoice.payable_rounding:
        return []
    rows = [("Paid in advance", -invoice.prepaid), ("Rounding", invoice.payable_rounding)]
    shown = [*(row for row in rows if row[1]), ("To be paid", invoice.payable)]
    return [(label, wording.amount_text(amount, currency=invoice.currency)) for label, amount in shown]


def _paid(invoice: Invoice) -> dict[str, Any] | None:
    """What is still due on an issued invoice that asks for money, why no more, and its payments."""
    found, currency = settlement.read_one(invoice), invoice.currency
    if found.amount_due is None or invoice.payable <= 0:
        return None
    told = [("Still due", found.amount_due), ("To be paid", invoice.payable)]
    less = [("Credited", found.credited), ("Set off with what stood in favour", found.set_off)]
    return {
        "figures": [
            (label, f"{wording.amount_text(amount, currency=currency)} {currency}")
            for label, amount in [*told, *(row for row in less if row[1])]
        ],
        "due_plain": money.amount_text(found.amount_due, currency=currency) if found.amount_due else "",
        "rows": [_payment(row, currency=currency) for row in found.payments],
    }


def _payment(row: Mapping[str, Any], *, currency: str) -> dict[str, Any]:
    """A payment as the page shows it."""
    return {
        **row,
        "method": row["method"].replace("_", " ").capitalize(),
        "tone": PAYMENT_TONES[row["status"]],
        "amount": wording.amount_text(Decimal(row["amount"]), currency=currency),
    }


def _approvals(invoice: Invoice) -> list[dict[str, Any]]:
    """Every approval that was given, and whether it still counts."""
    kept = list(invoice.approvals.select_related("person", "audit_entry"))
    live = {one.pk for one in approve.standing_of(invoice, given=kept).given}
    return [{"given": one, "who": name_of(one.person), "counts": one.pk in live} for one in kept]


def _comparisons(invoice: Invoice) -> list[Comparison]:
    """Against the draft that this one replaces, and against the period before; only what there is."""
    draft, before = compare.earlier_draft(invoice), compare.period_before(invoice)
    found = []
    if draft is not None:
        discarded = draft.transitions.filter(to_status=Invoice.Status.DISCARDED).select_related("actor").last()
        note = "" if discarded is None else f"Discarded by {name_of(discarded.actor)}: {discarded.reason}"
        found.append(_comparison("the draft before", [draft], [invoice], note=note))
    if before is not None and invoice.kind == Invoice.Kind.CYCLE:
        was, now = compare.with_interim(before), compare.with_interim(invoice)
        interim = len(was) + len(now) - 2
        note = wording.period_text(before) + (f", with {interim} interim invoices of both periods" if interim else "")
        found.append(_comparison("the period before", was, now, note=note))
    return found


def _comparison(title: str, before: Sequence[Invoice], after: Sequence[Invoice], *, note: str) -> Comparison:
    """The last of each side is the one that is named."""
    currency = after[-1].currency
    rows = [_change_row(change, currency=currency) for change in compare.changes_between(before, after)]
    was, now = (sum((one.total for one in side), Decimal(0)) for side in (before, after))
    percent = percent_of_change(before=was, after=now)
    whole = {
        "label": "Total with tax",
        "before": wording.amount_text(was, currency=currency),
        "after": wording.amount_text(now, currency=currency),
        "change": wording.signed_text(now - was, currency=currency),
        "percent": "" if percent is None else wording.signed_percent(percent),
        "is_total": True,
        "is_change": was != now,
    }
    return Comparison(title=title, against=before[-1], rows=[*rows, whole], note=note)


def _change_row(change: Change, *, currency: str) -> dict[str, Any]:
    sides = {"before": change.before, "after": change.after}
    shown: dict[str, Any] = {
        name: "—" if side is None else wording.amount_text(side.amount, currency=currency)
        for name, side in sides.items()
    }
    units = {
        f"{name}_quantity": f"{figures.number_text(side.quantity, locale=LOCALE)} {side.unit}"
        for name, side in sides.items()
        if side is not None and side.unit
    }
    percent = change.percent
    return {
        **shown,
        **units,
        "label": change.label,
        "change": wording.signed_text(change.amount, currency=currency),
        "percent": "" if percent is None else wording.signed_percent(percent),
        "is_change": change.is_change,
    }
