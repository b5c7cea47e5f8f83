"""`quarantine`: review what was held back, release it, discard it, or take up again what was discarded."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from metering import quarantine
from metering.api.serializers import (
    DiscardRequestSerializer,
    QuarantinedSerializer,
    QuarantineFilterSerializer,
    ReleaseRequestSerializer,
    ReleaseSerializer,
    TakeUpRequestSerializer,
)
from metering.models import QuarantinedEvent

DECIDERS = frozenset({Role.ENGINEERING, Role.OPS})


class QuarantineListView(RuledView, GenericAPIView[QuarantinedEvent]):
    """Events that were held back, newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = QuarantinedSerializer
    queryset = QuarantinedEvent.objects.select_related("decided_by")

    @extend_schema(
        parameters=[QuarantineFilterSerializer], responses={200: QuarantinedSerializer(many=True), **READ_REFUSALS}
    )
    def get(self, request: Request) -> Response:
        wanted = QuarantineFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        page = self.paginate_queryset(_narrow(self.get_queryset(), **wanted.validated_data))
        return self.get_paginated_response(QuarantinedSerializer(page, many=True).data)


class QuarantinedEventView(RuledView, APIView):
    """One event that was held back."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: QuarantinedSerializer, **READ_REFUSALS})
    def get(self, request: Request, quarantine_id: int) -> Response:
        event = QuarantinedEvent.objects.select_related("decided_by").filter(pk=quarantine_id).first()
        if event is None:
            raise NotFoundError("There is no such quarantined event.")
        return Response(QuarantinedSerializer(event).data)


class ReleaseView(IdempotentWrites, RuledView, APIView):
    """Checks a held event against the contract now in force."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=ReleaseRequestSerializer, responses={200: ReleaseSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, quarantine_id: int) -> Response:
        """Accept the event with its own time, or keep it here with its new reasons."""
        body = ReleaseRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = quarantine.release_event(
            quarantine_id=quarantine_id, actor=request.user, reason=body.validated_data["reason"], at=timezone.now()
        )
        shown = {
            "outcome": made.outcome,
            "reasons": [found.as_json() for found in made.reasons],
            "event": QuarantinedSerializer(made.event).data,
        }
        return Response(shown)


class DiscardView(IdempotentWrites, RuledView, APIView):
    """Closes the case of a held event without accepting it."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=DiscardRequestSerializer, responses={200: QuarantinedSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, quarantine_id: int) -> Response:
        body = DiscardRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        event = quarantine.discard_event(
            quarantine_id=quarantine_id, actor=request.user, reason=body.validated_data["reason"], at=timezone.now()
        )
        return Response(QuarantinedSerializer(event).data)


class TakeUpView(IdempotentWrites, RuledView, APIView):
    """Opens the case of a discarded event once more."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=TakeUpRequestSerializer, responses={200: QuarantinedSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, quarantine_id: int) -> Response:
        """Have the event wait again as it was sent, as the one in the answer; that it was discarded stays on record."""
        body = TakeUpRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        event = quarantine.take_up_again(
            quarantine_id=quarantine_id, actor=request.user, reason=body.validated_data["reason"]
        )
        return Response(QuarantinedSerializer(event).data)


def _narrow(
    events: QuerySet[QuarantinedEvent],
    *,
    code: str | None = None,
    type: str | None = None,  # noqa: A002 - the name that callers know it by
    **equal: Any,
) -> QuerySet[QuarantinedEvent]:
    """Narrow by a reason code, a type, and by `status` and `subject` as they stand."""
    found = events.filter(**equal)
    if code is not None:
        found = found.filter(reasons__contains=[{"code": code}])
    return found if type is None else found.filter(event_type=type)
