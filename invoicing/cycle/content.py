"""What an invoice says, down to the evidence behind each line, and the one hash over all of it."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from core import canonical, money
from invoicing.cycle.models import CreditLine, DocumentType, Invoice, InvoiceAllowanceCharge, InvoiceLine, InvoiceTax

NO_DEDUCTIONS: Mapping[int, Sequence[int]] = MappingProxyType({})


def hash_of_rows(invoice: Invoice) -> str:
    """Hash the invoice as its rows say it now; equal to `content_hash` unless somebody changed a row."""
    return canonical.content_hash(document_of_rows(invoice))


def document_of_rows(invoice: Invoice) -> dict[str, Any]:
    """What is hashed, as the rows say it now; its canonical bytes give `content_hash`."""
    lines = list(
        invoice.lines.select_related("rated_line__snapshot").prefetch_related("deductions").order_by("position")
    )
    return _document(
        invoice,
        lines=lines,
        deducted=deducted_by(lines),
        taxes=invoice.taxes.all(),
        on_document=invoice.allowances_charges.all(),
        credit_lines=invoice.credit_lines.all(),
    )


def deducted_by(lines: Iterable[InvoiceLine]) -> dict[int, list[int]]:
    """The interim lines that each stored line takes off, by its position; read them with their deductions."""
    return {line.position: [one.billed_id for one in line.deductions.all()] for line in lines}


def hash_of(
    invoice: Invoice,
    *,
    lines: Iterable[InvoiceLine],
    deducted: Mapping[int, Sequence[int]] = NO_DEDUCTIONS,
    taxes: Iterable[InvoiceTax],
    on_document: Iterable[InvoiceAllowanceCharge],
    credit_lines: Iterable[CreditLine] = (),
) -> str:
    """SHA-256 of every figure and fact; the lines bring their rated lines and snapshots along."""
    return canonical.content_hash(
        _document(
            invoice,
            lines=lines,
            deducted=deducted,
            taxes=taxes,
            on_document=on_document,
            credit_lines=credit_lines,
        )
    )


def _document(
    invoice: Invoice,
    *,
    lines: Iterable[InvoiceLine],
    deducted: Mapping[int, Sequence[int]],
    taxes: Iterable[InvoiceTax],
    on_document: Iterable[InvoiceAllowanceCharge],
    credit_lines: Iterable[CreditLine] = (),
) -> dict[str, Any]:
    return {
        **_on_document(invoice, on_document),
        **_what_it_is(invoice),
        **_given_back(invoice, credit_lines),
        "seller": invoice.seller_id,
        "customer": invoice.customer_id,
        "parties": invoice.parties,
        "currency": invoice.currency,
        "period": [invoice.period_start, invoice.period_end],
        "terms_days": invoice.terms_days,
        "policy": invoice.policy_id,
        "lines": [
            _line(line, deducted=deducted.get(line.position, ()))
            for line in sorted(lines, key=lambda line: line.position)
        ],
        "taxes": [_tax(tax) for tax in sorted(taxes, key=lambda tax: (tax.category, tax.percent))],
        "totals": [money.plain(number) for number in (invoice.subtotal, invoice.tax, invoice.total)],
    }


def _what_it_is(invoice: Invoice) -> dict[str, str]:
    """Only where it is not the invoice of a whole period, so that an invoice from before says what it always said."""
    kind = {} if invoice.kind == Invoice.Kind.CYCLE else {"kind": str(invoice.kind)}
    is_invoice = invoice.document_type == DocumentType.INVOICE
    return kind | ({} if is_invoice else {"document_type": str(invoice.document_type)})


def _given_back(invoice: Invoice, lines: Iterable[CreditLine]) -> dict[str, Any]:
    """Only on a credit note that somebody asked for."""
    if invoice.credits_id is None:
        return {}
    rows = sorted(lines, key=lambda line: line.position)
    return {"credits": invoice.credits_id, "credit_lines": [_credit_line(line) for line in rows]}


def _credit_line(line: CreditLine) -> list[Any]:
    tax = [line.tax_category, money.plain(line.tax_percent)]
    return [line.position, line.credits_id, line.description, money.plain(line.amount), tax]


def _on_document(invoice: Invoice, parts: Iterable[InvoiceAllowanceCharge]) -> dict[str, Any]:
    """Only where there is something, so that an invoice from before says what it always said."""
    found = [_part(part) for part in sorted(parts, key=lambda part: part.position)]
    payable = [money.plain(number) for number in (invoice.prepaid, invoice.payable_rounding)]
    says = {"allowances_charges": found} if found else {}
    return says | ({"payable": payable} if payable != ["0", "0"] else {})


def _part(part: InvoiceAllowanceCharge) -> list[Any]:
    of = None if part.percent is None or part.base is None else [money.plain(part.percent), money.plain(part.base)]
    tax = [part.tax_category, money.plain(part.tax_percent)]
    return [part.position, part.term_id, part.kind, part.reason, of, money.plain(part.amount), tax]


def _line(line: InvoiceLine, *, deducted: Sequence[int]) -> dict[str, Any]:
    rated, snapshot = line.rated_line, line.rated_line.snapshot
    figures = {} if rated.fee_version_id is None else {"fee_version": rated.fee_version_id}
    less = {"deducts": sorted(deducted)} if deducted else {}
    return {
        **figures,
        **less,
        "position": line.position,
        "description": line.description,
        "meter": line.meter_code,
        "unit": line.unit,
        "segment": [line.segment_start, line.segment_end],
        "quantity": money.plain(line.quantity),
        "unit_price": line.unit_price,
        "amount": money.plain(line.amount),
        "tax": [line.tax_category, money.plain(line.tax_percent)],
        "adjusts": line.adjusts_id,
        "rated": [rated.price_version_id, rated.effective_at, money.plain(rated.quantity), money.plain(rated.amount)],
        "computation": rated.computation,
        "events": None if snapshot is None else [snapshot.event_count, snapshot.digest],
    }


def _tax(tax: InvoiceTax) -> list[str]:
    figures = [money.plain(number) for number in (tax.percent, tax.taxable, tax.tax)]
    return [tax.name, tax.category, *figures, tax.note]
