"""Metering health: charts by the minute, and what the watch over them has opened for review."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from core import charts, money
from metering import health_minutes, reviews
from metering.admin.forms import ReasonForm
from metering.health import Arrivals
from metering.health_minutes import MinuteArrivals
from metering.minutes import MINUTE, floor_minute
from metering.models import (
    ArrivalMinute,
    ArrivalProgress,
    ArrivalStream,
    HealthPolicy,
    ReviewItem,
    RollupRepair,
    RollupSeries,
)

HOURS = (1, 6, 24)
STREAMS_SHOWN = 200
STREAMS_SINCE = timedelta(days=31)
BEHIND_MAX = 5 * MINUTE  # a minute is judged a minute or two after its end
TONES = {"open": "danger", "taken": "warning", "resolved": "success"}
NONE = "none"
SECONDS_TOLD_MAX = 120


class RangeForm(forms.Form):
    """Which stretch of time, and whose events."""

    hours = forms.TypedChoiceField(
        choices=[(number, f"last {number} h") for number in HOURS], coerce=int, required=False, empty_value=None
    )
    stream = forms.ModelChoiceField(ArrivalStream.objects.none(), required=False, empty_label="All sources and types")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        recent = ArrivalStream.objects.filter(last_minute__gte=timezone.now() - STREAMS_SINCE)
        field = self.fields["stream"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  as declared above
        field.queryset = ArrivalStream.objects.all()
        field.choices = [
            ("", field.empty_label or ""),
            *((str(one.pk), str(one)) for one in recent.order_by("source", "event_type")[:STREAMS_SHOWN]),
        ]


@admin.register(ArrivalMinute)
class ArrivalMinuteAdmin(BackOfficeAdmin):
    """Not a list of rows: the minutes as charts, with the table they are drawn from."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show how capture went, and what is open for review."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        form = RangeForm(request.GET)
        chosen = form.cleaned_data if form.is_valid() else {}
        hours, stream = chosen.get("hours") or HOURS[0], chosen.get("stream")
        end = floor_minute(timezone.now()) + MINUTE
        start = end - timedelta(hours=hours)
        found = health_minutes.measure_minutes(start=start, end=end, stream=stream)
        context = {
            **self.admin_site.each_context(request),
            "title": "Metering health",
            "opts": self.opts,
            "form": RangeForm(initial={"hours": hours, "stream": stream}),
            "what": str(stream) if stream else "all sources and types",
            "items": ReviewItem.objects.exclude(status=ReviewItem.Status.RESOLVED).select_related("stream", "owner"),
            "policy": HealthPolicy.objects.first(),
            **_watched(end),
            "series": RollupSeries.objects.select_related("contract").order_by(
                "contract__event_type", "value_property"
            ),
            "repairs": RollupRepair.objects.count(),
            "rows": [tell(one) for one in reversed(found)],
            **draw(found, start=start, end=end),
        }
        return TemplateResponse(request, "metering/health.html", context)


def _watched(now: datetime) -> dict[str, Any]:
    """Up to when minutes were judged; a watch that stands still must not look as if all were well."""
    progress = ArrivalProgress.objects.first()
    if progress is None:
        return {"watched_until": None, "minutes_behind": 0}
    behind = now - progress.recorded_until
    return {
        "watched_until": progress.recorded_until,
        "minutes_behind": behind // MINUTE if behind > BEHIND_MAX else 0,
    }


def draw(found: list[MinuteArrivals], *, start: datetime, end: datetime) -> dict[str, Any]:
    """Make the charts of a stretch of time, one step a minute."""
    width = (end - start) // MINUTE
    by_minute = {one.minute: one.arrivals for one in found}
    places = [by_minute.get(start + number * MINUTE) for number in range(width)]
    return {
        "width": width,
        "begins": start,
        "ends": end,
        "charts": [_draw_counts(places), _draw_rates(places), _draw_lags(places)],
    }


def _draw_counts(places: Sequence[Arrivals | None]) -> dict[str, Any]:
    received = [Decimal(one.received) if one else Decimal(0) for one in places]
    held = [Decimal(one.quarantined) if one else Decimal(0) for one in places]
    not_counted = [Decimal(one.quarantined + one.duplicates) if one else Decimal(0) for one in places]
    top = charts.round_up(max(received, default=Decimal(0)))
    return {
        "title": "Events a minute",
        "scale": _scale(top, "{:,f}".format),
        "areas": [
            ("bo-accepted", "accepted", charts.draw_area(received, top=top)),
            ("bo-duplicate", "duplicates", charts.draw_area(not_counted, top=top)),
            ("bo-quarantined", "quarantined", charts.draw_area(held, top=top)),
        ],
    }


def _draw_rates(places: Sequence[Arrivals | None]) -> dict[str, Any]:
    top = Decimal(1)
    return {
        "title": "Acceptance and duplicate suppression",
        "scale": _scale(top, _percent),
        "lines": [
            ("bo-line-good", "acceptance rate", _path(places, "acceptance_rate", top=top)),
            ("bo-line-wait", "duplicates suppressed", _path(places, "duplicate_suppression_rate", top=top)),
        ],
    }


def _draw_lags(places: Sequence[Arrivals | None]) -> dict[str, Any]:
    lags = [one.lag.max for one in places if one and one.lag.max is not None]
    top = charts.round_up(max(lags, default=Decimal(0)))
    return {
        "title": "Time from happening to being countable",
        "scale": _scale(top, _seconds),
        "lines": [
            ("bo-line-bad", "longest", _lag_path(places, "max", top=top)),
            ("bo-line-wait", "p95", _lag_path(places, "p95", top=top)),
            ("bo-line-good", "p50", _lag_path(places, "p50", top=top)),
        ],
    }


def _scale(top: Decimal, tell_value: Callable[[Decimal], str]) -> list[tuple[str, Decimal]]:
    """What stands beside each line of the scale, and where the line goes."""
    return [(tell_value(line.value), line.y) for line in charts.scale(top=top)]


def _path(places: Sequence[Arrivals | None], name: str, *, top: Decimal) -> str:
    return charts.draw_path([getattr(one, name) if one else None for one in places], top=top)


def _lag_path(places: Sequence[Arrivals | None], name: str, *, top: Decimal) -> str:
    return charts.draw_path([getattr(one.lag, name) if one else None for one in places], top=top)


def tell(one: MinuteArrivals) -> dict[str, Any]:
    """A line of the table: rates in percent, lags in units that people know."""
    shown = one.arrivals
    return {
        "minute": one.minute,
        "arrivals": shown,
        "acceptance": _percent(shown.acceptance_rate),
        "suppressed": _percent(shown.duplicate_suppression_rate),
        "lags": [_seconds(value) for value in shown.lag if value is not None] or [NONE],
    }


def _seconds(value: Decimal) -> str:
    """Such as 0.25 s, 90 s, 1 h 30 min, 32 d 4 h: the two largest units are enough to see what is wrong."""
    if value < SECONDS_TOLD_MAX:
        return f"{money.plain(round(value, 2))} s"
    minutes = int(value) // 60
    for size, unit, rest_size, rest_unit in ((1440, "d", 60, "h"), (60, "h", 1, "min")):
        if minutes >= size:
            rest = minutes % size // rest_size
            return f"{minutes // size} {unit}" + (f" {rest} {rest_unit}" if rest else "")
    return f"{minutes} min"


def _percent(rate: Decimal | None) -> str:
    return NONE if rate is None else f"{money.plain(round(rate * 100, 2))} %"


class OwnerForm(BaseDialogForm):
    """Whose it is from now on."""

    owner = forms.ModelChoiceField(User.objects.none(), widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(required=False, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["owner"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  as declared above
        names = [str(role) for role in reviews.REVIEWERS]
        field.queryset = User.objects.filter(is_active=True, groups__name__in=names).distinct().order_by("username")


@admin.register(ReviewItem)
class ReviewItemAdmin(BackOfficeAdmin):
    """Read, assigned and resolved; nothing is edited."""

    list_display = ("opened_at", "kind", "stream", "now", "before", "owner", "status_label")
    list_filter: ClassVar[list[str]] = ["status", "kind"]
    list_select_related = ("stream", "owner")
    ordering = ("-opened_at", "-id")
    fields = (
        "kind",
        "stream",
        "now",
        "before",
        "chance",
        "minute",
        "last_seen_at",
        "policy",
        "status",
        "owner",
        "all_steps",
    )
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["assign", "resolve"]

    def has_review_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        is_open = ReviewItem.objects.filter(pk=int(object_id or 0)).exclude(status=ReviewItem.Status.RESOLVED).exists()
        return is_open and roles.has_role(request.user, reviews.REVIEWERS)

    @display(description="Status", label=TONES)
    def status_label(self, item: ReviewItem) -> tuple[str, str]:
        return item.status, item.get_status_display()

    @display(description="What happened with it")
    def all_steps(self, item: ReviewItem) -> SafeString:
        steps = item.steps.select_related("owner", "actor")
        return render_to_string("metering/review_steps.html", {"steps": steps, "alerts": item.alerts.all()})

    @action(
        description="Assign",
        permissions=["review"],
        variant=ActionVariant.PRIMARY,
        icon="person_add",
        dialog={
            "title": "Assign this item",
            "description": "The owner answers for it until it is resolved.",
            "form_class": OwnerForm,
            "form_submit_text": "Assign",
        },
    )
    def assign(self, request: HttpRequest, form: OwnerForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: reviews.assign_item(
                item_id=int(object_id),
                owner=form.cleaned_data["owner"],
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="Assigned.",
            back_to=reverse("admin:metering_reviewitem_change", args=[object_id]),
        )

    @action(
        description="Resolve",
        permissions=["review"],
        icon="task_alt",
        dialog={
            "title": "Resolve this item",
            "description": "Say what it was and what was done. While it goes on, no second item is opened.",
            "form_class": ReasonForm,
            "form_submit_text": "Resolve",
        },
    )
    def resolve(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: reviews.resolve_item(
                item_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="Resolved.",
            back_to=reverse("admin:metering_reviewitem_change", args=[object_id]),
        )


@admin.register(RollupRepair)
class RollupRepairAdmin(BackOfficeAdmin):
    """The report of the comparison of sums with events: what each row said, and what the events say."""

    list_display = ("repaired_at", "series", "customer", "grain", "starts_at", "found", "counted")
    list_select_related = ("series__contract", "customer")
    ordering = ("-repaired_at", "-id")
