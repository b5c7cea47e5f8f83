"""`effect-runs`: ask what a proposed version would have cost whom, and read the answer."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.effects import run
from invoicing.effects.api.serializers import AskSerializer, EffectSerializer, RunSerializer
from invoicing.effects.models import Effect, EffectRun
from invoicing.pricing.proposals import AUTHORS

ASKING = AUTHORS | {Role.AUDITOR}
FOUND = EffectRun.objects.select_related("price_version__charge__plan", "plan_version__plan", "move__source")


class RunListView(IdempotentWrites, RuledView, GenericAPIView[EffectRun]):
    """Questions, and asking one; a worker answers it."""

    roles_by_method = {"GET": READERS, "POST": ASKING}
    serializer_class = RunSerializer
    queryset = FOUND

    @extend_schema(responses={200: RunSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(RunSerializer(page, many=True).data)

    @extend_schema(request=AskSerializer, responses={202: RunSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = AskSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = run.ask(subject=body.validated_data["subject"], actor=request.user, at=timezone.now())
        return Response(RunSerializer(asked).data, status=status.HTTP_202_ACCEPTED)


class RunView(RuledView, GenericAPIView[EffectRun]):
    """One question, with how far its answer is."""

    roles_by_method = {"GET": READERS}
    serializer_class = RunSerializer
    queryset = FOUND

    @extend_schema(responses={200: RunSerializer, **READ_REFUSALS})
    def get(self, request: Request, run_id: int) -> Response:
        return Response(RunSerializer(run.find_run(run_id)).data)


class EffectListView(RuledView, GenericAPIView[Effect]):
    """The answer, subscription by subscription."""

    roles_by_method = {"GET": READERS}
    serializer_class = EffectSerializer
    queryset = Effect.objects.select_related("customer")

    def get_queryset(self) -> QuerySet[Effect]:
        return super().get_queryset().filter(run=run.find_run(self.kwargs["run_id"]))

    @extend_schema(responses={200: EffectSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request, run_id: int) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(EffectSerializer(page, many=True).data)
