"""`payments`: the list, recording one, and what became of it."""

from typing import Any

from django.utils import timezone
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
from invoicing.payments import queries, record, refund, told
from invoicing.payments.api import shapes
from invoicing.payments.models import GatewayEvent, Payment
from invoicing.payments.rules.lifecycle import Step

FINANCE = frozenset({Role.FINANCE})


def _usable(body: Any) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _answer(payment_id: int, *, code: int = status.HTTP_200_OK) -> Response:
    """The payment as it stands now."""
    payment = queries.whole_payments().filter(pk=payment_id).first()
    if payment is None:
        raise NotFoundError(f"There is no payment {payment_id}.")
    return Response(told.payment_json(payment), status=code)


class PaymentListView(IdempotentWrites, RuledView, GenericAPIView[Payment]):
    """Payments, newest first, and recording one."""

    roles_by_method = {"GET": READERS, "POST": FINANCE}
    serializer_class: Any = shapes.PaymentShape
    queryset = Payment.objects.none()

    @extend_schema(
        operation_id="payments_list",
        parameters=[shapes.PaymentFilter],
        responses={200: shapes.PaymentPageShape, **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        wanted = _usable(shapes.PaymentFilter(data=request.query_params))
        names = {"invoice": "invoice__number", "customer": "invoice__customer__code", "status": "status"}
        found = queries.whole_payments().filter(**{names[name]: value for name, value in wanted.items()})
        page = self.paginate_queryset(found) or []
        return self.get_paginated_response([told.payment_json(payment) for payment in page])

    @extend_schema(request=shapes.NewPaymentBody, responses={201: shapes.PaymentShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        given = _usable(shapes.NewPaymentBody(data=request.data))
        payment = record.record_payment(**given, actor=request.user, at=timezone.now())
        return _answer(payment.pk, code=status.HTTP_201_CREATED)


class PaymentView(RuledView, APIView):
    """One payment, with all its steps."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="payments_read", responses={200: shapes.PaymentShape, **READ_REFUSALS})
    def get(self, request: Request, payment_id: int) -> Response:
        return _answer(payment_id)


class PaymentStepView(IdempotentWrites, RuledView, APIView):
    """Record that a payment came in, failed, was charged back, or that its dispute was decided."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=shapes.StepBody, responses={200: shapes.PaymentShape, **WRITE_REFUSALS})
    def post(self, request: Request, payment_id: int) -> Response:
        given = _usable(shapes.StepBody(data=request.data))
        step = Step(given.pop("step"))
        record.record_step(payment_id=payment_id, step=step, **given, actor=request.user, at=timezone.now())
        return _answer(payment_id)


class RefundView(IdempotentWrites, RuledView, APIView):
    """Record money that went back.

    Above the amount of the invoice's policy the answer has an open entry in `refund_requests`, and nothing is booked
    until a colleague confirms it.
    """

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=shapes.RefundBody, responses={200: shapes.PaymentShape, **WRITE_REFUSALS})
    def post(self, request: Request, payment_id: int) -> Response:
        given = _usable(shapes.RefundBody(data=request.data))
        refund.refund_payment(payment_id=payment_id, **given, actor=request.user, at=timezone.now())
        return _answer(payment_id)


class ConfirmRefundView(IdempotentWrites, RuledView, APIView):
    """Confirm the refund that a colleague asked for; now it is booked."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=None, responses={200: shapes.PaymentShape, **WRITE_REFUSALS})
    def post(self, request: Request, request_id: int) -> Response:
        payment = refund.confirm_refund(request_id=request_id, actor=request.user, at=timezone.now())
        return _answer(payment.pk)


class WithdrawRefundView(IdempotentWrites, RuledView, APIView):
    """Take a refund back that nobody confirmed yet."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=None, responses={200: shapes.PaymentShape, **WRITE_REFUSALS})
    def post(self, request: Request, request_id: int) -> Response:
        payment = refund.withdraw_refund(request_id=request_id, actor=request.user, at=timezone.now())
        return _answer(payment.pk)


class GatewayEventListView(RuledView, GenericAPIView[GatewayEvent]):
    """What a gateway told, newest first: what waits, contradicts, or is of a kind nobody reads is found here."""

    roles_by_method = {"GET": READERS}
    serializer_class: Any = shapes.GatewayEventShape
    queryset = GatewayEvent.objects.none()

    @extend_schema(
        operation_id="gateway_events_list",
        parameters=[shapes.EventFilter],
        responses={200: shapes.GatewayEventPageShape, **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        wanted = _usable(shapes.EventFilter(data=request.query_params))
        page = self.paginate_queryset(GatewayEvent.objects.filter(**wanted)) or []
        return self.get_paginated_response([shapes.GatewayEventShape(event).data for event in page])
