"""What stands on a document beside its lines: allowances and charges, taxes, totals and what is to be paid."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet, Sum

from compliance.evidence.rules import proof
from compliance.evidence.rules.proof import Check
from core import money, rounding
from core.errors import NotFoundError
from invoicing.cycle.models import CreditLine, Invoice, InvoiceAllowanceCharge, InvoiceLine
from invoicing.pricing.models import InvoiceTerm, ProposalStatus

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentTrace:
    """A document with its lines as they stand on it, each to be walked by itself, and what they come to."""

    invoice: Invoice
    lines: tuple[InvoiceLine, ...]
    credit_lines: tuple[CreditLine, ...]
    checks: tuple[Check, ...]

    @property
    def first_difference(self) -> Check | None:
        return proof.first_difference(self.checks)


def walk_document(*, invoice_id: int) -> DocumentTrace:
    """Add the document up again, in a number of statements that does not grow with its lines."""
    invoice = Invoice.objects.select_related("customer", "cycle").filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.")
    return DocumentTrace(
        invoice=invoice,
        lines=tuple(invoice.lines.order_by("position")),
        credit_lines=tuple(invoice.credit_lines.order_by("position")),
        checks=check_document(invoice),
    )


def check_document(invoice: Invoice) -> tuple[Check, ...]:
    """Each allowance and charge by its term, the taxes by their rates, the totals, and what is to be paid."""
    parts = list(invoice.allowances_charges.select_related("term").order_by("position"))
    lines = _sum(invoice.lines.all()) + _sum(invoice.credit_lines.all())
    off = sum((one.amount for one in parts if one.kind == InvoiceAllowanceCharge.Kind.ALLOWANCE), NOTHING)
    added = sum((one.amount for one in parts if one.kind == InvoiceAllowanceCharge.Kind.CHARGE), NOTHING)
    taxes = list(invoice.taxes.order_by("pk"))
    tax = sum((one.tax for one in taxes), NOTHING)
    return (
        *(check for part in parts for check in _check_part(part, lines=lines, currency=invoice.currency)),
        *_check_sums(invoice, off=off, added=added, are_agreed=bool(parts)),
        proof.compare("subtotal from the lines", claimed=invoice.subtotal, found=lines - off + added),
        *(
            proof.compare(
                f"{one.name}, {one.percent.normalize():f} % of {money.plain(one.taxable)}",
                claimed=one.tax,
                found=_percentage(one.taxable, one.percent, currency=invoice.currency),
            )
            for one in taxes
        ),
        proof.compare("tax from the tax lines", claimed=invoice.tax, found=tax),
        proof.compare("total", claimed=invoice.total, found=lines - off + added + tax),
        *_check_payable(invoice),
    )


def _check_sums(invoice: Invoice, *, off: Decimal, added: Decimal, are_agreed: bool) -> Iterator[Check]:
    if are_agreed:
        yield proof.compare("allowances on the document", claimed=invoice.allowances, found=off)
        yield proof.compare("charges on the document", claimed=invoice.charges, found=added)


def _check_part(part: InvoiceAllowanceCharge, *, lines: Decimal, currency: str) -> Iterator[Check]:
    """A percentage of what it is taken of; an amount as agreed, of which an allowance takes no more than there is."""
    term = part.term
    if part.percent is not None and part.base is not None:
        yield proof.compare(f"{part.reason}, its rate", claimed=part.percent, found=term.percent or NOTHING)
        name = f"{part.reason}, {part.percent.normalize():f} % of {money.plain(part.base)}"
        yield proof.compare(name, claimed=part.amount, found=_percentage(part.base, part.percent, currency=currency))
        return
    agreed = term.amount or NOTHING
    is_allowance = part.kind == InvoiceAllowanceCharge.Kind.ALLOWANCE
    there = max(lines, NOTHING)
    yield proof.compare(
        f"{part.reason}, as agreed", claimed=part.amount, found=min(agreed, there) if is_allowance else agreed
    )


def _check_payable(invoice: Invoice) -> Iterator[Check]:
    """What was paid in advance takes off no more than the total; the rounding ends at a multiple that was agreed."""
    if invoice.prepaid:
        most = max(invoice.total, NOTHING)
        yield proof.compare(
            "paid in advance, no more than the total", claimed=invoice.prepaid, found=min(invoice.prepaid, most)
        )
    if invoice.payable_rounding:
        payable = invoice.total - invoice.prepaid + invoice.payable_rounding
        plans = invoice.lines.values("rated_line__charge__plan")
        terms = InvoiceTerm.objects.filter(
            Q(subscription=invoice.cycle.subscription_id) | Q(plan__in=plans),
            kind=InvoiceTerm.Kind.ROUNDING,
            status=ProposalStatus.APPROVED,
            amount__gt=0,
        )
        fitting = [one for one in set(terms.values_list("amount", flat=True)) if one and payable % one == 0]
        found = "a multiple that was agreed" if fitting else "no multiple that was agreed"
        yield proof.compare("amount to be paid, rounded", claimed="a multiple that was agreed", found=found)


def _percentage(of: Decimal, percent: Decimal, *, currency: str) -> Decimal:
    with rounding.exactly():
        return money.round_amount(of * percent / 100, currency=currency)


def _sum(rows: QuerySet[InvoiceLine] | QuerySet[CreditLine]) -> Decimal:
    total: Decimal | None = rows.aggregate(sum=Sum("amount"))["sum"]
    return total or NOTHING
