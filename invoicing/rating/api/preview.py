"""`rating/preview`: what a price would charge; nothing is stored."""

from typing import Any

from django.utils import timezone
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
from invoicing.rating import fee_preview
from invoicing.rating.rules import preview, trial


class PreviewSerializer(serializers.Serializer[Any]):
    """A price, and the units, the events or the steps to try it on."""

    model = serializers.CharField(help_text=f"One of: {', '.join(trial.MODELS)}.")
    params = JsonField(
        help_text="In the shape of the model. Of a `fee_program` the figures in force are tried, unless `version` names"
        " others or `terms` gives some."
    )
    currency = serializers.CharField(validators=[validators.check_currency])
    units = JsonField(required=False, allow_null=True, help_text="A decimal string.")
    events = JsonField(
        required=False,
        allow_null=True,
        help_text="Objects with one property that says the units, beside those that the price compares; `bucket` names"
        " the time bucket of a bucketed price, the amount property what a dynamic price sums. Of a fee program: one"
        " object per transaction, with the properties that `params` names.",
    )
    steps = JsonField(
        required=False,
        allow_null=True,
        help_text='Usage that grows or shrinks: `[{"cumulative_units": "8"}, …]`, each rated anew as a whole. One with'
        ' `"expected_increment": null` was billed before and does not count to the amount.',
    )
    rounding = JsonField(
        required=False,
        allow_null=True,
        help_text='`{"scale", "mode"}`; null: the exact amount; absent: as a line in this currency is rounded.',
    )


class StepSerializer(serializers.Serializer[Any]):
    """One step of the computation: quantity × unit price + flat fee = amount.

    `tier`, `from` and `up_to` only where there are tiers; `units` where the quantity counts something else, such as
    packages; `becomes` where from here on the units are counted as so many others.
    """

    tier = serializers.IntegerField(required=False)
    up_to = serializers.CharField(required=False, allow_null=True)
    quantity = serializers.CharField()
    units = serializers.CharField(required=False)
    becomes = serializers.CharField(required=False)
    unit_price = serializers.CharField()
    flat_fee = serializers.CharField()
    amount = serializers.CharField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Two names that no class attribute of a serializer can have.
        named = {"label": serializers.CharField(), "from": serializers.CharField(required=False)}
        return {**named, **super().get_fields()}


class IncrementSerializer(serializers.Serializer[Any]):
    """One of the steps asked for: what usage comes to so far, and what that adds to the step before."""

    cumulative_units = serializers.CharField()
    amount = serializers.CharField()
    increment = serializers.CharField()


class PreviewDetailsSerializer(serializers.Serializer[Any]):
    """Further results of some calculations."""

    parts = serializers.DictField(child=serializers.CharField(), required=False, help_text="Of an allocation, by key.")
    credits = serializers.CharField(required=False, help_text="What a top-up buys.")
    credits_used = serializers.CharField(required=False)
    balance = serializers.CharField(required=False, help_text="Credits that are left.")


class PreviewAnswerSerializer(serializers.Serializer[Any]):
    """The amount, rounded and exact, with the lines that make it; of steps, the lines of the last."""

    amount = serializers.CharField()
    amount_exact = serializers.CharField()
    lines = StepSerializer(many=True)
    increments = IncrementSerializer(many=True, required=False)
    details = PreviewDetailsSerializer(required=False)


class PreviewView(RuledView, APIView):
    """Every role may try a price, and a key that may only read as well."""

    roles_by_method = {"POST": READERS}
    write_scope = Scope.READ

    @extend_schema(request=PreviewSerializer, responses={200: PreviewAnswerSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = PreviewSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        return Response(_answer(_try(asked)))


def _try(asked: dict[str, Any]) -> preview.Preview:
    given: dict[str, Any] = {name: asked.get(name) for name in ("params", "currency", "events")}
    if asked["model"] == fee_preview.MODEL:
        return fee_preview.preview_program(**given, rounding_rule=_rounding(asked), at=timezone.now())
    return trial.try_price(
        model=asked["model"],
        **given,
        units=asked.get("units"),
        steps=asked.get("steps"),
        rounding_rule=_rounding(asked),
    )


def _answer(found: preview.Preview) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "amount": found.amount,
        "amount_exact": money.plain(found.computation.amount_exact),
        "lines": found.computation.as_json(),
    }
    if found.increments:
        answer["increments"] = [
            {
                "cumulative_units": money.plain(each.cumulative_units),
                "amount": each.amount,
                "increment": each.increment,
            }
            for each in found.increments
        ]
    return answer | ({"details": found.details} if found.details else {})


def _rounding(asked: dict[str, Any]) -> preview.Rounding | None:
    if "rounding" not in asked:
        return preview.currency_rounding(asked["currency"])
    return None if asked["rounding"] is None else preview.read_rounding(asked["rounding"])
