"""`subscriptions`: start, change of plan, end."""

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
from invoicing.pricing import arrange, subscribe
from invoicing.pricing.api.serializers import (
    EndSerializer,
    KeptPricesSerializer,
    NewSubscriptionSerializer,
    PlanMoveSerializer,
    QuantitySerializer,
    ReleasePricesSerializer,
    SubscriptionSerializer,
)
from invoicing.pricing.models import Subscription, SubscriptionPhase

AGREEING = frozenset({Role.FINANCE})
WHOLE = ("phases__plan", "quantities", "kept_prices__plan")
FOUND = Subscription.objects.select_related("customer").prefetch_related(*WHOLE)


class SubscriptionListView(IdempotentWrites, RuledView, GenericAPIView[Subscription]):
    """Subscriptions by customer and plan, and starting one."""

    roles_by_method = {"GET": READERS, "POST": AGREEING}
    serializer_class = SubscriptionSerializer
    queryset = FOUND

    def get_queryset(self) -> QuerySet[Subscription]:
        found = super().get_queryset()
        customer, plan = self.request.query_params.get("customer"), self.request.query_params.get("plan")
        if customer is not None:
            found = found.filter(customer__code=customer)
        if plan is not None:
            found = found.filter(pk__in=SubscriptionPhase.objects.filter(plan__code=plan).values("subscription"))
        return found

    @extend_schema(
        parameters=[OpenApiParameter("customer"), OpenApiParameter("plan")],
        responses={200: SubscriptionSerializer(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(SubscriptionSerializer(page, many=True).data)

    @extend_schema(request=NewSubscriptionSerializer, responses={201: SubscriptionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewSubscriptionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = subscribe.start_subscription(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(SubscriptionSerializer(made).data, status=status.HTTP_201_CREATED)


class SubscriptionView(RuledView, APIView):
    """One subscription."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: SubscriptionSerializer, **READ_REFUSALS})
    def get(self, request: Request, subscription_id: int) -> Response:
        return Response(SubscriptionSerializer(_one(subscription_id)).data)


class ChangePlanView(IdempotentWrites, RuledView, APIView):
    """Moves a subscription to another plan from an instant on."""

    roles_by_method = {"POST": AGREEING}

    @extend_schema(request=PlanMoveSerializer, responses={200: SubscriptionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, subscription_id: int) -> Response:
        subscription = _one(subscription_id)
        body = PlanMoveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        subscribe.change_plan(subscription=subscription, **body.validated_data, actor=request.user, at=timezone.now())
        return Response(SubscriptionSerializer(_one(subscription_id)).data)


class EndView(IdempotentWrites, RuledView, APIView):
    """Lets a subscription end at an instant."""

    roles_by_method = {"POST": AGREEING}

    @extend_schema(request=EndSerializer, responses={200: SubscriptionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, subscription_id: int) -> Response:
        subscription = _one(subscription_id)
        body = EndSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        subscribe.end_subscription(
            subscription=subscription, ends_at=body.validated_data["ends_at"], actor=request.user, at=timezone.now()
        )
        return Response(SubscriptionSerializer(_one(subscription_id)).data)


class QuantityView(IdempotentWrites, RuledView, APIView):
    """Agrees on how many of a charge without a meter, such as seats, from an instant on."""

    roles_by_method = {"POST": AGREEING}

    @extend_schema(request=QuantitySerializer, responses={201: SubscriptionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, subscription_id: int) -> Response:
        subscription = _one(subscription_id)
        body = QuantitySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        arrange.set_quantity(subscription=subscription, **body.validated_data, actor=request.user, at=timezone.now())
        return Response(SubscriptionSerializer(_one(subscription_id)).data, status=status.HTTP_201_CREATED)


class KeptPricesView(IdempotentWrites, RuledView, APIView):
    """Lets a subscription keep the prices of an instant until a later one."""

    roles_by_method = {"POST": AGREEING}

    @extend_schema(request=KeptPricesSerializer, responses={201: SubscriptionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, subscription_id: int) -> Response:
        subscription = _one(subscription_id)
        body = KeptPricesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        span = body.validated_data
        arrange.keep_prices(
            subscription=subscription,
            since=span["starts_at"],
            until=span["ends_at"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(SubscriptionSerializer(_one(subscription_id)).data, status=status.HTTP_201_CREATED)


class ReleasePricesView(IdempotentWrites, RuledView, APIView):
    """Lets kept prices end earlier than agreed."""

    roles_by_method = {"POST": AGREEING}

    @extend_schema(request=ReleasePricesSerializer, responses={200: SubscriptionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, subscription_id: int, kept_id: int) -> Response:
        subscription, now = _one(subscription_id), timezone.now()
        body = ReleasePricesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        arrange.release_prices(
            subscription=subscription,
            kept_id=kept_id,
            ends_at=body.validated_data.get("until", now),
            reason=body.validated_data["reason"],
            actor=request.user,
            at=now,
        )
        return Response(SubscriptionSerializer(_one(subscription_id)).data)


def _one(subscription_id: int) -> Subscription:
    subscription = FOUND.filter(pk=subscription_id).first()
    if subscription is None:
        raise NotFoundError(f"There is no subscription {subscription_id}.")
    return subscription
