"""`trace/events` and `trace/snapshots/{id}`: forward to the lines that bill what was captured or measured."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.evidence import reached
from compliance.evidence.reached import Reached
from core import money
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS
from invoicing.cycle.models import InvoiceLine
from metering.models import AggregationSnapshot


class EventQuestion(serializers.Serializer[Any]):
    """Query parameters: the identity of an event."""

    id = serializers.CharField(max_length=200)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Every serializer has a `source` of its own, so this field cannot be a class attribute.
        return {"source": serializers.CharField(max_length=200), **super().get_fields()}


class BilledLineSerializer(serializers.Serializer[Any]):
    """A line that bills a snapshot; its trace is the walk back."""

    invoice = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    line = serializers.IntegerField()
    position = serializers.IntegerField()
    description = serializers.CharField()
    quantity = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    adjusts = serializers.IntegerField(allow_null=True)


class SnapshotReachSerializer(serializers.Serializer[Any]):
    """A snapshot and the lines that bill it."""

    snapshot = serializers.IntegerField()
    meter = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    quantity = serializers.CharField()
    event_count = serializers.IntegerField()
    digest = serializers.CharField()
    lines = BilledLineSerializer(many=True)


class CountingSerializer(SnapshotReachSerializer):
    """The same for one event: whether it was counted there, and why not."""

    counted = serializers.BooleanField()
    why = serializers.CharField()


class EventReachSerializer(serializers.Serializer[Any]):
    """An event, and every snapshot over its time."""

    seq = serializers.IntegerField()
    time = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    corrected = serializers.CharField(allow_blank=True, help_text="What became of it, where it was corrected.")
    snapshots = CountingSerializer(many=True)


class EventTraceView(RuledView, APIView):
    """Where an event was counted, where not and why, and the lines that bill it."""

    roles_by_method = {"GET": READERS}

    @extend_schema(parameters=[EventQuestion], responses={200: EventReachSerializer, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        asked = EventQuestion(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = reached.reach_of_event(source=asked.validated_data["source"], event_id=asked.validated_data["id"])
        answer = {
            "seq": found.event.seq,
            "time": found.event.occurred_at,
            "received_at": found.event.received_at,
            "corrected": "" if found.correction is None else found.correction.get_kind_display(),
            "snapshots": [_counting(each) for each in found.reached],
        }
        return Response(EventReachSerializer(answer).data)


class SnapshotTraceView(RuledView, APIView):
    """A snapshot, and the lines that bill it."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: SnapshotReachSerializer, **READ_REFUSALS})
    def get(self, request: Request, snapshot_id: int) -> Response:
        snapshot = reached.find_snapshot(snapshot_id)
        if snapshot is None:
            raise NotFoundError(f"There is no snapshot {snapshot_id}.")
        return Response(SnapshotReachSerializer(_snapshot(snapshot, reached.lines_of_snapshot(snapshot))).data)


def _counting(each: Reached) -> dict[str, Any]:
    return {**_snapshot(each.snapshot, each.lines), "counted": each.is_counted, "why": each.why}


def _snapshot(snapshot: AggregationSnapshot, lines: Any) -> dict[str, Any]:
    return {
        "snapshot": snapshot.pk,
        "meter": snapshot.meter.code,
        "start": snapshot.window_start,
        "end": snapshot.window_end,
        "quantity": money.plain(snapshot.quantity),
        "event_count": snapshot.event_count,
        "digest": snapshot.digest,
        "lines": [_line(line) for line in lines],
    }


def _line(line: InvoiceLine) -> dict[str, Any]:
    return {
        "invoice": line.invoice_id,
        "number": line.invoice.number,
        "status": line.invoice.status,
        "line": line.pk,
        "position": line.position,
        "description": line.description,
        "quantity": money.plain(line.quantity),
        "amount": money.amount_text(line.amount, currency=line.invoice.currency),
        "currency": line.invoice.currency,
        "adjusts": line.adjusts_id,
    }
