"""`alert-firings`: read only."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import READERS, RuledView
from core import money
from core.errors import InvalidInputError
from core.http.fields import JsonField
from core.http.schema import READ_REFUSALS
from invoicing.alerts.models import KINDS, AlertFiring


class AlertPolicyShape(serializers.Serializer[object]):
    """The policy version that drew the line."""

    program = serializers.CharField()
    version = serializers.IntegerField()


class FiringShape(serializers.ModelSerializer[AlertFiring]):
    """One line that was crossed, with the figures that decided."""

    customer = serializers.CharField(source="customer.code")
    policy = AlertPolicyShape()
    value = serializers.SerializerMethodField(method_name="write_value")
    line = serializers.SerializerMethodField(method_name="write_line")
    rule = JsonField()
    inputs = JsonField()

    class Meta:
        model = AlertFiring
        fields = [
            "id",
            "kind",
            "customer",
            "subject",
            "crossing",
            "value",
            "line",
            "rule",
            "inputs",
            "policy",
            "fired_at",
        ]

    def write_value(self, firing: AlertFiring) -> str:
        return money.plain(firing.value)

    def write_line(self, firing: AlertFiring) -> str:
        return money.plain(firing.line)


class FiringList(RuledView, GenericAPIView[AlertFiring]):
    """The newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = FiringShape
    queryset = AlertFiring.objects.select_related("customer", "policy")

    @extend_schema(
        parameters=[
            OpenApiParameter("customer", description="Code of the customer; everybody if left out."),
            OpenApiParameter("kind", enum=[kind for kind, _ in KINDS]),
        ],
        responses={200: FiringShape(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        rows, code, kind = self.get_queryset(), request.query_params.get("customer"), request.query_params.get("kind")
        if code is not None:
            rows = rows.filter(customer__code=code)
        if kind is not None:
            if kind not in dict(KINDS):
                raise InvalidInputError(f"`kind` is one of {', '.join(dict(KINDS))}.", pointer="/kind")
            rows = rows.filter(kind=kind)
        return self.get_paginated_response(FiringShape(self.paginate_queryset(rows), many=True).data)
