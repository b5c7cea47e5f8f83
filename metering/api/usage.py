"""`usage`: live totals of one customer and meter."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Customer
from accounts.permissions import READERS, RuledView
from core import money, periods
from core.http.fields import InstantField
from core.http.schema import READ_REFUSALS
from core.http.serializers import KnownFieldsOnly
from core.periods import Interval
from metering import queries
from metering.live_totals import ReadFrom
from metering.models import Meter
from metering.queries import LiveUsage
from metering.rules.arrivals import Arrived
from metering.rules.instants import instant_text

GROUPS_MAX = 3
YEARS = range(1970, 2200)


class UsageFilterSerializer(KnownFieldsOnly):
    """Whose usage of what, of which time, and in which portions."""

    customer = serializers.SlugRelatedField(slug_field="code", queryset=Customer.objects.all())
    meter = serializers.SlugRelatedField(slug_field="code", queryset=Meter.objects.all())
    start = InstantField(required=False, help_text="Left out: the calendar month of `end`, or this one.")
    end = InstantField(required=False, help_text="Left out: the end of the calendar month of `start`.")
    window = serializers.ChoiceField(
        choices=queries.WINDOWS, required=False, help_text="In the customer's time zone; empty windows are left out."
    )
    group_by = serializers.CharField(
        required=False, max_length=400, help_text=f"Up to {GROUPS_MAX} declared properties of `data`, with commas."
    )

    received_since = InstantField(required=False, help_text="Only what arrived at or after this instant.")
    received_before = InstantField(
        required=False, help_text="Only what had arrived before this instant: usage as it was known then."
    )

    def validate_start(self, start: datetime) -> datetime:
        return _within_calendar(start)

    def validate_end(self, end: datetime) -> datetime:
        return _within_calendar(end)

    def validate_group_by(self, text: str) -> list[str]:
        names = list(dict.fromkeys(text.split(",")))
        if len(names) > GROUPS_MAX:
            raise serializers.ValidationError(f"Group by at most {GROUPS_MAX} properties.", code="too_many")
        return names


def _within_calendar(instant: datetime) -> datetime:
    if instant.year not in YEARS:
        raise serializers.ValidationError(f"Ask for {YEARS[0]} to {YEARS[-1]}.", code="out_of_range")
    return instant


class UsageTotalSerializer(serializers.Serializer[Any]):
    """One total; `group` names the properties asked for, null where an event has none."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    group = serializers.DictField(child=serializers.CharField(allow_null=True))
    quantity = serializers.CharField(help_text="A decimal.")
    event_count = serializers.IntegerField()


class UsageSerializer(serializers.Serializer[Any]):
    """Every event accepted by `as_of` is in the totals; one still being captured then is at most `lag_seconds` old."""

    customer = serializers.CharField()
    meter = serializers.CharField()
    unit = serializers.CharField()
    aggregation = serializers.CharField()
    time_zone = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    as_of = serializers.DateTimeField()
    lag_seconds = serializers.FloatField()
    read_from = serializers.ChoiceField(
        choices=[name.value for name in ReadFrom],
        help_text="`rollups`: sums kept by the hour, and the newest events. `events`: all of them, one by one, because "
        "this kind of total, or this grouping, cannot be put together from sums.",
    )
    totals = UsageTotalSerializer(many=True)


class UsageView(RuledView, APIView):
    """What was used so far, straight from the accepted events."""

    roles_by_method = {"GET": READERS}

    @extend_schema(parameters=[UsageFilterSerializer], responses={200: UsageSerializer, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        """Total usage, whole or by hour, day or month and by properties."""
        wanted = UsageFilterSerializer(data=request.query_params.dict())
        wanted.is_valid(raise_exception=True)
        asked = _question(wanted.validated_data, now=timezone.now())
        found = queries.live_usage(
            customer_id=asked.customer.pk,
            meter=asked.meter,
            start=asked.start,
            end=asked.end,
            window=wanted.validated_data.get("window"),
            group_by=wanted.validated_data.get("group_by", ()),
            zone=asked.customer.time_zone,
            arrived=Arrived(
                since=wanted.validated_data.get("received_since"), before=wanted.validated_data.get("received_before")
            ),
        )
        return Response(_show(asked, found))


@dataclass(frozen=True, slots=True)
class _Question:
    customer: Customer
    meter: Meter
    start: datetime
    end: datetime


def _question(given: dict[str, Any], *, now: datetime) -> _Question:
    """Fill in the calendar month, in the customer's zone, for what was left out."""
    customer = given["customer"]
    start, end = given.get("start"), given.get("end")
    within = start or (end - timedelta(microseconds=1) if end else now)
    anchor = periods.local_date(within, zone=customer.time_zone).replace(day=1)
    month = periods.enclosing_period(anchor=anchor, interval=Interval.MONTH, zone=customer.time_zone, instant=within)
    return _Question(customer, given["meter"], start or month.start, end or month.end)


def _show(asked: _Question, found: LiveUsage) -> dict[str, Any]:
    return {
        "customer": asked.customer.code,
        "meter": asked.meter.code,
        "unit": asked.meter.unit,
        "aggregation": queries.version_of(asked.meter, at=asked.start).aggregation,
        "time_zone": asked.customer.time_zone,
        "start": instant_text(asked.start),
        "end": instant_text(asked.end),
        "as_of": instant_text(found.as_of),
        "lag_seconds": round(found.lag_seconds, 3),
        "read_from": found.read_from,
        "totals": [
            {
                "start": instant_text(row.start),
                "end": instant_text(row.end),
                "group": row.group,
                "quantity": money.plain(row.quantity),
                "event_count": row.event_count,
            }
            for row in found.rows
        ],
    }
