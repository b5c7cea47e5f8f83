"""How final invoices stand: what came in for each, what was credited or set off, and what is still due."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from django.db.models import F, QuerySet, Sum

from invoicing.cycle.models import Invoice
from invoicing.payments.models import GatewayEvent, Payment
from invoicing.payments.rules import dues
from invoicing.payments.rules.dues import Document, Due

ASKED = F("total") - F("prepaid") + F("payable_rounding")


def dues_of(*, customer_ids: Iterable[int], currency: str | None = None) -> dict[int, Due]:
    """By id, every final document of these customers; in one currency, or in each by itself."""
    documents: dict[tuple[int, str], list[Document]] = defaultdict(list)
    final = Invoice.objects.filter(customer__in=set(customer_ids), status=Invoice.Status.FINAL)
    if currency is not None:
        final = final.filter(currency=currency)
    paid = _paid(final)
    rows = final.order_by("finalized_at", "pk").annotate(asked=ASKED)
    for pk, customer, code, credits_, asked in rows.values_list("pk", "customer", "currency", "credits", "asked"):
        one = Document(id=pk, asked=asked, paid=paid.get(pk, dues.NOTHING), credits=credits_)
        documents[customer, code].append(one)
    return {pk: due for each in documents.values() for pk, due in dues.dues_of(each).items()}


def due_of(invoice: Invoice) -> Due:
    """How one final invoice stands."""
    return dues_of(customer_ids=[invoice.customer_id], currency=invoice.currency)[invoice.pk]


def _paid(invoices: QuerySet[Invoice]) -> dict[int, Decimal]:
    sums = Payment.objects.filter(invoice__in=invoices).values_list("invoice").order_by()
    return dict(sums.annotate(net=Sum(F("received") - F("refunded"))))


def whole_payments() -> QuerySet[Payment]:
    """Payments with all that is shown of them."""
    return Payment.objects.select_related("invoice__customer", "invoice__seller", "created_by").prefetch_related(
        "transitions__actor",
        "transitions__event",
        "transitions__audit_entry",
        "transitions__entry",
        "transitions__overpayment",
        "objects_known",
        "refund_requests",
    )


def payments_of(invoice_ids: Sequence[int]) -> dict[int, list[Payment]]:
    """By invoice, in the order in which they were recorded."""
    found: dict[int, list[Payment]] = defaultdict(list)
    for payment in whole_payments().filter(invoice__in=invoice_ids).order_by("pk"):
        found[payment.invoice_id].append(payment)
    return found


def unapplied_events(*, since: datetime) -> QuerySet[GatewayEvent]:
    """What a gateway told of payments that somebody should look at: it waits for its invoice, or contradicts."""
    return GatewayEvent.objects.filter(outcome__in=["waiting", "refused"], received_at__gte=since)
