"""The walk forward from a line: which later lines correct it, give it back, or take off what it billed."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from invoicing.cycle.models import CreditLine, Invoice, InvoiceLine


class How(StrEnum):
    """What a later line does to an earlier one."""

    CORRECTED = "corrected by"
    GIVEN_BACK = "given back by"
    TAKEN_OFF = "taken off by"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A later line, of an invoice or (`is_credit`) of a credit note, in whatever state its document is."""

    how: How
    invoice: Invoice
    line_id: int
    position: int
    amount: Decimal
    is_credit: bool = False


def what_follows(line: InvoiceLine) -> tuple[Followed, ...]:
    """In the order in which it was drafted, without discarded drafts."""
    return tuple(_what_follows(line))


def _what_follows(line: InvoiceLine) -> Iterator[Followed]:
    later = InvoiceLine.objects.exclude(invoice__status=Invoice.Status.DISCARDED).select_related("invoice")
    for one in later.filter(deductions__billed=line).order_by("pk"):
        yield _of(one, How.TAKEN_OFF)
    for one in later.filter(adjusts=line).order_by("pk"):
        yield _of(one, How.CORRECTED)
    given_back = CreditLine.objects.filter(credits=line).exclude(invoice__status=Invoice.Status.DISCARDED)
    for credit in given_back.select_related("invoice").order_by("pk"):
        yield Followed(
            how=How.GIVEN_BACK,
            invoice=credit.invoice,
            line_id=credit.pk,
            position=credit.position,
            amount=credit.amount,
            is_credit=True,
        )


def _of(line: InvoiceLine, how: How) -> Followed:
    return Followed(how=how, invoice=line.invoice, line_id=line.pk, position=line.position, amount=line.amount)
