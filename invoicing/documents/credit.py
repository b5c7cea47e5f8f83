"""A document in the customer's favour as a credit note: what it gives back, printed without a sign."""

from dataclasses import replace
from decimal import Decimal

from invoicing.documents.document import DocumentLine, DocumentStep, InvoiceDocument


def as_credit_note(document: InvoiceDocument) -> InvoiceDocument:
    """The same document with the sign of every figure turned, as type 381 shows them (EN 16931 BT-3).

    What a line was before and after its correction keeps its sign: it is not given back, it is compared.
    """
    return replace(
        document,
        is_credit_note=True,
        lines=tuple(_turn_line(line) for line in document.lines),
        allowances=tuple(replace(one, amount=-one.amount, base=_turn(one.base)) for one in document.allowances),
        taxes=tuple(replace(one, taxable=-one.taxable, tax=-one.tax) for one in document.taxes),
        subtotal=-document.subtotal,
        tax=-document.tax,
        total=-document.total,
        prepaid=-document.prepaid,
        payable_rounding=-document.payable_rounding,
    )


def _turn_line(line: DocumentLine) -> DocumentLine:
    return replace(
        line, quantity=-line.quantity, amount=-line.amount, steps=tuple(_turn_step(step) for step in line.steps)
    )


def _turn_step(step: DocumentStep) -> DocumentStep:
    """A price stays a price; units and money turn."""
    return replace(step, quantity=_turn(step.quantity), flat_fee=_turn(step.flat_fee), amount=-step.amount)


def _turn(figure: Decimal | None) -> Decimal | None:
    return None if figure is None else -figure
