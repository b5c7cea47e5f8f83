"""What is read of invoices: the printed document as a plain value, and lists for the doors."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db.models import Prefetch, QuerySet

from core import money
from invoicing.cycle.models import (
    Break,
    CreditLine,
    DeltaReport,
    DocumentType,
    Hold,
    Invoice,
    InvoiceAllowanceCharge,
    InvoiceApproval,
    InvoiceLine,
    InvoiceTransition,
    UnusualFigure,
)
from invoicing.documents import credit
from invoicing.documents.document import (
    DocumentAllowance,
    DocumentChange,
    DocumentLine,
    DocumentParty,
    DocumentReference,
    DocumentStep,
    DocumentTax,
    InvoiceDocument,
    steps_of,
    text_lines,
)
from metering import queries as metering_queries

SO_FAR = "This invoice bills usage up to the end of the period shown; the rest of the billing period follows."
IN_FAVOUR = "The total is in your favour: nothing is due, and the amount is set off against what you owe next."


def whole_invoices() -> QuerySet[Invoice]:
    """Invoices with everything an answer of the API shows, in a fixed number of queries."""
    lines = InvoiceLine.objects.select_related("rated_line", "adjusts__invoice").order_by("position")
    lines = lines.prefetch_related("deductions")
    beside = ("customer", "policy", "credits", "firing__policy", "firing__watermark")
    return Invoice.objects.select_related(*beside).prefetch_related(
        Prefetch("lines", queryset=lines),
        "allowances_charges",
        Prefetch("credit_lines", queryset=CreditLine.objects.select_related("credits__invoice")),
        "delta_reports",
        "taxes",
        Prefetch("unusual", queryset=UnusualFigure.objects.select_related("charge")),
        Prefetch("approvals", queryset=InvoiceApproval.objects.select_related("person", "audit_entry")),
        Prefetch("holds", queryset=Hold.objects.select_related("policy", "placed_by", "released_by", "listed_reason")),
        Prefetch("breaks", queryset=Break.objects.select_related("closed_by")),
        Prefetch("transitions", queryset=InvoiceTransition.objects.select_related("actor", "audit_entry")),
    )


def late_event_count(invoice: Invoice) -> int:
    """Events accepted since in the windows of this invoice; on a draft they wait for a fresh one."""
    mine = set(invoice.lines.values_list("rated_line__snapshot", flat=True))
    late = metering_queries.late_windows(customer_ids=[invoice.customer_id])
    return sum(window.event_count for window in late if window.snapshot_id in mine)


def approved_invoice_ids(*, customer_codes: Sequence[str] | None) -> list[int]:
    """What may be finalized, in the order of approval."""
    approved = Invoice.objects.filter(status=Invoice.Status.APPROVED)
    if customer_codes is not None:
        approved = approved.filter(customer__code__in=customer_codes)
    return list(approved.order_by("approved_at", "pk").values_list("pk", flat=True))


def invoice_document(invoice: Invoice) -> InvoiceDocument:
    """The invoice as a value to be printed; the parties are those of the day it was drafted."""
    both = invoice.opened_parties
    seller, customer = both["seller"], both["customer"]
    shown = invoice.lines.select_related("rated_line", "adjusts__invoice").order_by("position")
    lines = list(shown.prefetch_related("deductions__billed__invoice"))
    given = list(invoice.credit_lines.select_related("credits__invoice").order_by("position"))
    is_credit_note = invoice.document_type == DocumentType.CREDIT_NOTE
    document = InvoiceDocument(
        is_draft=invoice.status != Invoice.Status.FINAL,
        number=invoice.number or "",
        currency=invoice.currency,
        seller=_party(seller),
        customer=_party(customer),
        customer_code=customer["code"],
        bank_details=text_lines(seller["bank_details"]),
        logo_svg=invoice.seller.logo_svg,
        period_start=invoice.period_start,
        period_end=invoice.period_end,
        time_zone=customer["time_zone"],
        issue_date=invoice.issue_date,
        due_date=invoice.due_date,
        terms_days=invoice.terms_days,
        lines=(*(_line(line) for line in lines), *(_credit_line(line) for line in given)),
        allowances=tuple(_allowance(part) for part in invoice.allowances_charges.all()),
        taxes=tuple(
            DocumentTax(
                name=tax.name,
                category=tax.category,
                percent=tax.percent,
                taxable=tax.taxable,
                tax=tax.tax,
                note=tax.note,
            )
            for tax in invoice.taxes.all()
        ),
        subtotal=invoice.subtotal,
        tax=invoice.tax,
        total=invoice.total,
        prepaid=invoice.prepaid,
        payable_rounding=invoice.payable_rounding,
        notes=_notes(invoice),
        corrects=_references([*(line.adjusts for line in lines), *(line.credits for line in given)]),
    )
    return credit.as_credit_note(document) if is_credit_note else document


def _notes(invoice: Invoice) -> tuple[str, ...]:
    """Why a credit note was granted; on invoices from before there were credit notes, what a negative total means."""
    if invoice.credits_id is not None:
        reasons = invoice.delta_reports.filter(kind=DeltaReport.Kind.ADJUSTMENT).values_list("reason", flat=True)
        return tuple(f"Reason: {reason}" for reason in reasons)
    is_invoice = invoice.document_type == DocumentType.INVOICE
    so_far = (SO_FAR,) if invoice.kind == Invoice.Kind.INTERIM else ()
    return (*so_far, *((IN_FAVOUR,) if invoice.total < 0 and is_invoice else ()))


def _references(lines: Iterable[InvoiceLine | None]) -> tuple[DocumentReference, ...]:
    """The documents whose lines are corrected, each once, in the order of their numbers."""
    corrected = {line.invoice_id: line.invoice for line in lines if line is not None}
    issued = sorted(corrected.values(), key=lambda one: (one.document_type, one.running_number or 0))
    return tuple(
        DocumentReference(number=one.number or "", issue_date=one.issue_date) for one in issued if one.issue_date
    )


def _allowance(part: InvoiceAllowanceCharge) -> DocumentAllowance:
    is_charge = part.kind == InvoiceAllowanceCharge.Kind.CHARGE
    return DocumentAllowance(
        reason=part.reason,
        amount=part.amount if is_charge else -part.amount,
        percent=part.percent,
        base=part.base,
    )


def _party(facts: dict[str, str]) -> DocumentParty:
    return DocumentParty(
        name=facts["name"],
        address=text_lines(facts["address"]),
        country=facts["country"],
        tax_id=facts["tax_id"],
        email=facts["email"],
    )


def _line(line: InvoiceLine) -> DocumentLine:
    return DocumentLine(
        position=line.position,
        description=line.description,
        start=line.segment_start,
        end=line.segment_end,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        amount=line.amount,
        tax_category=line.tax_category,
        tax_percent=line.tax_percent,
        adjusts=f"{line.adjusts.invoice.number}, line {line.adjusts.position}" if line.adjusts else "",
        steps=_steps(line),
        change=_change(line),
    )


def _credit_line(line: CreditLine) -> DocumentLine:
    """One piece of money that is given back."""
    credited = line.credits
    return DocumentLine(
        position=line.position,
        description=line.description,
        start=credited.segment_start,
        end=credited.segment_end,
        quantity=Decimal(-1 if line.amount < 0 else 1),
        unit_price=money.plain(abs(line.amount)),
        amount=line.amount,
        tax_category=line.tax_category,
        tax_percent=line.tax_percent,
        adjusts=f"{credited.invoice.number}, line {credited.position}",
    )


def _change(line: InvoiceLine) -> DocumentChange | None:
    """The whole line as final documents before had it, and as it is now."""
    if line.adjusts is None:
        return None
    rated = line.rated_line
    return DocumentChange(
        quantity_before=rated.quantity - line.quantity,
        quantity_after=rated.quantity,
        amount_before=rated.amount - line.amount,
        amount_after=rated.amount,
    )


def _steps(line: InvoiceLine) -> tuple[DocumentStep, ...]:
    """How the amount came about; an adjustment is the whole window as known now, less what was billed before.

    So is a line whose usage interim invoices billed in part, each of them named.
    """
    steps = steps_of(line.rated_line.told_steps)
    if line.adjusts is None:
        return (*steps, *(_less(one.billed) for one in line.deductions.all()))
    is_credit_note = line.invoice.document_type == DocumentType.CREDIT_NOTE
    billed = DocumentStep(
        label="What was billed before" if is_credit_note else "Less what was billed before",
        quantity=line.quantity - line.rated_line.quantity,
        amount=line.amount - line.rated_line.amount,
    )
    return (*steps, billed)


def _less(billed: InvoiceLine) -> DocumentStep:
    label = f"Less {billed.invoice.number}, line {billed.position}"
    return DocumentStep(label=label, quantity=-billed.quantity, amount=-billed.amount)
