"""`launch/samples`: walk a sample account, read the walk, accept it."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from compliance.launch import samples
from compliance.launch.api.shapes import NewAcceptanceSerializer, NewSampleSerializer, SampleSerializer
from compliance.launch.models import SampleWalk
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

WALKERS = frozenset(samples.WALKERS)
ACCEPTERS = frozenset({Role.PRODUCT, Role.FINANCE, Role.OPS})


def _samples() -> QuerySet[SampleWalk]:
    return SampleWalk.objects.select_related("made_by").prefetch_related(
        "acceptances__person", "acceptances__audit_entry"
    )


def _answer(sample_id: int) -> Response:
    sample = _samples().filter(pk=sample_id).first()
    if sample is None:
        raise NotFoundError(f"There is no sample {sample_id}.")
    return Response(SampleSerializer(sample).data)


class SampleListView(IdempotentWrites, RuledView, GenericAPIView[SampleWalk]):
    """Samples, the newest first, and walking another document."""

    roles_by_method = {"GET": READERS, "POST": WALKERS}
    serializer_class = SampleSerializer
    queryset = SampleWalk.objects.all()

    @extend_schema(responses={200: SampleSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(_samples())
        return self.get_paginated_response(SampleSerializer(page, many=True).data)

    @extend_schema(request=NewSampleSerializer, responses={201: SampleSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewSampleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sample = samples.walk_sample(**body.validated_data, actor=request.user, at=timezone.now())
        answer = _answer(sample.pk)
        answer.status_code = status.HTTP_201_CREATED
        return answer


class SampleView(RuledView, APIView):
    """One sample with every step of its walk."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: SampleSerializer, **READ_REFUSALS})
    def get(self, request: Request, sample_id: int) -> Response:
        return _answer(sample_id)


class AcceptSampleView(IdempotentWrites, RuledView, APIView):
    """Accept in one of the caller's roles; who accepts is who calls."""

    roles_by_method = {"POST": ACCEPTERS}

    @extend_schema(request=NewAcceptanceSerializer, responses={200: SampleSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, sample_id: int) -> Response:
        body = NewAcceptanceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        samples.accept_sample(sample_id=sample_id, **body.validated_data, actor=request.user, at=timezone.now())
        return _answer(sample_id)
