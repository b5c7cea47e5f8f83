"""The customer's own past: what final invoices came to, period by period."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC
from decimal import Decimal

from django.db.models import F, Sum, Window
from django.db.models.functions import RowNumber

from core import money
from invoicing.cycle.models import Invoice

PERIODS_MAX = 6


def final_totals(customer_ids: Sequence[int]) -> dict[tuple[int, str], list[dict[str, str]]]:
    """The latest periods that final invoices stand for, the newest first, by customer and currency."""
    sums = (
        Invoice.objects.filter(customer__in=customer_ids, status=Invoice.Status.FINAL)
        .values("customer_id", "currency", "period_start", "period_end")
        .annotate(sum=Sum("total"))
        .annotate(
            place=Window(RowNumber(), partition_by=[F("customer_id"), F("currency")], order_by=F("period_end").desc())
        )
        .filter(place__lte=PERIODS_MAX)
        .order_by("customer_id", "currency", "place")
    )
    found: dict[tuple[int, str], list[dict[str, str]]] = defaultdict(list)
    for row in sums:
        found[row["customer_id"], row["currency"]].append(
            {
                "start": row["period_start"].astimezone(UTC).isoformat(),
                "end": row["period_end"].astimezone(UTC).isoformat(),
                "total": money.amount_text(Decimal(row["sum"]), currency=row["currency"]),
            }
        )
    return found
