"""Write drafts: invoices with their lines and taxes, the recount that stands behind each, and its breaks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from accounts.models import Customer, Seller
from core import bulk, personal_keys
from core.told import Told
from invoicing.cycle import content, delta, move, prepayments, undisturbed
from invoicing.cycle.bills import Bill, BillLine, Differing
from invoicing.cycle.models import (
    Break,
    BreakEvent,
    Deduction,
    DocumentType,
    Hold,
    Invoice,
    InvoiceAllowanceCharge,
    InvoiceLine,
    InvoiceTax,
    TieOut,
    UnusualFigure,
)
from invoicing.cycle.rules import agreed, tie_out, wording
from invoicing.cycle.rules.totals import AllowanceCharge, Totals
from metering.models import Watermark
from metering.queries import EventDifference

NOT_TIED = "The stages do not tie."
UNLIKE_ITS_PAST = "Figures far outside the customer's own past."


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one draft, before any of them is written."""

    invoice: Invoice
    lines: list[InvoiceLine]
    on_document: list[InvoiceAllowanceCharge]
    taxes: list[InvoiceTax]
    findings: tuple[tie_out.Finding, ...] = field(default=())
    unusual: list[UnusualFigure] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        """Whether it is born held."""
        return bool(self.findings or self.unusual)


def draft_invoices(
    bills: Sequence[Bill],
    *,
    seller: Seller,
    watermark: Watermark,
    agreed_up_to: int,
    actor: AbstractBaseUser | None,
    at: datetime,
) -> list[Sheet]:
    """Write one draft per bill, all bills in a fixed number of statements; held at once where the stages differ.

    `agreed_up_to` is the mark that was taken before agreements were read; AgreementsMovedError if they moved since.
    """
    if not bills:
        return []
    prepaid = prepayments.Prepaid(bills)
    keys = personal_keys.make_keys(len(bills))
    sheets = [
        _fill_in(bill, key_id=key_id, prepaid=prepaid, seller=seller, watermark=watermark, actor=actor, at=at)
        for bill, key_id in zip(bills, keys, strict=True)
    ]
    bulk.insert_rows([sheet.invoice for sheet in sheets])
    bulk.insert_rows([_belonging(line, sheet.invoice) for sheet in sheets for line in sheet.lines])
    bulk.insert_rows([_belonging(part, sheet.invoice) for sheet in sheets for part in sheet.on_document])
    bulk.insert_rows([_belonging(tax, sheet.invoice) for sheet in sheets for tax in sheet.taxes])
    bulk.insert_rows(_deductions(bills, sheets))
    bulk.insert_rows([_belonging(figure, sheet.invoice) for sheet in sheets for figure in sheet.unusual])
    _write_results(bills, sheets, at=at)
    drafted = [
        (sheet.invoice, sheet.lines, [line.cause for line in bill.lines])
        for bill, sheet in zip(bills, sheets, strict=True)
    ]
    delta.report_adjustments(drafted, actor=actor, at=at)
    why = {sheet.invoice.pk: NOT_TIED if sheet.findings else UNLIKE_ITS_PAST for sheet in sheets if sheet.is_held}
    move.record_births([sheet.invoice for sheet in sheets], why_held=why, actor=actor, at=at)
    undisturbed.require_nothing_agreed({bill.due.subscription_id for bill in bills}, since=agreed_up_to)
    return sheets


def _deductions(bills: Sequence[Bill], sheets: Sequence[Sheet]) -> list[Deduction]:
    """What each written line takes off for interim invoices."""
    return [
        Deduction(line=row, billed=billed)
        for bill, sheet in zip(bills, sheets, strict=True)
        for line, row in zip(bill.lines, sheet.lines, strict=True)
        for billed in line.deducts
    ]


def _belonging(row: Any, invoice: Invoice) -> Any:
    row.invoice = invoice  # now that the invoice has its id
    return row


def _fill_in(
    bill: Bill,
    *,
    key_id: int,
    prepaid: prepayments.Prepaid,
    seller: Seller,
    watermark: Watermark,
    actor: AbstractBaseUser | None,
    at: datetime,
) -> Sheet:
    lines = [line_row(line, position=position) for position, line in enumerate(bill.lines, start=1)]
    sums, parts = total_bill(bill, prepaid_left=prepaid.left_for(bill))
    prepaid.use(bill, sums.prepaid)
    taxes, on_document = tax_rows(sums), allowance_rows(parts, key_id=key_id)
    findings = bill.result.findings if bill.result else ()
    invoice = _invoice_row(
        bill,
        sums,
        is_held=bool(findings or bill.unusual),
        seller=seller,
        watermark=watermark,
        parties=parties(seller=seller, customer=bill.customer, zone=bill.zone, key_id=key_id),
        personal_key_id=key_id,
        drafted_by_id=None if actor is None else actor.pk,
        drafted_at=at,
    )
    deducted = {number: [one.pk for one in line.deducts] for number, line in enumerate(bill.lines, start=1)}
    invoice.content_hash = content.hash_of(
        invoice, lines=lines, deducted=deducted, taxes=taxes, on_document=on_document
    )
    return Sheet(
        invoice=invoice, lines=lines, on_document=on_document, taxes=taxes, findings=findings, unusual=bill.unusual
    )


def _invoice_row(bill: Bill, sums: Totals, *, is_held: bool, **facts: Any) -> Invoice:
    """The invoice with its sums, without what the hash over all of it adds; being held is a move of its own."""
    return bulk.new_row(
        Invoice,
        cycle=bill.cycle,
        customer=bill.customer,
        policy=bill.policy,
        kind=bill.kind,
        document_type=DocumentType.CREDIT_NOTE if sums.total < 0 else DocumentType.INVOICE,
        status=Invoice.Status.HELD if is_held else Invoice.Status.DRAFT,
        revision=1 if is_held else 0,
        currency=bill.currency,
        period_start=bill.period.start,
        period_end=bill.period.end,
        terms_days=bill.customer.payment_terms_days,
        allowances=sums.allowances,
        charges=sums.charges,
        subtotal=sums.subtotal,
        tax=sums.tax,
        total=sums.total,
        prepaid=sums.prepaid,
        payable_rounding=sums.payable_rounding,
        **facts,
    )


def total_bill(bill: Bill, *, prepaid_left: Decimal = Decimal(0)) -> tuple[Totals, tuple[AllowanceCharge, ...]]:
    """What the bill comes to with all that was agreed for its document."""
    lines = [(line.taxes, line.amount) for line in bill.lines]
    parts = agreed.apply_terms(lines, terms=bill.terms, taxes=bill.taxes, currency=bill.currency)
    sums = agreed.total_document(
        lines,
        on_document=parts,
        rounds_to=bill.terms.rounds_to,
        currency=bill.currency,
        prepaid_left=prepaid_left,
    )
    return sums, parts


def printed(reason: str, *, key_id: int | None) -> str:
    """What was agreed with one customer, under the key of the document that it is printed on: it goes with that one."""
    return personal_keys.tell_under(key_id, str(reason)) if isinstance(reason, Told) else reason


def allowance_rows(parts: Sequence[AllowanceCharge], *, key_id: int | None = None) -> list[InvoiceAllowanceCharge]:
    """One row per allowance or charge, not written yet."""
    return [
        InvoiceAllowanceCharge(
            position=position,
            term_id=part.term_id,
            kind=part.kind,
            reason=printed(part.reason, key_id=key_id),
            percent=part.percent,
            base=part.base,
            amount=part.amount,
            tax_category=part.taxes.category,
            tax_percent=part.taxes.percent,
        )
        for position, part in enumerate(parts, start=1)
    ]


def line_row(line: BillLine, *, position: int) -> InvoiceLine:
    """The line as it will be printed, not written yet."""
    meter = line.charge.meter
    return bulk.new_row(
        InvoiceLine,
        position=position,
        rated_line=line.rated,
        description=line.description,
        meter_code=meter.code if meter else "",
        unit=meter.unit if meter else "",
        segment_start=line.rated.segment_start,
        segment_end=line.rated.segment_end,
        quantity=line.quantity,
        unit_price=wording.unit_price(line.rated.computation, quantity=line.rated.quantity),
        amount=line.amount,
        tax_category=line.taxes.category,
        tax_percent=line.taxes.percent,
        adjusts=line.adjusts,
    )


def tax_rows(sums: Totals) -> list[InvoiceTax]:
    """One row per category and rate, not written yet."""
    return [
        InvoiceTax(
            name=one.terms.name,
            category=one.terms.category,
            percent=one.terms.percent,
            taxable=one.taxable,
            tax=one.tax,
            note=one.terms.note,
        )
        for one in sums.taxes
    ]


def parties(*, seller: Seller, customer: Customer, zone: str, key_id: int) -> dict[str, dict[str, str]]:
    """Both sides as they are now, the customer under the key of the document; the periods are counted in `zone`."""
    who = {
        "name": customer.legal_name,
        "address": customer.address,
        "tax_id": customer.tax_id,
        "email": customer.email,
    }
    return {
        "seller": {
            "name": seller.legal_name,
            "address": seller.address,
            "country": seller.country,
            "tax_id": seller.tax_id,
            "email": seller.email,
            "bank_details": seller.bank_details,
        },
        "customer": {
            **{name: personal_keys.seal_text(text, key_id=key_id) for name, text in who.items()},
            "code": customer.code,
            "country": customer.country,
            "time_zone": zone,
        },
    }


def _write_results(bills: Sequence[Bill], sheets: Sequence[Sheet], *, at: datetime) -> None:
    results = [
        tie_out_row(sheet.invoice, result=bill.result, at=at)
        for bill, sheet in zip(bills, sheets, strict=True)
        if bill.result is not None
    ]
    bulk.insert_rows(results)
    by_invoice = {row.invoice_id: row for row in results}
    keep_breaks(
        [
            (finding, differing, by_invoice[sheet.invoice.pk])
            for bill, sheet in zip(bills, sheets, strict=True)
            for finding, differing in zip(sheet.findings, bill.differing, strict=True)
        ],
        at=at,
    )
    bulk.insert_rows(
        [
            Hold(
                invoice=sheet.invoice,
                policy_id=sheet.invoice.policy_id,
                cause=_cause(sheet),
                reason=_why_held(sheet),
                placed_at=at,
            )
            for sheet in sheets
            if sheet.is_held
        ]
    )


def tie_out_row(invoice: Invoice, *, result: tie_out.Result, at: datetime) -> TieOut:
    return TieOut(
        invoice=invoice,
        raw_events=result.raw_events,
        aggregated_events=result.aggregated_events,
        rated_lines=result.rated_lines,
        is_tied=not result.findings,
        checked_at=at,
    )


def keep_breaks(found: Sequence[tuple[tie_out.Finding, Differing, TieOut]], *, at: datetime) -> None:
    """Open a break for each finding, with the events that differ."""
    rows = [_break_row(finding, differing, tie_out=row, at=at) for finding, differing, row in found]
    bulk.insert_rows(rows)
    bulk.insert_rows(
        [
            _break_event(event, found=row, position=position)
            for row, (_, differing, _) in zip(rows, found, strict=True)
            for position, event in enumerate(differing.events, start=1)
        ]
    )


def _break_event(event: EventDifference, *, found: Break, position: int) -> BreakEvent:
    return bulk.new_row(
        BreakEvent,
        of_break=found,
        position=position,
        difference=event.what,
        seq=event.seq,
        source=event.source,
        event_id=event.event_id,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
        channel=event.channel,
        kept_fingerprint="" if event.kept is None else event.kept.hex(),
        raw_fingerprint="" if event.raw is None else event.raw.hex(),
    )


def _break_row(finding: tie_out.Finding, differing: Differing, *, tie_out: TieOut, at: datetime) -> Break:
    return Break(
        invoice=tie_out.invoice,
        tie_out=tie_out,
        name=finding.name,
        kind=differing.kind,
        detail=finding.detail[:400],
        facts=finding.facts,
        opened_at=at,
    )


def _cause(sheet: Sheet) -> Hold.Cause:
    return Hold.Cause.BREAK if sheet.findings else Hold.Cause.REVIEW


def _why_held(sheet: Sheet) -> str:
    """Breaks first, since they cannot be released; what is unusual stands behind them."""
    said = [hold_reason(sheet.findings)] if sheet.findings else []
    return " ".join([*said, *(describe_unusual(figure, invoice=sheet.invoice) for figure in sheet.unusual[:1])])


def describe_unusual(figure: UnusualFigure, *, invoice: Invoice) -> str:
    """Both figures in a sentence."""
    return wording.unusual_figure(
        name=figure.charge.name if figure.charge else "The whole invoice",
        amount=figure.amount,
        least=figure.least,
        greatest=figure.greatest,
        periods=figure.periods,
        times=figure.times,
        currency=invoice.currency,
    )


def hold_reason(findings: Sequence[tie_out.Finding]) -> str:
    """The first break in words, and how many more there are."""
    more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
    return findings[0].detail + more
