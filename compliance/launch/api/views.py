"""`launch`: the checklist as it stands, a new check, and the versions of its rules."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.launch import check, checklists, standing
from compliance.launch.api.shapes import (
    ChecklistSerializer,
    LaunchCheckSerializer,
    LaunchSerializer,
    NewChecklistSerializer,
    NewLaunchCheckSerializer,
)
from compliance.launch.models import ChecklistVersion, LaunchCheck
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

ASKERS = frozenset(check.ASKERS)
KEEPERS = frozenset(checklists.KEEPERS)


class LaunchView(IdempotentWrites, RuledView, APIView):
    """Every box with its proof, date and owner; POST has all of them, or one, looked at again by a worker."""

    roles_by_method = {"GET": READERS, "POST": ASKERS}

    @extend_schema(responses={200: LaunchSerializer, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        at = timezone.now()
        run = standing.latest_check()
        states = standing.overview(at=at)
        found: dict[str, Any] = {
            "is_closed": not standing.still_open(states),
            "checklist_version": checklists.in_force().version,
            "check": run,
            "running": LaunchCheck.objects.filter(finished_at=None).last(),
            "boxes": states,
        }
        return Response(LaunchSerializer(found).data)

    @extend_schema(request=NewLaunchCheckSerializer, responses={202: LaunchCheckSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewLaunchCheckSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = check.ask_for_check(actor=request.user, at=timezone.now(), only=body.validated_data["box"])
        return Response(LaunchCheckSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class ChecklistListView(IdempotentWrites, RuledView, GenericAPIView[ChecklistVersion]):
    """Versions of the rules, the newest first, and proposing the next."""

    roles_by_method = {"GET": READERS, "POST": KEEPERS}
    serializer_class = ChecklistSerializer
    queryset = ChecklistVersion.objects.select_related("proposed_by", "approval__person")

    @extend_schema(responses={200: ChecklistSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        shown = ChecklistSerializer(page, many=True, context={"in_force": checklists.in_force().version})
        return self.get_paginated_response(shown.data)

    @extend_schema(request=NewChecklistSerializer, responses={201: ChecklistSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewChecklistSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        version = checklists.propose_version(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(_shown(version), status=status.HTTP_201_CREATED)


class ApproveChecklistView(IdempotentWrites, RuledView, APIView):
    """Let a proposed version count; refused to its author."""

    roles_by_method = {"POST": KEEPERS}

    @extend_schema(request=None, responses={200: ChecklistSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, version: int) -> Response:
        return Response(_shown(checklists.approve_version(version=version, actor=request.user, at=timezone.now())))


def _shown(version: ChecklistVersion) -> Any:
    return ChecklistSerializer(version, context={"in_force": checklists.in_force().version}).data
