"""What is read of invoices: the printed document as a plain value, and lists for the doors."""

from collections.abc import Sequence

from django.db.models import Prefetch, QuerySet

from invoicing.cycle.models import (
    Break,
    Hold,
    Invoice,
    InvoiceAllowanceCharge,
    InvoiceApproval,
    InvoiceLine,
    InvoiceTransition,
)
from invoicing.documents.document import (
    DocumentAllowance,
    DocumentLine,
    DocumentParty,
    DocumentStep,
    DocumentTax,
    InvoiceDocument,
    steps_of,
    text_lines,
)
from metering import queries as metering_queries

IN_FAVOUR = "The total is in your favour: nothing is due, and the amount is set off against what you owe next."


def whole_invoices() -> QuerySet[Invoice]:
    """Invoices with everything an answer of the API shows, in a fixed number of queries."""
    lines = InvoiceLine.objects.select_related("rated_line").order_by("position")
    return Invoice.objects.select_related("customer", "policy").prefetch_related(
        Prefetch("lines", queryset=lines),
        "allowances_charges",
        "taxes",
        Prefetch("approvals", queryset=InvoiceApproval.objects.select_related("person", "audit_entry")),
        Prefetch("holds", queryset=Hold.objects.select_related("placed_by", "released_by", "listed_reason")),
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
    seller, customer = invoice.parties["seller"], invoice.parties["customer"]
    lines = invoice.lines.select_related("rated_line", "adjusts__invoice").order_by("position")
    return InvoiceDocument(
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
        lines=tuple(_line(line) for line in lines),
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
        notes=(IN_FAVOUR,) if invoice.total < 0 else (),
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
    )


def _steps(line: InvoiceLine) -> tuple[DocumentStep, ...]:
    """How the amount came about; an adjustment is the whole window as known now, less what was billed before."""
    steps = steps_of(line.rated_line.computation)
    if line.adjusts is None:
        return steps
    billed = DocumentStep(
        label="Less what was billed before",
        quantity=line.quantity - line.rated_line.quantity,
        amount=line.amount - line.rated_line.amount,
    )
    return (*steps, billed)
