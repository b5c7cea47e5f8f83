"""Invoices as JSON: money and quantities as decimal strings, instants in UTC."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core import money
from invoicing.cycle import approve, draft
from invoicing.cycle.models import (
    Break,
    CreditLine,
    DocumentType,
    Hold,
    Invoice,
    InvoiceAllowanceCharge,
    InvoiceComment,
    InvoiceLine,
    InvoiceTax,
    InvoiceTransition,
    UnusualFigure,
)
from invoicing.cycle.preview import Preview
from invoicing.cycle.rules import breaks
from invoicing.cycle.rules.totals import Totals
from invoicing.cycle.settlement import Settlement
from invoicing.cycle.together import Outcome


def invoice_json(invoice: Invoice, *, settlement: Settlement) -> dict[str, Any]:
    """The whole invoice; read it through `queries.whole_invoices`, which fetches all of this at once."""
    return {
        "id": invoice.pk,
        "number": invoice.number,
        "kind": invoice.kind,
        "document_type": invoice.document_type,
        "status": invoice.status,
        "customer": invoice.customer.code,
        "credits": invoice.credits_id,
        "corrects": _corrects(invoice),
        "currency": invoice.currency,
        "period": _span(invoice.period_start, invoice.period_end),
        "issue_date": invoice.issue_date and invoice.issue_date.isoformat(),
        "due_date": invoice.due_date and invoice.due_date.isoformat(),
        "lines": [line_json(line, currency=invoice.currency) for line in invoice.lines.all()],
        "credit_lines": [credit_json(line, currency=invoice.currency) for line in invoice.credit_lines.all()],
        "delta_reports": [
            {"id": one.pk, "kind": one.kind, "status": one.status} for one in invoice.delta_reports.all()
        ],
        "allowances_charges": [
            allowance_json(part, currency=invoice.currency) for part in invoice.allowances_charges.all()
        ],
        "taxes": [tax_json(tax, currency=invoice.currency) for tax in invoice.taxes.all()],
        **_sums(invoice, currency=invoice.currency),
        "amount_due": _amount_due(invoice, settlement),
        "payments": settlement.payments,
        "content_hash": invoice.content_hash,
        "policy_version": invoice.policy and str(invoice.policy),
        "firing": _firing(invoice),
        "approvals_needed": approve.people_needed(invoice),
        "approvals": _approvals(invoice),
        "holds": [_hold(hold) for hold in invoice.holds.all()],
        "breaks": [_break(found) for found in invoice.breaks.all()],
        "unusual": [_unusual(figure, invoice=invoice) for figure in invoice.unusual.all()],
        "transitions": [_transition(move) for move in invoice.transitions.all()],
    }


def preview_json(preview: Preview) -> dict[str, Any]:
    """The same shape for an invoice that does not exist: no id, no number, nothing decided."""
    currency = preview.currency
    return {
        "id": None,
        "number": None,
        "kind": Invoice.Kind.CYCLE,
        "document_type": DocumentType.CREDIT_NOTE if preview.totals.total < 0 else DocumentType.INVOICE,
        "status": Invoice.Status.DRAFT,
        "customer": preview.customer.code,
        "credits": None,
        "corrects": [],
        "currency": currency,
        "period": _span(preview.period.start, preview.period.end),
        "issue_date": None,
        "due_date": None,
        "lines": [line_json(line, currency=currency) for line in preview.lines],
        "credit_lines": [],
        "delta_reports": [],
        "allowances_charges": [allowance_json(part, currency=currency) for part in preview.on_document],
        "taxes": [tax_json(tax, currency=currency) for tax in preview.taxes],
        **_sums(preview.totals, currency=currency),
        "amount_due": None,
        "payments": [],
        "content_hash": None,
        "policy_version": preview.policy and str(preview.policy),
        "firing": None,
        "approvals_needed": approve.needed_by(preview.policy, total=preview.totals.total, currency=currency),
        "approvals": [],
        "holds": [],
        "breaks": [],
        "unusual": [],
        "transitions": [],
    }


def line_json(line: InvoiceLine, *, currency: str) -> dict[str, Any]:
    return {
        "id": line.pk,
        "position": line.position,
        "meter": line.meter_code or None,
        "unit": line.unit,
        "description": line.description,
        "segment": _span(line.segment_start, line.segment_end),
        "quantity": money.plain(line.quantity),
        "unit_price": line.unit_price or None,
        "price_version": line.rated_line.price_version_id,
        "effective_at": instant(line.rated_line.effective_at),
        "fee_version": line.rated_line.fee_version_id,
        "amount": money.amount_text(line.amount, currency=currency),
        "rounding": money.amount_text(line.rated_line.rounding, currency=currency),
        "tax_category": line.tax_category,
        "tax_percent": money.plain(line.tax_percent),
        "adjusts": line.adjusts_id,
        "deducts": [one.billed_id for one in line.deductions.all()] if line.pk else [],
    }


def credit_json(line: CreditLine, *, currency: str) -> dict[str, Any]:
    return {
        "id": line.pk,
        "position": line.position,
        "credits": line.credits_id,
        "description": line.description,
        "amount": money.amount_text(line.amount, currency=currency),
        "tax_category": line.tax_category,
        "tax_percent": money.plain(line.tax_percent),
    }


def _corrects(invoice: Invoice) -> list[dict[str, Any]]:
    """Each issued document that this one corrects or gives back."""
    lines = [*(line.adjusts for line in invoice.lines.all()), *(line.credits for line in invoice.credit_lines.all())]
    issued = {line.invoice_id: line.invoice for line in lines if line is not None}
    return [
        {"id": pk, "number": one.number, "issue_date": one.issue_date and one.issue_date.isoformat()}
        for pk, one in sorted(issued.items())
    ]


def allowance_json(part: InvoiceAllowanceCharge, *, currency: str) -> dict[str, str | None]:
    return {
        "kind": part.kind,
        "reason": part.reason,
        "percent": None if part.percent is None else money.plain(part.percent),
        "base": None if part.base is None else money.amount_text(part.base, currency=currency),
        "amount": money.amount_text(part.amount, currency=currency),
        "tax_category": part.tax_category,
        "tax_percent": money.plain(part.tax_percent),
    }


def _sums(figures: Invoice | Totals, *, currency: str) -> dict[str, str]:
    """From the lines to what is to be paid."""
    names = ("allowances", "charges", "subtotal", "tax", "total", "prepaid", "payable_rounding", "payable")
    return {name: money.amount_text(getattr(figures, name), currency=currency) for name in names}


def _amount_due(invoice: Invoice, settlement: Settlement) -> str | None:
    due = settlement.amount_due
    return None if due is None else money.amount_text(due, currency=invoice.currency)


def tax_json(tax: InvoiceTax, *, currency: str) -> dict[str, str]:
    return {
        "name": tax.name,
        "category": tax.category,
        "percent": money.plain(tax.percent),
        "taxable": money.amount_text(tax.taxable, currency=currency),
        "tax": money.amount_text(tax.tax, currency=currency),
        "note": tax.note,
    }


def instant(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, as all instants of the API."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _span(start: datetime, end: datetime) -> dict[str, str | None]:
    return {"start": instant(start), "end": instant(end)}


def _approvals(invoice: Invoice) -> list[dict[str, Any]]:
    kept = list(invoice.approvals.all())
    live = {one.pk for one in approve.standing_of(invoice, given=kept).given}
    return [
        {
            "person": one.person.get_username(),
            "given_at": instant(one.given_at),
            "content_hash": one.content_hash,
            "counts": one.pk in live,
            "audit_reference": one.audit_entry.reference,
        }
        for one in kept
    ]


def comment_json(comment: InvoiceComment) -> dict[str, Any]:
    return {
        "id": comment.pk,
        "customer": comment.invoice.customer.code,
        "author": comment.author.get_username(),
        "text": comment.text,
        "written_at": instant(comment.written_at),
    }


def outcomes_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How many came to which end, and each by itself."""
    counts = Counter(one.outcome for one in outcomes)
    return {
        **{name: counts[name] for name in ("approved", "first_of_two", "refused")},
        "items": [
            {"id": one.invoice_id, "outcome": one.outcome, "code": one.code or None, "detail": one.detail or None}
            for one in outcomes
        ],
    }


def _firing(invoice: Invoice) -> dict[str, Any] | None:
    """What brought an interim invoice; a close brings the others."""
    if invoice.kind != Invoice.Kind.INTERIM:
        return None
    firing = invoice.firing
    return {
        "id": firing.pk,
        "cause": firing.cause,
        "policy_version": str(firing.policy),
        "threshold": money.amount_text(firing.threshold, currency=firing.currency),
        "unbilled": money.amount_text(firing.unbilled, currency=firing.currency),
        "watermark": firing.watermark.seq,
        "charges": firing.facts,
        "fired_at": instant(firing.fired_at),
    }


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.pk,
        "cause": hold.cause,
        "policy_version": hold.policy and str(hold.policy),
        "reason_code": hold.listed_reason and hold.listed_reason.code,
        "reason": hold.reason,
        "placed_by": _name(hold.placed_by),
        "placed_at": instant(hold.placed_at),
        "released_by": _name(hold.released_by),
        "released_at": instant(hold.released_at),
        "release_reason": hold.release_reason,
    }


def _break(found: Break) -> dict[str, Any]:
    return {
        "id": found.pk,
        "name": found.name,
        "kind": found.kind or None,
        "detail": found.detail,
        "facts": found.facts,
        "repair": breaks.REPAIRS.get(found.kind),
        "opened_at": instant(found.opened_at),
        "closed_by": _name(found.closed_by),
        "closed_at": instant(found.closed_at),
        "closing_reason": found.closing_reason,
    }


def _unusual(figure: UnusualFigure, *, invoice: Invoice) -> dict[str, Any]:
    currency = invoice.currency
    return {
        "charge": figure.charge and figure.charge.code,
        "amount": money.amount_text(figure.amount, currency=currency),
        "least": money.amount_text(figure.least, currency=currency),
        "greatest": money.amount_text(figure.greatest, currency=currency),
        "periods": figure.periods,
        "times": money.plain(figure.times),
        "detail": draft.describe_unusual(figure, invoice=invoice),
    }


def _transition(move: InvoiceTransition) -> dict[str, Any]:
    return {
        "from_status": move.from_status,
        "to_status": move.to_status,
        "actor": _name(move.actor),
        "reason": move.reason,
        "content_hash": move.content_hash,
        "moved_at": instant(move.moved_at),
        "audit_reference": move.audit_entry.reference,
    }


def _name(person: Any) -> str | None:
    return None if person is None else person.get_username()
