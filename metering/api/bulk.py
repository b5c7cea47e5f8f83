"""`quarantine/groups` and `quarantine/bulk`: what waits together, and decisions over all of it."""

from typing import Any, ClassVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from metering import bulk
from metering.api.serializers import TakeUpRequestSerializer
from metering.models import BulkDecision
from metering.store import groups

DECIDERS = frozenset(bulk.DECIDERS)
Field = serializers.Field[Any, Any, Any, Any]


class GroupSerializer(serializers.Serializer[Any]):
    """Events that wait with the same first reason, source and type."""

    code = serializers.CharField()
    type = serializers.CharField(source="event_type", allow_blank=True)
    events = serializers.IntegerField()
    times_seen = serializers.IntegerField(help_text="How often they were sent.")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Field]:
        # Every serializer has a `source` of its own, so this field cannot be a class attribute.
        return {**super().get_fields(), "source": serializers.CharField(allow_blank=True)}


class BulkRequestSerializer(serializers.Serializer[Any]):
    """Which group, what to do with all that waits of it, and why."""

    action = serializers.ChoiceField(choices=bulk.STARTED)
    code = serializers.CharField(max_length=60)
    type = serializers.CharField(max_length=200, allow_blank=True, trim_whitespace=False)
    subject = serializers.CharField(
        required=False, default=None, allow_null=True, max_length=200, help_text="Only events of this one."
    )
    reason = serializers.CharField(max_length=1000)

    def get_fields(self) -> dict[str, Field]:
        # As for GroupSerializer.
        source = serializers.CharField(max_length=200, allow_blank=True, trim_whitespace=False)
        return {**super().get_fields(), "source": source}


class BulkSerializer(serializers.ModelSerializer[BulkDecision]):
    """How far a decision is, and what became of its events."""

    type = serializers.CharField(source="event_type", allow_blank=True)
    started_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    done = serializers.IntegerField()

    class Meta:
        model = BulkDecision
        fields: ClassVar = [
            "id",
            "action",
            "code",
            "type",
            "subject",
            "reason",
            "started_by",
            "started_at",
            "total",
            "done",
            "accepted",
            "duplicates",
            "kept",
            "discarded",
            "taken_up",
            "passed_over",
            "undoes",
            "finished_at",
        ]

    def get_fields(self) -> dict[str, Field]:
        # As for GroupSerializer.
        return {**super().get_fields(), "source": serializers.CharField(allow_blank=True)}


class GroupsView(RuledView, APIView):
    """What waits in quarantine, the largest groups first."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: GroupSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        return Response(GroupSerializer(groups.find_groups(), many=True).data)


class BulkView(IdempotentWrites, RuledView, APIView):
    """Decides over a whole group, in the background."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=BulkRequestSerializer, responses={202: BulkSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        """Check all that waits of a group again and release it, or discard it; ask for the decision to see how far."""
        body = BulkRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        target = bulk.Target(
            code=given["code"], source=given["source"], event_type=given["type"], subject=given["subject"]
        )
        made = bulk.start_decision(
            target=target, action=given["action"], reason=given["reason"], actor=request.user, at=timezone.now()
        )
        return Response(BulkSerializer(made).data, status=202)


class UndoDiscardView(IdempotentWrites, RuledView, APIView):
    """Takes back a discard of a whole group, in the background."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=TakeUpRequestSerializer, responses={202: BulkSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, decision_id: int) -> Response:
        """Have all wait again that this decision discarded; ask for the decision in the answer to see how far it is."""
        body = TakeUpRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = bulk.undo_discard(
            decision_id=decision_id,
            reason=body.validated_data["reason"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(BulkSerializer(made).data, status=202)


class BulkDecisionView(RuledView, APIView):
    """One decision, and how far it is."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: BulkSerializer, **READ_REFUSALS})
    def get(self, request: Request, decision_id: int) -> Response:
        decision = BulkDecision.objects.select_related("started_by").filter(pk=decision_id).first()
        if decision is None:
            raise NotFoundError("There is no such decision.")
        return Response(BulkSerializer(decision).data)
