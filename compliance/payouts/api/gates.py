"""`gate-checks`: the queue, one check with its history, and every decision about it."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from compliance.payouts import desk, downloads, evidence, gates
from compliance.payouts.api.serializers import (
    ApprovalSerializer,
    EvidenceFileSerializer,
    GateCheckDetailSerializer,
    GateCheckSerializer,
    NewEvidenceSerializer,
    VerdictSerializer,
)
from compliance.payouts.models import EvidenceFile, GateCheck
from compliance.payouts.models.gates import STATE_LABELS
from compliance.payouts.models.payees import GATE_KINDS
from compliance.payouts.rules.gates import GateState
from compliance.payouts.rules.lifecycle import Verdict
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

DECIDERS = frozenset({Role.OPS})


class GateCheckFilter(serializers.Serializer[Any]):
    """Query parameters of the list."""

    payee = serializers.CharField(required=False, help_text="Code of the payee.")
    gate = serializers.ChoiceField(required=False, choices=GATE_KINDS)
    state = serializers.ChoiceField(required=False, choices=STATE_LABELS, help_text="The state at this instant.")


class GateCheckListView(RuledView, GenericAPIView[GateCheck]):
    """Gate checks as they stand now."""

    roles_by_method = {"GET": READERS}
    serializer_class = GateCheckSerializer
    queryset = GateCheck.objects.select_related("payee")

    @extend_schema(parameters=[GateCheckFilter], responses={200: GateCheckSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        asked = GateCheckFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted, now, checks = asked.validated_data, timezone.now(), self.get_queryset()
        if "payee" in wanted:
            checks = checks.filter(payee__code=wanted["payee"])
        if "gate" in wanted:
            checks = checks.filter(kind=wanted["gate"])
        if "state" in wanted:
            checks = checks.filter(desk.states([GateState(wanted["state"])], at=now))
        views = desk.look_at(self.paginate_queryset(checks) or [], at=now)
        return self.get_paginated_response(GateCheckSerializer(views, many=True).data)


def _detail(check_id: int) -> Any:
    checks = GateCheck.objects.select_related("payee").prefetch_related(
        "decisions__actor", "decisions__audit_entry", "evidence_files"
    )
    check = checks.filter(pk=check_id).first()
    if check is None:
        raise NotFoundError(f"There is no gate check {check_id}.")
    return GateCheckDetailSerializer(desk.look_at([check], at=timezone.now())[0]).data


class GateCheckView(RuledView, APIView):
    """One gate check with its decisions and documents."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: GateCheckDetailSerializer, **READ_REFUSALS})
    def get(self, request: Request, check_id: int) -> Response:
        return Response(_detail(check_id))


class DecideView(IdempotentWrites, RuledView, APIView):
    """One verdict about one gate check; answers the check as it stands after it."""

    roles_by_method = {"POST": DECIDERS}
    verdict: ClassVar[Verdict]
    body_class: ClassVar[type[VerdictSerializer]] = VerdictSerializer

    @extend_schema(request=VerdictSerializer, responses={200: GateCheckDetailSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, check_id: int) -> Response:
        body = self.body_class(data=request.data)
        body.is_valid(raise_exception=True)
        gates.decide_gate(
            check_id=check_id,
            verdict=self.verdict,
            reason=body.validated_data["reason"],
            evidence=body.validated_data["evidence"],
            expires_at=body.validated_data.get("expires_at"),
            actor=request.user,
            at=timezone.now(),
        )
        return Response(_detail(check_id))


@extend_schema(request=ApprovalSerializer)
class ApproveView(DecideView):
    """Open the gate, until an instant or without an end."""

    verdict = Verdict.APPROVE
    body_class = ApprovalSerializer


class RejectView(DecideView):
    """Shut the gate for good; a review can take it up again."""

    verdict = Verdict.REJECT


class SuspendView(DecideView):
    """Shut the gate at once, until it is reviewed."""

    verdict = Verdict.SUSPEND


class RequestView(DecideView):
    """Documents are asked for."""

    verdict = Verdict.REQUEST


class ReviewView(DecideView):
    """Somebody has to look at it."""

    verdict = Verdict.REVIEW


class EvidenceListView(IdempotentWrites, RuledView, APIView):
    """Store a document that was looked at."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=NewEvidenceSerializer, responses={201: EvidenceFileSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, check_id: int) -> Response:
        body = NewEvidenceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        file = evidence.add_file(check_id=check_id, **body.validated_data, actor=request.user, at=timezone.now())
        return Response(EvidenceFileSerializer(file).data, status=status.HTTP_201_CREATED)


class EvidenceView(RuledView, APIView):
    """A stored document, as it came. Only for those who decide and those who audit: it names a person's papers."""

    roles_by_method = {"GET": frozenset({Role.OPS, Role.AUDITOR})}

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiResponse(bytes), **READ_REFUSALS})
    def get(self, request: Request, check_id: int, file_id: int) -> HttpResponse:
        file = EvidenceFile.objects.filter(gate_check=check_id, pk=file_id).first()
        if file is None:
            raise NotFoundError("There is no such document on this gate check.")
        return downloads.evidence_response(file)
