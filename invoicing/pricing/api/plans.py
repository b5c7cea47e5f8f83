"""`plans`, their versions and their charges."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.pricing import plans
from invoicing.pricing.api.serializers import (
    ChargeSerializer,
    NewPlanSerializer,
    NewPlanVersionSerializer,
    PlanChangeSerializer,
    PlanSerializer,
    PlanVersionSerializer,
)
from invoicing.pricing.models import Plan
from invoicing.pricing.proposals import APPROVERS, AUTHORS

FOUND = Plan.objects.prefetch_related("charges__meter", "versions__created_by", "versions__decided_by")


class PlanListView(IdempotentWrites, RuledView, GenericAPIView[Plan]):
    """Plans, and making one; it can be subscribed to once its first version is approved."""

    roles_by_method = {"GET": READERS, "POST": AUTHORS}
    serializer_class = PlanSerializer
    queryset = FOUND

    @extend_schema(responses={200: PlanSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(PlanSerializer(page, many=True).data)

    @extend_schema(request=NewPlanSerializer, responses={201: PlanSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewPlanSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        plan = plans.create_plan(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(PlanSerializer(plan).data, status=status.HTTP_201_CREATED)


class PlanView(IdempotentWrites, RuledView, GenericAPIView[Plan]):
    """One plan; its description may change, its terms are followed by a new version."""

    roles_by_method = {"GET": READERS, "PATCH": AUTHORS}
    serializer_class = PlanSerializer
    queryset = FOUND

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


class PlanVersionListView(IdempotentWrites, RuledView, APIView):
    """Proposes the next terms of a plan."""

    roles_by_method = {"POST": AUTHORS}

    @extend_schema(request=NewPlanVersionSerializer, responses={201: PlanVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        plan = _plan(Plan.objects.all(), code=code)
        body = NewPlanVersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        terms = dict(body.validated_data)
        effective_at = terms.pop("effective_at")
        version = plans.propose_version(
            plan=plan, terms=terms, effective_at=effective_at, actor=request.user, at=timezone.now()
        )
        return Response(PlanVersionSerializer(version).data, status=status.HTTP_201_CREATED)


class ApprovePlanVersionView(IdempotentWrites, RuledView, APIView):
    """Puts proposed terms in force from their instant on; another person than their author does it."""

    roles_by_method = {"POST": APPROVERS}

    @extend_schema(request=None, responses={200: PlanVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str, version: int) -> Response:
        found = plans.find_version(plan_code=code, version=version)
        decided = plans.approve_version(pk=found.pk, actor=request.user, at=timezone.now())
        return Response(PlanVersionSerializer(decided).data)


class WithdrawPlanVersionView(IdempotentWrites, RuledView, APIView):
    """Turns proposed terms down; they are kept."""

    roles_by_method = {"POST": AUTHORS}

    @extend_schema(request=None, responses={200: PlanVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str, version: int) -> Response:
        found = plans.find_version(plan_code=code, version=version)
        decided = plans.withdraw_version(pk=found.pk, actor=request.user, at=timezone.now())
        return Response(PlanVersionSerializer(decided).data)


class ChargeListView(IdempotentWrites, RuledView, APIView):
    """Adds a charge to a plan; its prices follow by `price-versions`."""

    roles_by_method = {"POST": AUTHORS}

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
