"""`meters`: what is counted."""

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
from metering import meters
from metering.api.meter_shapes import MeterChangeSerializer, MeterSerializer, with_measure, with_measures
from metering.api.rendering import ExactJSONRenderer
from metering.meters import KEEPERS
from metering.models import Meter

FOUND = Meter.objects.select_related("owner", "contract")


class MeterListView(IdempotentWrites, RuledView, GenericAPIView[Meter]):
    """Meters, and starting one."""

    roles_by_method = {"GET": READERS, "POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)
    serializer_class = MeterSerializer
    queryset = FOUND

    @extend_schema(responses={200: MeterSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        shown = with_measures(list(page or []), at=timezone.now())
        return self.get_paginated_response(MeterSerializer(shown, many=True).data)

    @extend_schema(request=MeterSerializer, responses={201: MeterSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = MeterSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = meters.create_meter(**body.subject(), **body.content(), owner=request.user)
        shown = MeterSerializer(with_measure(made, at=timezone.now()))
        return Response(shown.data, status=status.HTTP_201_CREATED)


class MeterView(IdempotentWrites, RuledView, APIView):
    """One meter; its name is changed in place, what it measures by a version."""

    roles_by_method = {"GET": READERS, "PATCH": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: MeterSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        return Response(MeterSerializer(with_measure(meters.get_meter(code), at=timezone.now())).data)

    @extend_schema(request=MeterChangeSerializer, responses={200: MeterSerializer, **WRITE_REFUSALS})
    def patch(self, request: Request, code: str) -> Response:
        meter = meters.get_meter(code)
        body = MeterChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = meters.describe_meter(meter=meter, changes=body.validated_data, actor=request.user)
        return Response(MeterSerializer(with_measure(changed, at=timezone.now())).data)
