"""Give an issued invoice back, in full or in part: a credit note that a second person approves and issues."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, Sum

from accounts import roles
from accounts.roles import Role
from core import bulk, money, personal_keys
from core.errors import DomainError, InvalidInputError
from invoicing.cycle import content, delta, draft, move
from invoicing.cycle.adjust import UNDECIDED
from invoicing.cycle.models import (
    CreditLine,
    DeltaReport,
    DeltaRow,
    DocumentType,
    Invoice,
    InvoiceAllowanceCharge,
    InvoiceLine,
    InvoiceTax,
)
from invoicing.cycle.rules import corrections, reasons, totals
from invoicing.cycle.rules.totals import AllowanceCharge, TaxTerms, Totals
from invoicing.policy import queries as policy_queries

NOTHING = Decimal(0)


class NothingToCreditError(DomainError):
    """Nothing of the invoice is left to be given back."""

    code = "nothing_to_credit"


class CreditTooHighError(InvalidInputError):
    """More is to be given back than was billed and not given back yet."""

    code = "credit_too_high"


class CorrectionPendingError(DomainError):
    """Another document that changes the line is not decided yet."""

    code = "correction_pending"


@dataclass(frozen=True, slots=True)
class Creditable:
    """An issued line, and what of it can still be given back, with the line's sign."""

    line: InvoiceLine
    left: Decimal


@transaction.atomic
def ask_for_credit(
    *, invoice_id: int, reason: str, amounts: Mapping[int, Decimal] | None = None, actor: Any, at: datetime
) -> Invoice:
    """Draft a credit note over a final invoice, with its delta report; a colleague approves both, never `actor`.

    `amounts` says by line, before tax and above 0, how much is given back; without it everything that is left is,
    discounts and charges on the document included. The reason is printed.
    """
    roles.require_role(actor, Role.FINANCE, to="ask for credit notes")
    reason = reasons.clean_reason(reason)
    issued = move.lock_invoice(invoice_id=invoice_id)
    if issued.status != Invoice.Status.FINAL or issued.document_type != DocumentType.INVOICE:
        raise move.WrongStateError("Only a final invoice is credited; a draft is discarded instead.")
    _require_nothing_pending(issued)
    chosen = _choose(creditable_lines(issued), amounts=amounts, currency=issued.currency)
    note = _draft_note(issued, chosen, is_whole=amounts is None, actor=actor, at=at)
    printed = personal_keys.tell_about(note, reason)  # it goes with the document, not with the customer
    report = bulk.new_row(DeltaReport, kind=DeltaReport.Kind.ADJUSTMENT, invoice=note, reason=printed)
    delta.write_reports([(report, [_row(each, note=note) for each in chosen])], actor=actor, at=at)
    move.record_births([note], why_held={}, actor=actor, at=at)
    return note


def creditable_lines(issued: Invoice) -> list[Creditable]:
    """The lines of a final invoice of which something is left, in their order."""
    lines = issued.lines.order_by("position").annotate(
        corrected=Sum("adjusted_by__amount", filter=Q(adjusted_by__invoice__status=Invoice.Status.FINAL))
    )
    credited = credited_by_line(Q(credits__invoice=issued) & ~Q(invoice__status=Invoice.Status.DISCARDED))
    found = [
        Creditable(
            line,
            corrections.creditable(
                amount=line.amount, corrected=line.corrected or NOTHING, credited=credited.get(line.pk, NOTHING)
            ),
        )
        for line in lines
    ]
    return [each for each in found if each.left]


def credited_by_line(which: Q) -> dict[int, Decimal]:
    """What these credit lines give back, by the line that they credit; below 0 for what was charged."""
    sums = CreditLine.objects.filter(which).values("credits").annotate(given=Sum("amount")).order_by("credits")
    return {row["credits"]: row["given"] for row in sums}


def _require_nothing_pending(issued: Invoice) -> None:
    pending = InvoiceLine.objects.filter(adjusts__invoice=issued, invoice__status__in=UNDECIDED).first()
    if pending is not None:
        raise CorrectionPendingError(
            f"Draft {pending.invoice_id} corrects a line of this invoice; decide on it before anything is given back."
        )


def _choose(found: Sequence[Creditable], *, amounts: Mapping[int, Decimal] | None, currency: str) -> list[Creditable]:
    """What is given back of which line, with the line's sign."""
    if not found:
        raise NothingToCreditError("Everything on this invoice has been given back already.")
    if amounts is None:
        return list(found)
    if not amounts:
        raise InvalidInputError("Name at least one line and an amount.", pointer="/lines")
    left = {each.line.pk: each for each in found}
    return [_part(left.get(line_id), line_id, amount, currency=currency) for line_id, amount in amounts.items()]


def _part(each: Creditable | None, line_id: int, amount: Decimal, *, currency: str) -> Creditable:
    if each is None:
        raise CreditTooHighError(f"Line {line_id} is not on this invoice, or nothing of it is left.", pointer="/lines")
    if not amount.is_finite() or amount <= 0 or money.round_amount(amount, currency=currency) != amount:
        raise InvalidInputError(f"An amount of {currency} above 0 is needed.", pointer="/lines")
    if each.left < 0:
        raise InvalidInputError("A line in the customer's favour is given back only with the whole.", pointer="/lines")
    if amount > each.left:
        shown = money.amount_text(each.left, currency=currency)
        raise CreditTooHighError(f"At most {shown} of line {each.line.position} can be given back.", pointer="/lines")
    return Creditable(each.line, amount)


def _draft_note(issued: Invoice, chosen: Sequence[Creditable], *, is_whole: bool, actor: Any, at: datetime) -> Invoice:
    words = _tax_words(issued)
    lines = [_line(each, position=position) for position, each in enumerate(chosen, start=1)]
    given = [(words[line.tax_category, line.tax_percent], line.amount) for line in lines]
    turned = _turned(issued, words=words) if is_whole else ([], [])
    sums = totals.total_up(given, currency=issued.currency, on_document=turned[1])
    note = _note(issued, sums, is_whole=is_whole, actor=actor, at=at)
    for part in turned[0]:
        part.reason = draft.printed(part.reason, key_id=note.personal_key_id)
    taxes = draft.tax_rows(sums)
    note.content_hash = content.hash_of(note, lines=(), taxes=taxes, on_document=turned[0], credit_lines=lines)
    bulk.insert_rows([note])
    for rows in (lines, turned[0], taxes):
        for row in rows:
            row.invoice = note
        bulk.insert_rows(rows)
    return note


def _note(issued: Invoice, sums: Totals, *, is_whole: bool, actor: Any, at: datetime) -> Invoice:
    if sums.total >= 0 or -sums.total > issued.total:
        raise CreditTooHighError("That is more than this invoice came to, with its discounts.", pointer="/lines")
    zone = issued.parties["customer"]["time_zone"]
    (key_id,) = personal_keys.make_keys(1)
    return bulk.new_row(
        Invoice,
        cycle_id=issued.cycle_id,
        customer=issued.customer,
        seller=issued.seller,
        watermark_id=issued.watermark_id,
        policy=policy_queries.policy_of(issued.customer, at=at) or issued.policy,
        kind=Invoice.Kind.ADJUSTMENT,
        document_type=DocumentType.CREDIT_NOTE,
        credits=issued,
        currency=issued.currency,
        period_start=issued.period_start,
        period_end=issued.period_end,
        parties=draft.parties(seller=issued.seller, customer=issued.customer, zone=zone, key_id=key_id),
        personal_key_id=key_id,
        terms_days=issued.terms_days,
        allowances=sums.allowances,
        charges=sums.charges,
        subtotal=sums.subtotal,
        tax=sums.tax,
        total=sums.total,
        payable_rounding=-issued.payable_rounding if is_whole and -sums.total == issued.total else NOTHING,
        drafted_by_id=actor.pk,
        drafted_at=at,
    )


def _line(each: Creditable, *, position: int) -> CreditLine:
    line = each.line
    return bulk.new_row(
        CreditLine,
        position=position,
        credits=line,
        description=line.description,
        amount=-each.left,
        tax_category=line.tax_category,
        tax_percent=line.tax_percent,
    )


def _turned(
    issued: Invoice, *, words: Mapping[tuple[str, Decimal], TaxTerms]
) -> tuple[list[InvoiceAllowanceCharge], list[AllowanceCharge]]:
    """Discounts and charges on the document taken back, unless an earlier credit note took them back."""
    if InvoiceAllowanceCharge.objects.filter(
        Q(invoice__credits=issued) & ~Q(invoice__status=Invoice.Status.DISCARDED)
    ).exists():
        return [], []
    rows = list(issued.allowances_charges.all())
    for row in rows:
        row.pk, row.amount = None, -row.amount
        row.base = None if row.base is None else -row.base
    values = [
        AllowanceCharge(
            kind="charge" if row.kind == InvoiceAllowanceCharge.Kind.CHARGE else "allowance",
            reason=row.reason,
            taxes=words[row.tax_category, row.tax_percent],
            amount=row.amount,
            term_id=row.term_id,
        )
        for row in rows
    ]
    return rows, values


def _tax_words(issued: Invoice) -> dict[tuple[str, Decimal], TaxTerms]:
    return {
        (tax.category, tax.percent): TaxTerms(name=tax.name, category=tax.category, percent=tax.percent, note=tax.note)
        for tax in InvoiceTax.objects.filter(invoice=issued)
    }


def _row(each: Creditable, *, note: Invoice) -> DeltaRow:
    """Before and after of what is charged; what was used stays as it is."""
    line = each.line
    return bulk.new_row(
        DeltaRow,
        customer_id=note.customer_id,
        corrects=line,
        cause=DeltaRow.Cause.CREDIT,
        description=line.description,
        unit=line.unit,
        segment_start=line.segment_start,
        segment_end=line.segment_end,
        currency=note.currency,
        before_quantity=line.quantity,
        after_quantity=line.quantity,
        before_amount=line.amount,
        after_amount=line.amount - each.left,
    )
