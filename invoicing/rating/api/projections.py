"""`fee-projections`: what the fee programs of a customer will have cost by the end of its running periods."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core import money
from core.errors import InvalidInputError
from core.http.schema import READ_REFUSALS
from invoicing.pricing.models import Subscription
from invoicing.rating import project
from invoicing.rating.project import FeeProjection


class ProjectedPeriodShape(serializers.Serializer[object]):
    """`[start, end)`."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class ProjectionShape(serializers.Serializer[object]):
    """One charge by a program: its fee so far and at the end of the period, before tax."""

    subscription = serializers.IntegerField()
    charge = serializers.CharField()
    program = serializers.CharField()
    version = serializers.IntegerField()
    period = ProjectedPeriodShape()
    currency = serializers.CharField()
    so_far = serializers.CharField()
    at_end = serializers.CharField()
    active_accounts = serializers.IntegerField()
    expected_accounts = serializers.IntegerField()


class ProjectionView(RuledView, APIView):
    """Transactions go on as they came so far; accounts of the period before are expected again."""

    roles_by_method = {"GET": READERS}

    @extend_schema(
        parameters=[OpenApiParameter("customer", required=True, description="Code of the customer.")],
        responses={200: ProjectionShape(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        code = request.query_params.get("customer")
        if not code:
            raise InvalidInputError("Name the customer by its code.", pointer="/customer")
        ids = Subscription.objects.filter(customer__code=code).order_by("pk").values_list("pk", flat=True)
        return Response([_shape(one) for one in project.project_fees(list(ids), at=timezone.now())])


def _shape(one: FeeProjection) -> dict[str, Any]:
    projected = one.projected
    return {
        "subscription": one.subscription_id,
        "charge": one.charge.code,
        "program": one.version.program.code,
        "version": one.version.version,
        "period": {"start": one.period.start, "end": one.period.end},
        "currency": one.currency,
        "so_far": money.amount_text(projected.so_far, currency=one.currency),
        "at_end": money.amount_text(projected.at_end, currency=one.currency),
        "active_accounts": projected.active_accounts,
        "expected_accounts": projected.expected_accounts,
    }
