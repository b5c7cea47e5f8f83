"""`meters`: what is counted."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from metering import meters
from metering.api.serializers import MeterChangeSerializer, MeterSerializer
from metering.models import Meter

KEEPERS = frozenset({Role.ENGINEERING, Role.PRODUCT})
FOUND = Meter.objects.select_related("owner", "contract")


class MeterListView(IdempotentWrites, RuledView, GenericAPIView[Meter]):
    """Meters, and starting one."""

    roles_by_method = {"GET": READERS, "POST": KEEPERS}
    serializer_class = MeterSerializer
    queryset = FOUND

    @extend_schema(responses={200: MeterSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(MeterSerializer(page, many=True).data)

    @extend_schema(request=MeterSerializer, responses={201: MeterSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = MeterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = meters.create_meter(**body.validated_data, owner=request.user)
        return Response(MeterSerializer(made).data, status=status.HTTP_201_CREATED)


class MeterView(IdempotentWrites, RuledView, APIView):
    """One meter; what it measures is for ever, the words about it are not."""

    roles_by_method = {"GET": READERS, "PATCH": KEEPERS}

    @extend_schema(responses={200: MeterSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        return Response(MeterSerializer(_meter(code)).data)

    @extend_schema(request=MeterChangeSerializer, responses={200: MeterSerializer, **WRITE_REFUSALS})
    def patch(self, request: Request, code: str) -> Response:
        meter = _meter(code)
        body = MeterChangeSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = meters.describe_meter(meter=meter, changes=body.validated_data, actor=request.user)
        return Response(MeterSerializer(changed).data)


def _meter(code: str) -> Meter:
    meter = FOUND.filter(code=code).first()
    if meter is None:
        raise NotFoundError(f"There is no meter {code}.")
    return meter
