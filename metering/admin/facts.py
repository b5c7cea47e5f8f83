"""Read-only pages of what capture and aggregation wrote: events, batches, snapshots and imports."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from metering.admin.forms import pretty
from metering.models import AggregationSnapshot, CaptureBatch, ImportRun, UsageEvent


@admin.register(UsageEvent)
class UsageEventAdmin(BackOfficeAdmin):
    """Accepted events, newest first; the search takes an exact event id, for there may be very many."""

    list_display = ("event_id", "source", "contract", "customer", "occurred_at", "received_at")
    list_filter: ClassVar[list[str]] = ["contract"]
    search_fields = ("=event_id",)
    search_help_text = "An exact event id"
    list_select_related = ("contract", "customer")
    show_full_result_count = False
    ordering = ("-seq",)
    fields = (
        "seq",
        "source",
        "event_id",
        "contract_version",
        "customer",
        "occurred_at",
        "received_at",
        "batch",
        "sent",
        "extras",
    )
    readonly_fields = ("sent",)

    @display(description="Data")
    def sent(self, event: UsageEvent) -> str:
        return pretty(event.data)


@admin.register(CaptureBatch)
class CaptureBatchAdmin(BackOfficeAdmin):
    """One delivery: who sent it, and what became of it."""

    list_display = ("received_at", "channel", "origin", "received", "accepted", "duplicates", "quarantined")
    list_filter: ClassVar[list[str]] = ["channel"]
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(AggregationSnapshot)
class AggregationSnapshotAdmin(BackOfficeAdmin):
    """What a meter measured in a window, at a watermark."""

    list_display = ("customer", "meter", "window_start", "window_end", "quantity", "event_count", "kind", "retired_at")
    list_filter: ClassVar[list[str]] = ["kind", "meter", "customer"]
    list_select_related = ("customer", "meter")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AggregationSnapshot]:
        return super().get_queryset(request).select_related("watermark")


@admin.register(ImportRun)
class ImportRunAdmin(BackOfficeAdmin):
    """How far each file import has come."""

    list_display = ("path_name", "rows_done", "accepted", "duplicates", "quarantined", "started_at", "finished_at")
    ordering = ("-id",)
