"""`replay/runs`: asked for, carried out by a worker, read."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.replay import run
from invoicing.replay.api import shapes
from invoicing.replay.api.shapes import RunBody, RunPageShape, RunShape
from invoicing.replay.models import ReplayRun


class RunListView(RuledView, GenericAPIView[ReplayRun]):
    """All runs, the latest first, without their reports."""

    roles_by_method = {"GET": READERS}
    queryset = ReplayRun.objects.defer("report").select_related("version__replay_set", "asked_by")
    serializer_class = RunShape  # type: ignore[assignment]  # a shape of plain values

    @extend_schema(operation_id="api_v1_replay_runs_list", responses={200: RunPageShape, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([shapes.run_answer(each, with_report=False) for each in page])


class RunView(RuledView, APIView):
    """One run with its report."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: RunShape, **READ_REFUSALS})
    def get(self, request: Request, run_id: int) -> Response:
        return Response(shapes.run_answer(run.find_run(run_id), with_report=True))


class AskRunView(IdempotentWrites, RuledView, APIView):
    """Ask for a run of the latest content."""

    roles_by_method = {"POST": run.RUNNERS}

    @extend_schema(request=RunBody, responses={202: RunShape, **WRITE_REFUSALS})
    def post(self, request: Request, name: str) -> Response:
        body = RunBody(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        asked = run.ask(
            name=name,
            orders=given["orders"],
            with_version=shapes.version_of(given.get("candidate")),
            actor=request.user,
            at=timezone.now(),
        )
        return Response(shapes.run_answer(run.find_run(asked.pk), with_report=False), status=status.HTTP_202_ACCEPTED)
