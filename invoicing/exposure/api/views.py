"""`exposures` and `program-costs`: read only."""

from decimal import Decimal

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import READERS, RuledView
from core import money
from core.http.fields import JsonField
from core.http.schema import READ_REFUSALS
from invoicing.cycle import collection
from invoicing.exposure.models import Exposure, ProgramCost

CUSTOMER = OpenApiParameter("customer", description="Code of the customer; everybody if left out.")


class ExposureShape(serializers.ModelSerializer[Exposure]):
    """Usage not billed yet, drafts, and what final invoices leave open, in one currency at a watermark."""

    customer = serializers.CharField(source="customer.code")
    unbilled = serializers.SerializerMethodField()
    drafted = serializers.SerializerMethodField()
    unpaid = serializers.SerializerMethodField()
    not_collected = serializers.SerializerMethodField(
        help_text="Final invoices on hold for collection; what they came to stays in `unpaid` until it is paid."
    )
    total = serializers.SerializerMethodField()
    projected = serializers.SerializerMethodField()
    usage = JsonField()
    inputs = JsonField()
    watermark = serializers.IntegerField(source="watermark_seq")

    class Meta:
        model = Exposure
        fields = [
            "customer",
            "currency",
            "unbilled",
            "drafted",
            "unpaid",
            "not_collected",
            "total",
            "projected",
            "elapsed",
            "usage",
            "inputs",
            "is_complete",
            "as_of",
            "watermark",
        ]

    def get_unbilled(self, row: Exposure) -> str:
        return money.amount_text(row.unbilled, currency=row.currency)

    def get_drafted(self, row: Exposure) -> str:
        return money.amount_text(row.drafted, currency=row.currency)

    def get_unpaid(self, row: Exposure) -> str:
        return money.amount_text(row.unpaid, currency=row.currency)

    def get_not_collected(self, row: Exposure) -> str:
        held = self.context.get("on_hold", {}).get((row.customer_id, row.currency), Decimal(0))
        return money.amount_text(held, currency=row.currency)

    def get_total(self, row: Exposure) -> str:
        return money.amount_text(row.total, currency=row.currency)

    def get_projected(self, row: Exposure) -> str:
        return money.amount_text(row.projected, currency=row.currency)


class ProgramCostShape(serializers.ModelSerializer[ProgramCost]):
    """What a fee program will have cost by the end of a running period, before tax."""

    customer = serializers.CharField(source="customer.code")
    program = serializers.CharField(source="program.code")
    so_far = serializers.SerializerMethodField()
    at_end = serializers.SerializerMethodField()
    watermark = serializers.IntegerField(source="watermark_seq")

    class Meta:
        model = ProgramCost
        fields = [
            "customer",
            "subscription",
            "program",
            "charge_code",
            "currency",
            "period_start",
            "period_end",
            "so_far",
            "at_end",
            "active_accounts",
            "expected_accounts",
            "as_of",
            "watermark",
        ]

    def get_so_far(self, row: ProgramCost) -> str:
        return money.amount_text(row.so_far, currency=row.currency)

    def get_at_end(self, row: ProgramCost) -> str:
        return money.amount_text(row.at_end, currency=row.currency)


class ExposureList(RuledView, GenericAPIView[Exposure]):
    """Brought up to date within a minute of capture."""

    roles_by_method = {"GET": READERS}
    serializer_class = ExposureShape
    queryset = Exposure.objects.select_related("customer")

    @extend_schema(parameters=[CUSTOMER], responses={200: ExposureShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        code, rows = request.query_params.get("customer"), self.get_queryset()
        asked = rows if code is None else rows.filter(customer__code=code)
        page = self.paginate_queryset(asked) or []
        context = {"on_hold": collection.amounts_on_hold(one.customer_id for one in page)}
        return self.get_paginated_response(ExposureShape(page, many=True, context=context).data)


class ProgramCostList(RuledView, GenericAPIView[ProgramCost]):
    """Projected from sums of usage; `fee-projections` counts the events instead."""

    roles_by_method = {"GET": READERS}
    serializer_class = ProgramCostShape
    queryset = ProgramCost.objects.select_related("customer", "program")

    @extend_schema(parameters=[CUSTOMER], responses={200: ProgramCostShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        code, rows = request.query_params.get("customer"), self.get_queryset()
        asked = rows if code is None else rows.filter(customer__code=code)
        return self.get_paginated_response(ProgramCostShape(self.paginate_queryset(asked), many=True).data)
