"""`backfills`: usage that comes long after its time, staged apart, inspected, and decided on by its delta report."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import validators
from accounts.permissions import READERS, RuledView
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS, PageShape
from core.http.views import IdempotentWrites
from invoicing.cycle import backfill as trials
from invoicing.cycle.api.schema import ReasonBody
from invoicing.cycle.api.shapes import instant
from invoicing.cycle.models import DeltaReport
from invoicing.cycle.rules import reasons
from metering import backfills, capture
from metering.models import Backfill

BODIES = dict.fromkeys(
    ("application/json", "application/cloudevents-batch+json", "application/x-ndjson"), OpenApiTypes.OBJECT
)
FILLERS = frozenset(backfills.FILLERS)


class BackfillShape(serializers.Serializer[object]):
    """A batch of events that nobody counts before its delta report is approved."""

    name = serializers.CharField()
    status = serializers.ChoiceField(Backfill.Status.choices)
    reason = serializers.CharField()
    staged = serializers.IntegerField(help_text="Events that were put in.")
    digest = serializers.CharField(help_text="SHA-256 over the events, once the batch is sealed.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    delta_report = serializers.IntegerField(allow_null=True, help_text="Approve or reject it at `delta-reports/{id}`.")
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    captured_at = serializers.DateTimeField(allow_null=True)


class BackfillPageShape(PageShape):
    """A page of backfills."""

    results = BackfillShape(many=True)


class BackfillBody(serializers.Serializer[object]):
    """A name that is used once, and why this usage comes so late."""

    name = serializers.CharField(max_length=60, validators=[validators.CODE])
    reason = serializers.CharField(min_length=reasons.LENGTH_MIN, max_length=reasons.LENGTH_MAX)


def backfill_json(batch: Backfill) -> dict[str, Any]:
    report = DeltaReport.objects.filter(backfill=batch).values_list("pk", flat=True).first()
    return {
        "name": batch.name,
        "status": batch.status,
        "reason": batch.reason,
        "staged": batch.staged,
        "digest": batch.digest,
        "created_by": batch.created_by.get_username(),
        "created_at": instant(batch.created_at),
        "delta_report": report,
        "decided_by": batch.decided_by and batch.decided_by.get_username(),
        "decided_at": instant(batch.decided_at),
        "decision_reason": batch.decision_reason,
        "accepted": batch.accepted,
        "duplicates": batch.duplicates,
        "quarantined": batch.quarantined,
        "captured_at": instant(batch.captured_at),
    }


def _answer(name: str) -> Response:
    batch = Backfill.objects.select_related("created_by", "decided_by").filter(name=name).first()
    if batch is None:
        raise NotFoundError(f"There is no backfill {name}.")
    return Response(backfill_json(batch))


def _usable(body: Any) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


class BackfillListView(IdempotentWrites, RuledView, GenericAPIView[Backfill]):
    """Backfills, newest first, and the way to a new one."""

    roles_by_method = {"GET": READERS, "POST": FILLERS}
    serializer_class: Any = BackfillShape
    queryset = Backfill.objects.none()

    @extend_schema(operation_id="backfills_list", responses={200: BackfillPageShape, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(Backfill.objects.select_related("created_by", "decided_by")) or []
        return self.get_paginated_response([backfill_json(batch) for batch in page])

    @extend_schema(request=BackfillBody, responses={200: BackfillShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        given = _usable(BackfillBody(data=request.data))
        batch = backfills.create_backfill(**given, actor=request.user, at=timezone.now())
        return _answer(batch.name)


class BackfillView(RuledView, APIView):
    """One backfill."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="backfills_read", responses={200: BackfillShape, **READ_REFUSALS})
    def get(self, request: Request, name: str) -> Response:
        return _answer(name)


class BackfillEventsView(RuledView, APIView):
    """Put events into an open backfill, in the forms of `POST events`; nothing counts them."""

    roles_by_method = {"POST": FILLERS}

    @extend_schema(request=BODIES, responses={200: BackfillShape, **WRITE_REFUSALS})
    def post(self, request: Request, name: str) -> Response:
        stream = request._request  # noqa: SLF001  DRF offers the parsed body only
        deliveries = capture.read_request(stream, headers=request.headers)
        backfills.stage_events(name=name, deliveries=deliveries, actor=request.user)
        return _answer(name)


class BackfillInspectView(IdempotentWrites, RuledView, APIView):
    """Seal the batch and propose its delta report: what would change per customer and line."""

    roles_by_method = {"POST": FILLERS}

    @extend_schema(request=None, responses={200: BackfillShape, **WRITE_REFUSALS})
    def post(self, request: Request, name: str) -> Response:
        trials.inspect_backfill(name=name, actor=request.user, at=timezone.now())
        return _answer(name)


class BackfillDropView(IdempotentWrites, RuledView, APIView):
    """Drop a batch that was not inspected yet; its record stays."""

    roles_by_method = {"POST": FILLERS}

    @extend_schema(request=ReasonBody, responses={200: BackfillShape, **WRITE_REFUSALS})
    def post(self, request: Request, name: str) -> Response:
        reason = _usable(ReasonBody(data=request.data))["reason"]
        trials.drop_backfill(name=name, reason=reason, actor=request.user, at=timezone.now())
        return _answer(name)
