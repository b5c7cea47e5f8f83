"""`payables`: what is owed, and withdrawing it."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from compliance.payouts import payables, queries
from compliance.payouts.api.serializers import NewPayableSerializer, PayableSerializer, PayoutReasonSerializer
from compliance.payouts.models import Payable
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

WRITERS = frozenset({Role.FINANCE})


class PayableFilter(serializers.Serializer[Any]):
    """Query parameters of the list."""

    payee = serializers.CharField(required=False, help_text="Code of the payee.")
    status = serializers.ChoiceField(required=False, choices=list(queries.PAYABLE_STATUSES))


def _payables() -> QuerySet[Payable]:
    return Payable.objects.select_related("payee", "payout", "batch_item__batch")


def _answer(payable_id: int) -> Any:
    payable = _payables().filter(pk=payable_id).first()
    if payable is None:
        raise NotFoundError(f"There is no payable {payable_id}.")
    return PayableSerializer(payable).data


class PayableListView(IdempotentWrites, RuledView, GenericAPIView[Payable]):
    """Payables, and entering one."""

    roles_by_method = {"GET": READERS, "POST": WRITERS}
    serializer_class = PayableSerializer
    queryset = Payable.objects.none()

    @extend_schema(parameters=[PayableFilter], responses={200: PayableSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        asked = PayableFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = _payables()
        if "payee" in asked.validated_data:
            found = found.filter(payee__code=asked.validated_data["payee"])
        if "status" in asked.validated_data:
            found = found.filter(queries.PAYABLE_STATUSES[asked.validated_data["status"]])
        page = self.paginate_queryset(found)
        return self.get_paginated_response(PayableSerializer(page, many=True).data)

    @extend_schema(request=NewPayableSerializer, responses={201: PayableSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewPayableSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        payable = payables.record_payable(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(_answer(payable.pk), status=status.HTTP_201_CREATED)


class PayableView(RuledView, APIView):
    """One payable."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: PayableSerializer, **READ_REFUSALS})
    def get(self, request: Request, payable_id: int) -> Response:
        return Response(_answer(payable_id))


class WithdrawView(IdempotentWrites, RuledView, APIView):
    """Take a debt back before it is paid."""

    roles_by_method = {"POST": WRITERS}

    @extend_schema(request=PayoutReasonSerializer, responses={200: PayableSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, payable_id: int) -> Response:
        body = PayoutReasonSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        reason = body.validated_data["reason"]
        payables.withdraw_payable(payable_id=payable_id, reason=reason, actor=request.user, at=timezone.now())
        return Response(_answer(payable_id))
