"""`rating/preview`: what a price would charge; nothing is stored."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import validators
from accounts.models import Scope
from accounts.permissions import READERS, RuledView
from core import money
from core.http.fields import JsonField
from core.http.schema import WRITE_REFUSALS
from invoicing.rating.rules import preview


class PreviewSerializer(serializers.Serializer[Any]):
    """A price, and the units or the events to try it on."""

    model = serializers.CharField()
    params = JsonField(help_text="In the shape of the model.")
    currency = serializers.CharField(validators=[validators.check_currency])
    units = JsonField(required=False, allow_null=True, help_text="A decimal string.")
    events = JsonField(required=False, allow_null=True, help_text="Objects with one property that says the units.")
    rounding = JsonField(
        required=False,
        allow_null=True,
        help_text='`{"scale", "mode"}`; null: the exact amount; absent: as a line in this currency is rounded.',
    )


class StepSerializer(serializers.Serializer[Any]):
    """One step of the computation; `tier`, `from` and `up_to` only where there are tiers."""

    tier = serializers.IntegerField(required=False)
    up_to = serializers.CharField(required=False, allow_null=True)
    quantity = serializers.CharField()
    unit_price = serializers.CharField()
    flat_fee = serializers.CharField()
    amount = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Two names that no class attribute of a serializer can have.
        named = {"label": serializers.CharField(), "from": serializers.CharField(required=False)}
        return {**named, **super().get_fields()}


class PreviewAnswerSerializer(serializers.Serializer[Any]):
    """The amount, rounded and exact, with the steps that make it."""

    amount = serializers.CharField()
    amount_exact = serializers.CharField()
    lines = StepSerializer(many=True)


class PreviewView(RuledView, APIView):
    """Every role may try a price, and a key that may only read as well."""

    roles_by_method = {"POST": READERS}
    write_scope = Scope.READ

    @extend_schema(request=PreviewSerializer, responses={200: PreviewAnswerSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = PreviewSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        found = preview.preview_amount(
            model=asked["model"],
            params=asked["params"],
            units=asked.get("units"),
            events=asked.get("events"),
            rounding_rule=_rounding(asked),
        )
        exact = money.plain(found.computation.amount_exact)
        return Response({"amount": found.amount, "amount_exact": exact, "lines": found.computation.as_json()})


def _rounding(asked: dict[str, Any]) -> preview.Rounding | None:
    if "rounding" not in asked:
        return preview.currency_rounding(asked["currency"])
    return None if asked["rounding"] is None else preview.read_rounding(asked["rounding"])
