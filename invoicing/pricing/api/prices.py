"""`price-versions` and `tax-rates`: read, and followed by the next one."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
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
from invoicing.pricing import prices
from invoicing.pricing.api.serializers import NewPriceSerializer, PriceVersionSerializer, TaxRateSerializer
from invoicing.pricing.models import PriceVersion, TaxRate
from invoicing.pricing.proposals import APPROVERS, AUTHORS

PRICE_FILTERS = {
    "plan": "charge__plan__code",
    "charge": "charge__code",
    "meter": "charge__meter__code",
    "status": "status",
}
FOUND = PriceVersion.objects.select_related("charge__plan", "charge__meter", "created_by", "decided_by")


class PriceVersionListView(IdempotentWrites, RuledView, GenericAPIView[PriceVersion]):
    """Price versions by plan, charge, meter and status, and proposing the next one of a charge."""

    roles_by_method = {"GET": READERS, "POST": AUTHORS}
    serializer_class = PriceVersionSerializer
    queryset = FOUND

    def get_queryset(self) -> QuerySet[PriceVersion]:
        asked = {field: self.request.query_params.get(name) for name, field in PRICE_FILTERS.items()}
        return super().get_queryset().filter(**{field: code for field, code in asked.items() if code is not None})

    @extend_schema(
        parameters=[OpenApiParameter(name) for name in PRICE_FILTERS],
        responses={200: PriceVersionSerializer(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(PriceVersionSerializer(page, many=True).data)

    @extend_schema(request=NewPriceSerializer, responses={201: PriceVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewPriceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = {"charge": None, "meter": None, "name": None, **body.validated_data}
        price = prices.propose_plan_price(
            plan=wanted["plan"],
            charge_code=wanted["charge"],
            meter=wanted["meter"],
            name=wanted["name"],
            model=wanted["model"],
            params=wanted["params"],
            effective_at=wanted["effective_at"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(PriceVersionSerializer(price).data, status=status.HTTP_201_CREATED)


class PriceVersionView(RuledView, GenericAPIView[PriceVersion]):
    """One price version."""

    roles_by_method = {"GET": READERS}
    serializer_class = PriceVersionSerializer
    queryset = FOUND

    @extend_schema(responses={200: PriceVersionSerializer, **READ_REFUSALS})
    def get(self, request: Request, price_id: int) -> Response:
        price = self.get_queryset().filter(pk=price_id).first()
        if price is None:
            raise NotFoundError(f"There is no price version {price_id}.")
        return Response(PriceVersionSerializer(price).data)


class ApprovePriceView(IdempotentWrites, RuledView, APIView):
    """Lets a proposed price count from its instant on; another person than its author does it."""

    roles_by_method = {"POST": APPROVERS}

    @extend_schema(request=None, responses={200: PriceVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, price_id: int) -> Response:
        price = prices.approve_price_version(pk=price_id, actor=request.user, at=timezone.now())
        return Response(PriceVersionSerializer(price).data)


class WithdrawPriceView(IdempotentWrites, RuledView, APIView):
    """Turns a proposed price down; it is kept."""

    roles_by_method = {"POST": AUTHORS}

    @extend_schema(request=None, responses={200: PriceVersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, price_id: int) -> Response:
        price = prices.withdraw_price_version(pk=price_id, actor=request.user, at=timezone.now())
        return Response(PriceVersionSerializer(price).data)


class TaxRateListView(IdempotentWrites, RuledView, GenericAPIView[TaxRate]):
    """Tax rates by code, and adding the next one."""

    roles_by_method = {"GET": READERS, "POST": frozenset({Role.FINANCE})}
    serializer_class = TaxRateSerializer
    queryset = TaxRate.objects.all()

    def get_queryset(self) -> QuerySet[TaxRate]:
        code = self.request.query_params.get("code")
        return super().get_queryset() if code is None else super().get_queryset().filter(code=code)

    @extend_schema(
        parameters=[OpenApiParameter("code")], responses={200: TaxRateSerializer(many=True), **READ_REFUSALS}
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(TaxRateSerializer(page, many=True).data)

    @extend_schema(request=TaxRateSerializer, responses={201: TaxRateSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = TaxRateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        rate = prices.add_tax_rate(**{"note": "", **body.validated_data}, actor=request.user, at=timezone.now())
        return Response(TaxRateSerializer(rate).data, status=status.HTTP_201_CREATED)


class TaxRateView(RuledView, GenericAPIView[TaxRate]):
    """One tax rate."""

    roles_by_method = {"GET": READERS}
    serializer_class = TaxRateSerializer
    queryset = TaxRate.objects.all()

    @extend_schema(responses={200: TaxRateSerializer, **READ_REFUSALS})
    def get(self, request: Request, rate_id: int) -> Response:
        rate = self.get_queryset().filter(pk=rate_id).first()
        if rate is None:
            raise NotFoundError(f"There is no tax rate {rate_id}.")
        return Response(TaxRateSerializer(rate).data)
