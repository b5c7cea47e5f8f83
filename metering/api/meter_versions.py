"""`meters/{code}/versions`: what a meter measures from when on, proposed, compared and decided."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core import money
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from metering import comparing, meter_versions, meters
from metering.api.meter_shapes import MeterSerializer, with_measure
from metering.api.meter_version_shapes import (
    ComparisonSerializer,
    HandOverSerializer,
    MeterVersionSerializer,
    NewMeterVersionSerializer,
    RejectionSerializer,
)
from metering.api.rendering import ExactJSONRenderer
from metering.meters import KEEPERS
from metering.models import MeterVersion


class MeterVersionListView(IdempotentWrites, RuledView, APIView):
    """The versions of a meter, newest first, and proposing the next one."""

    roles_by_method = {"GET": READERS, "POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: MeterVersionSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        versions = meters.get_meter(code).versions.select_related("proposed_by", "decided_by")
        return Response(MeterVersionSerializer(versions, many=True).data)

    @extend_schema(request=NewMeterVersionSerializer, responses={201: MeterVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        """Propose what the meter is to measure from an instant on; its owner approves it."""
        meter = meters.get_meter(code)
        body = NewMeterVersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = meter_versions.propose_version(
            meter=meter,
            content=body.content(),
            effective_at=body.validated_data["effective_at"],
            reason=body.validated_data["reason"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(MeterVersionSerializer(made).data, status=status.HTTP_201_CREATED)


class MeterVersionView(RuledView, APIView):
    """One version of a meter."""

    roles_by_method = {"GET": READERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: MeterVersionSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str, version: int) -> Response:
        return Response(MeterVersionSerializer(meter_versions.get_version(code, version)).data)


class MeterVersionApprovalView(IdempotentWrites, RuledView, APIView):
    """The owner's yes."""

    roles_by_method = {"POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(request=None, responses={200: MeterVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str, version: int) -> Response:
        """Approve a version; only the meter's owner may, and not an own proposal."""
        proposed = meter_versions.get_version(code, version)
        made = meter_versions.approve_version(version_id=proposed.pk, actor=request.user, at=timezone.now())
        return Response(MeterVersionSerializer(made).data)


class MeterVersionRejectionView(IdempotentWrites, RuledView, APIView):
    """The owner's no, or taking back an own proposal."""

    roles_by_method = {"POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(request=RejectionSerializer, responses={200: MeterVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str, version: int) -> Response:
        """Reject a version as the owner, or withdraw it as the one who proposed it."""
        proposed = meter_versions.get_version(code, version)
        body = RejectionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = meter_versions.reject_version(
            version_id=proposed.pk, reason=body.validated_data["reason"], actor=request.user, at=timezone.now()
        )
        return Response(MeterVersionSerializer(made).data)


class MeterVersionComparisonView(RuledView, APIView):
    """What a version says differently from the one it replaces, and what that would have changed."""

    roles_by_method = {"GET": READERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: ComparisonSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str, version: int) -> Response:
        """Compare: the changed fields, and every customer's last closed window measured both ways."""
        return Response(_compare(meter_versions.get_version(code, version)))


def _compare(version: MeterVersion) -> dict[str, Any]:
    effect = comparing.compare_versions(version)
    return {
        "version": version.version,
        "replaces": effect.before.version,
        "changes": [change._asdict() for change in meter_versions.changes_from(effect.before, version)],
        "customers_changed": effect.changed,
        "customers": [
            {
                "customer": row.customer,
                "start": row.start,
                "end": row.end,
                "old_quantity": money.plain(row.old_quantity),
                "new_quantity": money.plain(row.new_quantity),
                "old_events": row.old_events,
                "new_events": row.new_events,
            }
            for row in effect.rows
        ],
    }


class MeterOwnerView(IdempotentWrites, RuledView, APIView):
    """Hands a meter over."""

    roles_by_method = {"POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(request=HandOverSerializer, responses={200: MeterSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        """Let another person of engineering or product answer for the meter; its owner does that."""
        meter = meters.get_meter(code)
        body = HandOverSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        given = meters.hand_over_meter(
            meter=meter, to=body.validated_data["to"], reason=body.validated_data["reason"], actor=request.user, at=now
        )
        return Response(MeterSerializer(with_measure(given, at=now)).data)
