"""The customer's own past: what final invoices came to, period by period."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Sum, Window
from django.db.models.functions import RowNumber

from core import money
from invoicing.cycle.models import Invoice

PERIODS_MAX = 6


def final_totals(customer_ids: Sequence[int]) -> dict[tuple[int, str], list[dict[str, str]]]:
    """The latest periods that final invoices stand for as a whole, the newest first, by customer and currency.

    What was billed inside a period belongs to it.
    """
    whole = Invoice.objects.filter(kind=Invoice.Kind.CYCLE, status=Invoice.Status.FINAL, cycle=OuterRef("cycle"))
    sums = (
        Invoice.objects.filter(Exists(whole), customer__in=customer_ids, status=Invoice.Status.FINAL)
        .values("customer_id", "currency", start=F("cycle__period_start"), end=F("cycle__period_end"))
        .annotate(sum=Sum("total"))
        .annotate(place=Window(RowNumber(), partition_by=[F("customer_id"), F("currency")], order_by=F("end").desc()))
        .filter(place__lte=PERIODS_MAX)
        .order_by("customer_id", "currency", "place")
    )
    found: dict[tuple[int, str], list[dict[str, str]]] = defaultdict(list)
    for row in sums:
        found[row["customer_id"], row["currency"]].append(
            {
                "start": row["start"].astimezone(UTC).isoformat(),
                "end": row["end"].astimezone(UTC).isoformat(),
                "total": money.amount_text(Decimal(row["sum"]), currency=row["currency"]),
            }
        )
    return found
