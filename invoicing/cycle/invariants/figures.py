"""The invariants of figures: what was used is what was rated is what was billed."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import DecimalField, F, Func, Max, Prefetch, QuerySet, Sum, Value

from core import money
from core.invariants import Invariant, rows_of
from invoicing.cycle import content, reconcile
from invoicing.cycle.models import CreditLine, Invoice, InvoiceAllowanceCharge, InvoiceLine, InvoiceTax
from invoicing.cycle.rules import totals
from invoicing.cycle.rules.totals import AllowanceCharge, TaxTerms, Totals
from invoicing.documents.models import StoredDocument
from invoicing.rating import together

STREAM_ROWS = 500


def _live_invoices() -> QuerySet[Invoice]:
    return Invoice.objects.exclude(status=Invoice.Status.DISCARDED).order_by("pk")


def _find_usage_that_no_break_names() -> Iterator[str]:
    """Tie out every live invoice at its own watermark, as it was when drafted."""
    by_watermark = defaultdict(list)
    for invoice in _live_invoices().select_related("cycle", "customer", "watermark").prefetch_related("breaks"):
        by_watermark[invoice.watermark].append(invoice)
    for watermark, invoices in by_watermark.items():
        bills = [reconcile.bill_of(invoice) for invoice in invoices]
        reconcile.tie_out_bills(bills, watermark=watermark)
        for invoice, bill in zip(invoices, bills, strict=True):
            named = {(found.name, found.detail) for found in invoice.breaks.all()}
            for finding in bill.result.findings if bill.result else ():
                if (finding.name, finding.detail) not in named:
                    yield f"invoice {invoice.pk}: {finding.detail}"


def _find_lines_not_rounded_together() -> Iterator[str]:
    """Lines that are rounded together: their exact sum once, and each of them down or up."""
    lines = InvoiceLine.objects.filter(adjusts=None, rated_line__rounding_level=together.TOGETHER)
    sums = lines.values("invoice", "invoice__currency").annotate(
        rated=Sum("rated_line__amount"),
        exact=Sum("rated_line__amount_exact"),
        furthest=Max(
            Func(F("rated_line__amount") - F("rated_line__amount_exact"), function="abs", output_field=DecimalField())
        ),
    )
    for row in sums.order_by("invoice"):
        currency = row["invoice__currency"]
        unit = Decimal(1).scaleb(-money.currency_exponent(currency))
        due = money.round_amount(row["exact"], currency=currency)
        if row["rated"] != due or row["furthest"] >= unit:
            yield f"invoice {row['invoice']}: lines {money.plain(row['rated'])}, together {money.plain(due)}"


def _find_totals_that_do_not_add_up() -> Iterator[str]:
    """Add lines, allowances and charges up once more, by category and rate."""
    sums: dict[int, list[tuple[TaxTerms, Decimal]]] = defaultdict(list)
    for model in (InvoiceLine, CreditLine):
        lines = model.objects.values("invoice", "tax_category", "tax_percent").annotate(net=Sum("amount"))
        for row in lines.order_by("invoice"):
            terms = TaxTerms(name="", category=row["tax_category"], percent=row["tax_percent"])
            sums[row["invoice"]].append((terms, row["net"]))
    on_document: dict[int, list[AllowanceCharge]] = defaultdict(list)
    for part in InvoiceAllowanceCharge.objects.all().iterator(chunk_size=STREAM_ROWS):
        on_document[part.invoice_id].append(_as_agreed(part))
    taxes: dict[int, set[tuple[str, Decimal, Decimal, Decimal]]] = defaultdict(set)
    for tax in InvoiceTax.objects.all().iterator(chunk_size=STREAM_ROWS):
        taxes[tax.invoice_id].add((tax.category, tax.percent, tax.taxable, tax.tax))
    for invoice in Invoice.objects.order_by("pk").iterator(chunk_size=STREAM_ROWS):
        again = totals.total_up(
            sums[invoice.pk], currency=invoice.currency, on_document=on_document[invoice.pk], prepaid=invoice.prepaid
        )
        expected = {(one.terms.category, one.terms.percent, one.taxable, one.tax) for one in again.taxes}
        if _figures(invoice) != _figures(again) or taxes[invoice.pk] != expected:
            yield f"invoice {invoice.pk}: total {money.plain(invoice.total)}, again {money.plain(again.total)}"


def _as_agreed(part: InvoiceAllowanceCharge) -> AllowanceCharge:
    taxes = TaxTerms(name="", category=part.tax_category, percent=part.tax_percent)
    is_charge = part.kind == InvoiceAllowanceCharge.Kind.CHARGE
    return AllowanceCharge(
        kind="charge" if is_charge else "allowance", reason=part.reason, taxes=taxes, amount=part.amount
    )


def _figures(of: Invoice | Totals) -> tuple[Decimal, ...]:
    return of.allowances, of.charges, of.subtotal, of.tax, of.total


def _find_content_that_changed() -> Iterator[str]:
    lines = Prefetch(
        "lines", queryset=InvoiceLine.objects.select_related("rated_line__snapshot").prefetch_related("deductions")
    )
    invoices = Invoice.objects.order_by("pk").prefetch_related(lines, "taxes", "allowances_charges", "credit_lines")
    for invoice in invoices.iterator(chunk_size=STREAM_ROWS):
        again = content.hash_of(
            invoice,
            lines=invoice.lines.all(),
            deducted=content.deducted_by(invoice.lines.all()),
            taxes=invoice.taxes.all(),
            on_document=invoice.allowances_charges.all(),
            credit_lines=invoice.credit_lines.all(),
        )
        if again != invoice.content_hash:
            yield f"invoice {invoice.pk} {invoice.number or ''}".strip()


def _find_documents_that_changed() -> list[str]:
    digest = Func(Func(F("content"), function="sha256"), Value("hex"), function="encode")
    changed = StoredDocument.objects.annotate(again=digest).exclude(content_sha256=F("again"))
    return [f"document {key}" for key in changed.order_by("key").values_list("key", flat=True)]


INVARIANTS = [
    Invariant(
        number=9,
        name="usage of a closed period is on its invoice, late, or named by a break",
        find_offenders=lambda: list(_find_usage_that_no_break_names()),
    ),
    Invariant(
        number=13,
        name="the segments of a charge lie in the invoice's period and never overlap",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, line.invoice_id AS invoice
            FROM cycle_invoiceline line
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
            JOIN rating_ratedline rated ON rated.id = line.rated_line_id
            JOIN pricing_priceversion price ON price.id = rated.price_version_id
            WHERE line.adjusts_id IS NULL AND (
                line.segment_start < invoice.period_start
                OR (line.segment_end > invoice.period_end AND coalesce(price.params ->> 'billed', '') <> 'in_advance')
                OR (line.segment_start, line.segment_end) <> (rated.segment_start, rated.segment_end)
                OR EXISTS (
                    SELECT 1 FROM cycle_invoiceline other
                    JOIN rating_ratedline other_rated ON other_rated.id = other.rated_line_id
                    WHERE other.invoice_id = line.invoice_id AND other.id <> line.id AND other.adjusts_id IS NULL
                      AND other_rated.charge_id = rated.charge_id
                      AND other.segment_start < line.segment_end AND other.segment_end > line.segment_start))
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=13,
        name="a fee in advance is billed once for any time",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, other.id AS other, line.segment_start, line.segment_end
            FROM cycle_invoiceline line
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id AND invoice.status <> 'discarded'
            JOIN rating_ratedline rated ON rated.id = line.rated_line_id
            JOIN pricing_priceversion price
              ON price.id = rated.price_version_id AND price.params ->> 'billed' = 'in_advance'
            JOIN rating_ratedline again
              ON again.subscription_id = rated.subscription_id AND again.price_version_id = rated.price_version_id
             AND again.segment_start < rated.segment_end AND again.segment_end > rated.segment_start
            JOIN cycle_invoiceline other ON other.rated_line_id = again.id AND other.id > line.id
            JOIN cycle_invoice beside ON beside.id = other.invoice_id AND beside.status <> 'discarded'
            WHERE line.adjusts_id IS NULL AND other.adjusts_id IS NULL
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=14,
        name="a line of a whole plan stands on every other line of its plan that came before it on its invoice",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, missed.id AS missed
            FROM cycle_invoiceline line
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
            JOIN rating_ratedline rated ON rated.id = line.rated_line_id
            JOIN pricing_priceversion price
              ON price.id = rated.price_version_id AND price.model IN ('plan_discount', 'commitment', 'prepaid_credits')
            JOIN pricing_charge charge ON charge.id = rated.charge_id
            JOIN cycle_invoiceline missed
              ON missed.invoice_id = line.invoice_id AND missed.position < line.position AND missed.adjusts_id IS NULL
            JOIN rating_ratedline other ON other.id = missed.rated_line_id
            JOIN pricing_charge others ON others.id = other.charge_id AND others.plan_id = charge.plan_id
            WHERE line.adjusts_id IS NULL
              AND (price.model <> 'commitment' OR missed.segment_start < invoice.period_end)
              AND NOT EXISTS (SELECT 1 FROM rating_lineground WHERE line_id = rated.id AND ground_id = other.id)
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=16,
        name="a line bills what was rated, less what interim invoices of its period had billed of it",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, line.quantity, line.amount, rated.quantity AS rated, rated.amount AS rated_amount
            FROM cycle_invoiceline line JOIN rating_ratedline rated ON rated.id = line.rated_line_id
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(billed.quantity), 0) AS quantity, coalesce(sum(billed.amount), 0) AS amount
                FROM cycle_deduction deduction JOIN cycle_invoiceline billed ON billed.id = deduction.billed_id
                WHERE deduction.line_id = line.id
            ) less
            WHERE line.adjusts_id IS NULL
              AND (line.quantity + less.quantity, line.amount + less.amount) <> (rated.quantity, rated.amount)
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=16,
        name="an adjustment bills what was rated less what final lines had billed",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, line.quantity, line.amount, rated.quantity - billed.quantity AS due_quantity,
                   due.amount AS due_amount
            FROM cycle_invoiceline line
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id AND invoice.status <> 'discarded'
            JOIN rating_ratedline rated ON rated.id = line.rated_line_id
            CROSS JOIN LATERAL (
                SELECT sum(CASE WHEN earlier.adjusts_id IS NULL THEN whole.quantity ELSE earlier.quantity END)
                         AS quantity,
                       sum(CASE WHEN earlier.adjusts_id IS NULL THEN whole.amount ELSE earlier.amount END) AS amount
                FROM cycle_invoiceline earlier
                JOIN rating_ratedline whole ON whole.id = earlier.rated_line_id
                JOIN cycle_invoice issued ON issued.id = earlier.invoice_id AND issued.status = 'final'
                WHERE (earlier.id = line.adjusts_id OR earlier.adjusts_id = line.adjusts_id) AND earlier.id < line.id
            ) billed
            CROSS JOIN LATERAL (
                SELECT COALESCE(sum(given.amount), 0) AS amount
                FROM cycle_creditline given
                JOIN cycle_invoice note
                  ON note.id = given.invoice_id AND note.status = 'final' AND note.finalized_at <= invoice.drafted_at
                WHERE given.credits_id = line.adjusts_id
            ) credited
            CROSS JOIN LATERAL (
                SELECT CASE WHEN (rated.amount - billed.amount) * credited.amount <= 0 THEN rated.amount - billed.amount
                            WHEN (rated.amount - billed.amount - credited.amount) * (rated.amount - billed.amount) > 0
                            THEN rated.amount - billed.amount - credited.amount ELSE 0 END AS amount
            ) due
            WHERE line.adjusts_id IS NOT NULL
              AND (line.quantity, line.amount) IS DISTINCT FROM (rated.quantity - billed.quantity, due.amount)
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=17,
        name="a live snapshot is on one live line, was rejected or changes no amount; a retired one is on none",
        find_offenders=rows_of(
            """
            SELECT snapshot.id AS snapshot, snapshot.retired_at, count(invoice.id) AS live_lines
            FROM metering_aggregationsnapshot snapshot
            LEFT JOIN rating_ratedline rated ON rated.snapshot_id = snapshot.id
            LEFT JOIN cycle_invoiceline line ON line.rated_line_id = rated.id
            LEFT JOIN cycle_invoice invoice ON invoice.id = line.invoice_id AND invoice.status <> 'discarded'
            GROUP BY snapshot.id
            HAVING count(invoice.id) <> CASE
                WHEN snapshot.retired_at IS NOT NULL THEN 0
                WHEN EXISTS (SELECT 1 FROM cycle_deltarow row WHERE row.counted_id = snapshot.id) THEN 0
                WHEN EXISTS (
                    SELECT 1 FROM cycle_deltarow row
                    JOIN cycle_deltareport report ON report.id = row.report_id AND report.status = 'rejected'
                    JOIN cycle_invoiceline refused ON refused.id = row.line_id
                    JOIN rating_ratedline tried ON tried.id = refused.rated_line_id
                    WHERE tried.snapshot_id = snapshot.id) THEN 0
                ELSE 1 END
            ORDER BY snapshot.id
            """
        ),
    ),
    Invariant(
        number=18,
        name="lines that are rounded together are their exact sum, rounded once",
        find_offenders=lambda: list(_find_lines_not_rounded_together()),
    ),
    Invariant(
        number=18,
        name="an invoice is the sum of its lines and of its taxes, each rounded once",
        find_offenders=lambda: list(_find_totals_that_do_not_add_up()),
    ),
    Invariant(
        number=18,
        name="a discount or charge on an invoice is an approved term of its plan or subscription, in force at its end",
        find_offenders=rows_of(
            """
            SELECT part.id AS part, part.invoice_id AS invoice, part.term_id AS term
            FROM cycle_invoiceallowancecharge part
            JOIN cycle_invoice invoice ON invoice.id = part.invoice_id
            JOIN cycle_billingcycle cycle ON cycle.id = invoice.cycle_id
            JOIN pricing_invoiceterm term ON term.id = part.term_id
            WHERE term.status <> 'approved' OR term.effective_at >= invoice.period_end OR term.kind <> part.kind
               OR (term.subscription_id IS NOT NULL AND term.subscription_id <> cycle.subscription_id)
               OR (term.plan_id IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM pricing_subscriptionphase phase
                    WHERE phase.subscription_id = cycle.subscription_id AND phase.plan_id = term.plan_id
                      AND phase.starts_at < invoice.period_end))
            ORDER BY part.id
            """
        ),
    ),
    Invariant(
        number=18,
        name="invoices use no more than was paid in advance, and none more than it comes to",
        find_offenders=rows_of(
            """
            SELECT cycle.subscription_id AS subscription, sum(invoice.prepaid) AS "paid in advance, used", (
                SELECT coalesce(sum(latest.amount), 0) FROM (
                    SELECT max(term.amount) AS amount FROM pricing_invoiceterm term
                    WHERE term.subscription_id = cycle.subscription_id AND term.kind = 'prepaid'
                      AND term.status = 'approved' GROUP BY term.code) latest) AS agreed
            FROM cycle_invoice invoice JOIN cycle_billingcycle cycle ON cycle.id = invoice.cycle_id
            WHERE invoice.status <> 'discarded'
            GROUP BY cycle.subscription_id
            HAVING bool_or(invoice.prepaid > greatest(invoice.total, 0)) OR sum(invoice.prepaid) > (
                SELECT coalesce(sum(latest.amount), 0) FROM (
                    SELECT max(term.amount) AS amount FROM pricing_invoiceterm term
                    WHERE term.subscription_id = cycle.subscription_id AND term.kind = 'prepaid'
                      AND term.status = 'approved' GROUP BY term.code) latest)
            ORDER BY cycle.subscription_id
            """
        ),
    ),
    Invariant(
        number=20,
        name="an invoice still says what was hashed when it was drafted",
        find_offenders=lambda: list(_find_content_that_changed()),
    ),
    Invariant(number=20, name="a stored document still has its SHA-256", find_offenders=_find_documents_that_changed),
    Invariant(
        number=25,
        name="an adjustment corrects an original line of a final invoice, by its price, and one at a time",
        find_offenders=rows_of(
            """
            SELECT line.id AS line, line.adjusts_id AS adjusts
            FROM cycle_invoiceline line
            JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
            JOIN rating_ratedline rated ON rated.id = line.rated_line_id
            LEFT JOIN metering_aggregationsnapshot snapshot ON snapshot.id = rated.snapshot_id
            JOIN cycle_invoiceline original ON original.id = line.adjusts_id
            JOIN cycle_invoice issued ON issued.id = original.invoice_id
            JOIN rating_ratedline billed ON billed.id = original.rated_line_id
            WHERE issued.status <> 'final' OR original.adjusts_id IS NOT NULL
               OR (issued.customer_id, issued.currency) <> (invoice.customer_id, invoice.currency)
               OR billed.price_version_id <> rated.price_version_id
               OR snapshot.corrects_id IS DISTINCT FROM billed.snapshot_id
               OR (invoice.status IN ('draft', 'held', 'approved') AND EXISTS (
                    SELECT 1 FROM cycle_invoiceline other JOIN cycle_invoice beside ON beside.id = other.invoice_id
                    WHERE other.adjusts_id = line.adjusts_id AND other.id <> line.id
                      AND beside.status IN ('draft', 'held', 'approved')))
            ORDER BY line.id
            """
        ),
    ),
]
