"""`launch/go-lives` and `launch/exceptions`: what was decided over open boxes, and deciding."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.launch import exceptions, go_live
from compliance.launch.api.shapes import (
    GoLiveSerializer,
    LaunchExceptionSerializer,
    NewExceptionSerializer,
    NewExceptionSignatureSerializer,
    NewGoLiveSerializer,
)
from compliance.launch.models import GoLiveDecision, LaunchException
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

DECIDERS = frozenset(go_live.DECIDERS)
PROPOSERS = frozenset(exceptions.PROPOSERS)
SIGNERS = frozenset(exceptions.SIGNERS)


class GoLiveListView(IdempotentWrites, RuledView, GenericAPIView[GoLiveDecision]):
    """Decisions, the newest first, and deciding; 409 `activation_refused` names the boxes that stand in the way."""

    roles_by_method = {"GET": READERS, "POST": DECIDERS}
    serializer_class = GoLiveSerializer
    queryset = GoLiveDecision.objects.select_related("decided_by", "audit_entry")

    @extend_schema(responses={200: GoLiveSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(GoLiveSerializer(page, many=True).data)

    @extend_schema(request=NewGoLiveSerializer, responses={201: GoLiveSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewGoLiveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        decision = go_live.decide(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(GoLiveSerializer(decision).data, status=status.HTTP_201_CREATED)


def _exceptions() -> QuerySet[LaunchException]:
    beside = ("signatures__person", "signatures__audit_entry")
    return LaunchException.objects.select_related("proposed_by").prefetch_related(*beside)


def _answer(exception_id: int) -> Response:
    asked = _exceptions().filter(pk=exception_id).first()
    if asked is None:
        raise NotFoundError(f"There is no exception {exception_id}.")
    return Response(LaunchExceptionSerializer(asked).data)


class ExceptionListView(IdempotentWrites, RuledView, GenericAPIView[LaunchException]):
    """Exceptions, the newest first, and proposing one."""

    roles_by_method = {"GET": READERS, "POST": PROPOSERS}
    serializer_class = LaunchExceptionSerializer
    queryset = LaunchException.objects.all()

    @extend_schema(responses={200: LaunchExceptionSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(_exceptions())
        return self.get_paginated_response(LaunchExceptionSerializer(page, many=True).data)

    @extend_schema(request=NewExceptionSerializer, responses={201: LaunchExceptionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewExceptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = exceptions.propose_exception(**body.validated_data, actor=request.user, at=timezone.now())
        answer = _answer(asked.pk)
        answer.status_code = status.HTTP_201_CREATED
        return answer


class SignExceptionView(IdempotentWrites, RuledView, APIView):
    """Sign for finance or ops; who signs is who calls."""

    roles_by_method = {"POST": SIGNERS}

    @extend_schema(
        request=NewExceptionSignatureSerializer, responses={200: LaunchExceptionSerializer, **WRITE_REFUSALS}
    )
    def post(self, request: Request, exception_id: int) -> Response:
        body = NewExceptionSignatureSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        exceptions.sign_exception(exception_id=exception_id, **given, actor=request.user, at=timezone.now())
        return _answer(exception_id)
