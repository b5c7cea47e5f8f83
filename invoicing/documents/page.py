"""An InvoiceDocument in the words of the page: figures and dates as text, nothing left for the template to decide."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale

from invoicing.documents.document import (
    DocumentAllowance,
    DocumentLine,
    DocumentParty,
    DocumentStep,
    DocumentTax,
    InvoiceDocument,
)
from invoicing.documents.rules import extent, figures

SEE_ANNEX = "see annex"  # in place of a unit price, where there are several
NO_BREAK = "\u00a0"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """How this document writes numbers and dates."""

    document: InvoiceDocument

    def amount(self, amount: Decimal) -> str:
        return figures.amount_text(amount, currency=self.document.currency, locale=self.document.locale)

    def number(self, number: Decimal | None) -> str:
        return "" if number is None else figures.number_text(number, locale=self.document.locale)

    def price(self, price: Decimal | None) -> str:
        if price is None:
            return ""
        return figures.price_text(price, currency=self.document.currency, locale=self.document.locale)

    def percent(self, percent: Decimal) -> str:
        return figures.percent_text(percent, locale=self.document.locale)

    def span(self, item: DocumentLine) -> str:
        text = figures.span_text(item.start, item.end, zone=self.document.time_zone, locale=self.document.locale)
        # Where a time makes it long, it may break only between its two ends.
        return " – ".join(end.replace(" ", NO_BREAK) for end in text.split(" – ")) if ":" in text else text


def page_context(document: InvoiceDocument) -> dict[str, Any]:
    """What the template prints; the sums of printed and attached lines add up to the subtotal."""
    words = _Words(document=document)
    size = extent.measure(document)
    name = "Credit note" if document.is_credit_note else "Invoice"
    return {
        "document": document,
        "title": f"Draft {name.lower()}" if document.is_draft else f"{name} {document.number}",
        "name": name,
        "logo": _data_url(document.logo_svg),
        "parties": [("From", _party(document.seller, document)), ("Bill to", _party(document.customer, document))],
        "facts": _facts(document),
        "shows_tax_rates": len({(line.tax_category, line.tax_percent) for line in document.lines}) > 1,
        "lines": [_line(line, words) for line in size.printed],
        "attached": _attached(size.attached, words),
        "line_sum": words.amount(document.subtotal - sum((one.amount for one in document.allowances), Decimal(0))),
        "allowances": [_allowance(one, words) for one in document.allowances],
        "subtotal": words.amount(document.subtotal),
        "taxes": [_tax(tax, words) for tax in document.taxes],
        "total": words.amount(document.total),
        "settlement": _settlement(document, words),
        "total_label": _total_label(document),
        "corrects": _corrects(document),
        "changes": [_change(line, words) for line in size.printed if line.change is not None],
        "terms": _terms(document),
        "explained": [_line(line, words) | {"steps": [_step(s, words) for s in line.steps]} for line in size.explained],
        "explained_elsewhere": len(size.explained_elsewhere),
    }


def _party(party: DocumentParty, document: InvoiceDocument) -> dict[str, Any]:
    country = Locale.parse(document.locale).territories.get(party.country, party.country)
    return {
        "name": party.name,
        "lines": [*party.address, country] if country else list(party.address),
        "tax_id": party.tax_id,
        "email": party.email,
    }


def _facts(document: InvoiceDocument) -> list[tuple[str, str]]:
    """The strip under the parties; what a draft does not have yet is named as such."""
    locale = document.locale
    period = figures.span_text(document.period_start, document.period_end, zone=document.time_zone, locale=locale)
    dates = [("Issue date", _date(document.issue_date, locale)), ("Due date", _date(document.due_date, locale))]
    if document.is_credit_note:
        dates[1] = ("Credit note to", _corrected(document))
    return [
        (f"{_main_figure(document)} ({document.currency})", _Words(document=document).amount(document.payable)),
        *dates,
        (f"Billing period ({document.time_zone})", period),
        ("Customer", document.customer_code),
    ]


def _date(day: date | None, locale: str) -> str:
    return figures.date_text(day, locale=locale) if day else "when final"


def _corrected(document: InvoiceDocument) -> str:
    """The one document, or how many; all of them are named below the lines."""
    numbers = [one.number for one in document.corrects]
    return numbers[0] if len(numbers) == 1 else f"{len(numbers)} documents"


def _main_figure(document: InvoiceDocument) -> str:
    if document.is_credit_note:
        return "Credit"
    return "Total" if document.payable == document.total else "To be paid"


def _settlement(document: InvoiceDocument, words: _Words) -> list[tuple[str, str]]:
    """From the total to what is to be paid; nothing where both are one."""
    if not document.prepaid and not document.payable_rounding:
        return []
    rows = [("Paid in advance", -document.prepaid), ("Rounding", document.payable_rounding)]
    rows = [row for row in rows if row[1]]
    label = "Credit" if document.is_credit_note else "To be paid"
    shown = [*rows, (f"{label} ({document.currency})", document.payable)]
    return [(label, words.amount(amount)) for label, amount in shown]


def _allowance(part: DocumentAllowance, words: _Words) -> dict[str, str]:
    share = ""
    if part.percent is not None and part.base is not None:
        share = f", {words.percent(part.percent)} of {words.amount(part.base)}"
    return {"label": f"{part.reason}{share}", "amount": words.amount(part.amount)}


def _total_label(document: InvoiceDocument) -> str:
    if document.is_credit_note:
        return "Total credit"
    return "Total in your favour" if document.total < 0 else "Total"


def _corrects(document: InvoiceDocument) -> list[str]:
    """Each document that this one corrects, by number and date: nothing else would name it without doubt."""
    return [f"{one.number} of {figures.date_text(one.issue_date, locale=document.locale)}" for one in document.corrects]


def _change(line: DocumentLine, words: _Words) -> dict[str, Any]:
    change = line.change
    assert change is not None  # noqa: S101  asked by the caller
    return {
        "position": line.position,
        "corrects": line.adjusts,
        "unit": line.unit,
        "quantity_before": words.number(change.quantity_before),
        "quantity_after": words.number(change.quantity_after),
        "amount_before": words.amount(change.amount_before),
        "amount_after": words.amount(change.amount_after),
        "difference": words.amount(change.amount_after - change.amount_before),
    }


def _terms(document: InvoiceDocument) -> str:
    if document.is_credit_note:
        return "Nothing is to be paid: the credit is set off against what you owe, now or next."
    if document.payable <= 0:
        return "Nothing is to be paid on this invoice."
    if document.due_date:
        return f"Please pay by {figures.date_text(document.due_date, locale=document.locale)}."
    return f"Payable within {document.terms_days} days of the issue date."


def _line(line: DocumentLine, words: _Words) -> dict[str, Any]:
    return {
        "position": line.position,
        "description": line.description,
        "span": words.span(line),
        "adjusts": line.adjusts,
        "quantity": words.number(line.quantity),
        "unit": line.unit,
        "unit_price": _unit_price(line, words),
        "tax": words.percent(line.tax_percent),
        "amount": words.amount(line.amount),
    }


def _unit_price(line: DocumentLine, words: _Words) -> str:
    if extent.needs_steps(line) and not line.unit_price:
        return SEE_ANNEX
    document = words.document
    return figures.quoted_price_text(line.unit_price, currency=document.currency, locale=document.locale)


def _attached(lines: Sequence[DocumentLine], words: _Words) -> dict[str, str] | None:
    if not lines:
        return None
    total = sum((line.amount for line in lines), Decimal(0))
    return {
        "first": words.number(Decimal(lines[0].position)),
        "last": words.number(Decimal(lines[-1].position)),
        "amount": words.amount(total),
    }


def _tax(tax: DocumentTax, words: _Words) -> dict[str, str]:
    return {
        "label": f"{tax.name} {words.percent(tax.percent)}" if tax.percent else tax.name,
        "taxable": words.amount(tax.taxable),
        "tax": words.amount(tax.tax),
        "note": tax.note,
    }


def _step(step: DocumentStep, words: _Words) -> dict[str, str]:
    """Figures that are there; a discount or what is missing to a minimum is money without units or price."""
    has_units = bool(step.quantity or step.unit_price)
    return {
        "label": step.label,
        "quantity": words.number(step.quantity) if has_units else "",
        "unit_price": words.price(step.unit_price) if has_units else "",
        "flat_fee": words.price(step.flat_fee or None),
        "amount": words.price(step.amount),
    }


def _data_url(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" if svg else ""
