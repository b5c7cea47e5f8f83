"""Read-only pages of what capture and aggregation wrote: events, batches, snapshots and imports."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import SimpleTemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from core import money, personal_keys
from metering import queries
from metering.models import AggregationSnapshot, CaptureBatch, EventKey, ImportRun, UsageEvent
from metering.rules import exact_json
from metering.rules.identities import stored_id
from metering.rules.instants import instant_text
from metering.store import elsewhere

LISTED_MAX = 10_000
SEARCH_HITS_MAX = 100
EVENTS_SHOWN = 50
DIGITS_MAX = 19  # of a number that the table can hold


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django's takes none at run time
    """Counts no further than anybody pages: counting millions of rows would take longer than reading the page."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows[:LISTED_MAX].count())


@admin.register(UsageEvent)
class UsageEventAdmin(BackOfficeAdmin):
    """Accepted events, the last captured first; an older one is found by its exact id."""

    list_display = ("event_id", "source", "contract", "customer", "happened", "received")
    list_filter: ClassVar[list[str]] = ["contract"]
    search_fields = ("event_id",)
    search_help_text = "An exact event id"
    list_select_related = ("contract", "customer")
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-seq",)
    fields = (
        "seq",
        "source",
        "event_id",
        "contract_version",
        "customer",
        "happened",
        "received",
        "batch",
        "sent",
        "other_attributes",
    )
    readonly_fields = ("happened", "received", "sent", "other_attributes")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[UsageEvent], search_term: str
    ) -> tuple[QuerySet[UsageEvent], bool]:
        """Ask the identities, which are indexed, and not the events."""
        if not search_term:
            return queryset, False
        hits = _hits(search_term)
        # The times let PostgreSQL leave out the tables of other months.
        return queryset.filter(seq__in=[seq for seq, _at in hits], occurred_at__in=[at for _seq, at in hits]), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """What a search finds is shown wherever it lies; the list itself is of the table."""
        hits = _hits(request.GET.get("q", ""))
        spans = [(at, at + timedelta(microseconds=1)) for _seq, at in hits]
        with transaction.atomic(), elsewhere.showing_days(spans):
            return _rendered(super().changelist_view(request, extra_context))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The same for one event, by its number."""
        seq = int(object_id) if object_id.isascii() and object_id.isdecimal() and len(object_id) < DIGITS_MAX else 0
        if not seq or UsageEvent.objects.filter(seq=seq).exists():
            return super().change_view(request, object_id, form_url, extra_context)
        with transaction.atomic(), elsewhere.showing_numbers(after=seq - 1, up_to=seq):
            return _rendered(super().change_view(request, object_id, form_url, extra_context))

    @display(description="Happened (UTC)")
    def happened(self, event: UsageEvent) -> str:
        return instant_text(event.occurred_at)

    @display(description="Received (UTC)")
    def received(self, event: UsageEvent) -> str:
        return instant_text(event.received_at)

    @display(description="Data")
    def sent(self, event: UsageEvent) -> SafeString:
        return _laid_out(personal_keys.open_within(event.data))

    @display(description="Other attributes")
    def other_attributes(self, event: UsageEvent) -> SafeString | str:
        return _laid_out(personal_keys.open_within(event.extras)) if event.extras else "None"


def _hits(search_term: str) -> list[tuple[int, datetime]]:
    """Number and time of the events of this id."""
    if not search_term or not search_term.isprintable():
        return []
    found = EventKey.objects.filter(event_id=stored_id(search_term)).values_list("seq", "occurred_at")
    return list(found[:SEARCH_HITS_MAX])


def _rendered(answer: HttpResponse) -> HttpResponse:
    """Now, while what it shows is there."""
    if isinstance(answer, SimpleTemplateResponse):
        answer.render()
    return answer


def _laid_out(value: Any) -> SafeString:
    return format_html('<pre class="bo-mono bo-proof">{}</pre>', exact_json.write_indented(value))


@admin.register(CaptureBatch)
class CaptureBatchAdmin(BackOfficeAdmin):
    """One delivery: who sent it, and what became of it."""

    list_display = ("received_at", "channel", "origin", "received", "accepted", "duplicates", "quarantined")
    list_filter: ClassVar[list[str]] = ["channel"]
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-id",)


@admin.register(AggregationSnapshot)
class AggregationSnapshotAdmin(BackOfficeAdmin):
    """What a meter measured in a window, at a watermark, and the events that it counted."""

    list_display = ("customer", "meter", "window", "measured", "event_count", "kind", "retired_at")
    list_filter: ClassVar[list[str]] = ["kind", "meter"]
    list_select_related = ("customer", "meter")
    search_fields = ("customer__code", "meter__code")
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ("-id",)
    fields = (
        "customer",
        "meter_version",
        "window",
        "measured",
        "event_count",
        "unmeasured_count",
        "digest",
        "watermark",
        "kind",
        "corrects",
        "taken_at",
        "retired_at",
        "events",
    )
    readonly_fields = ("window", "measured", "events")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AggregationSnapshot]:
        return super().get_queryset(request).select_related("watermark", "corrects__meter", "meter_version__meter")

    @display(description="Window (UTC)")
    def window(self, snapshot: AggregationSnapshot) -> str:
        return f"{instant_text(snapshot.window_start)} up to {instant_text(snapshot.window_end)}"

    @display(description="Quantity")
    def measured(self, snapshot: AggregationSnapshot) -> str:
        return f"{money.plain(snapshot.quantity)} {snapshot.meter.unit}"

    @display(description="Events")
    def events(self, snapshot: AggregationSnapshot) -> SafeString:
        rows = queries.snapshot_events(snapshot, limit=EVENTS_SHOWN)
        more = snapshot.event_count - len(rows)
        return render_to_string(
            "metering/snapshot_events.html", {"rows": rows, "more": more, "meter": snapshot.meter_version}
        )


@admin.register(ImportRun)
class ImportRunAdmin(BackOfficeAdmin):
    """How far each file import has come."""

    list_display = ("path_name", "rows_done", "accepted", "duplicates", "quarantined", "started_at", "finished_at")
    ordering = ("-id",)
