"""`plans` and their charges."""

from typing import Any

from django.db.models import QuerySet
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
from invoicing.pricing import plans
from invoicing.pricing.api.serializers import ChargeSerializer, PlanChangeSerializer, PlanSerializer
from invoicing.pricing.models import Plan

PRICERS = frozenset({Role.PRODUCT, Role.FINANCE})


class PlanListView(IdempotentWrites, RuledView, GenericAPIView[Plan]):
    """Plans, and making one."""

    roles_by_method = {"GET": READERS, "POST": PRICERS}
    serializer_class = PlanSerializer
    queryset = Plan.objects.prefetch_related("charges__meter")

    @extend_schema(responses={200: PlanSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(PlanSerializer(page, many=True).data)

    @extend_schema(request=PlanSerializer, responses={201: PlanSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = PlanSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        plan = plans.create_plan(**body.validated_data)
        return Response(PlanSerializer(plan).data, status=status.HTTP_201_CREATED)


class PlanView(IdempotentWrites, RuledView, GenericAPIView[Plan]):
    """One plan; its terms are fixed, its description is not."""

    roles_by_method = {"GET": READERS, "PATCH": PRICERS}
    serializer_class = PlanSerializer
    queryset = Plan.objects.prefetch_related("charges__meter")

    @extend_schema(responses={200: PlanSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        return Response(PlanSerializer(_plan(self.get_queryset(), code=code)).data)

    @extend_schema(request=PlanChangeSerializer, responses={200: PlanSerializer, **WRITE_REFUSALS})
    def patch(self, request: Request, code: str) -> Response:
        plan = _plan(self.get_queryset(), code=code)
        body = PlanChangeSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        wanted: dict[str, Any] = {"name": plan.name, "description": plan.description, **body.validated_data}
        return Response(PlanSerializer(plans.describe_plan(plan=plan, **wanted)).data)


class ChargeListView(IdempotentWrites, RuledView, APIView):
    """Adds a charge to a plan; its prices follow by `price-versions`."""

    roles_by_method = {"POST": PRICERS}

    @extend_schema(request=ChargeSerializer, responses={201: ChargeSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        plan = _plan(Plan.objects.all(), code=code)
        body = ChargeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        charge = plans.add_charge(plan=plan, **body.validated_data)
        return Response(ChargeSerializer(charge).data, status=status.HTTP_201_CREATED)


def _plan(found: QuerySet[Plan], *, code: str) -> Plan:
    plan = found.filter(code=code).first()
    if plan is None:
        raise NotFoundError(f"There is no plan {code}.")
    return plan
