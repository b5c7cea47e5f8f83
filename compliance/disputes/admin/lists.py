"""The filters and the columns of the list of disputes."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from compliance.disputes import queries
from compliance.disputes.models import Dispute
from compliance.disputes.models.disputes import STATUSES
from compliance.disputes.rules import lifecycle

HOUR = timedelta(hours=1)


class StepFilter(admin.SimpleListFilter):
    """Where it stands; without a choice, what is open."""

    title = "step"
    parameter_name = "step"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*STATUSES, ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        wanted = self.value()
        if wanted == "all":
            return queryset
        return queryset.exclude(status=lifecycle.CLOSED) if wanted is None else queryset.filter(status=wanted)

    def choices(self, changelist: Any) -> Any:
        is_open, *rest = super().choices(changelist)
        return [{**is_open, "display": "Open"}, *rest]


class OverdueFilter(admin.SimpleListFilter):
    """What should have been done by now."""

    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("overdue", "Overdue"), ("day", "Within a day")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        ahead = {"overdue": timedelta(0), "day": timedelta(days=1)}.get(str(self.value()))
        return queryset if ahead is None else queryset.filter(queries.overdue_filter(at=timezone.now() + ahead))


class CollectionFilter(admin.SimpleListFilter):
    """Whether the invoice is on hold for collection, by this dispute or otherwise."""

    title = "collection"
    parameter_name = "collection"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("held", "On hold"), ("forgotten", "On hold, though closed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        if self.value() not in ("held", "forgotten"):
            return queryset
        held = Q(is_on_hold=True)
        return queryset.filter(held if self.value() == "held" else held & Q(status=lifecycle.CLOSED))


def due_text(due_at: datetime | None, *, now: datetime) -> str:
    """In 3 d 4 h; overdue by 2 h."""
    if due_at is None:
        return "—"
    apart = _length(abs(due_at - now))
    return f"overdue by {apart}" if due_at <= now else f"in {apart}"


def _length(span: timedelta) -> str:
    days, rest = divmod(span, timedelta(days=1))
    hours = rest // HOUR
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h" if hours else f"{span // timedelta(minutes=1)} min"
