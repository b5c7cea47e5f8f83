"""`payees` and `gate-requirements`."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from compliance.payouts import queries, register, requirements
from compliance.payouts.api.serializers import (
    ContactSerializer,
    PayeeDetailSerializer,
    PayeeSerializer,
    RequirementSerializer,
)
from compliance.payouts.models import GateRequirement, Payee
from compliance.payouts.rules import judgement
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites


class PayeeListView(IdempotentWrites, RuledView, GenericAPIView[Payee]):
    """Payees, and entering one."""

    roles_by_method = {"GET": READERS, "POST": frozenset({Role.FINANCE, Role.OPS})}
    serializer_class = PayeeSerializer
    queryset = Payee.objects.select_related("customer")

    @extend_schema(responses={200: PayeeSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(PayeeSerializer(page, many=True).data)

    @extend_schema(request=PayeeSerializer, responses={201: PayeeSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = PayeeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        payee = register.register_payee(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(PayeeSerializer(payee).data, status=status.HTTP_201_CREATED)


class PayeeView(IdempotentWrites, RuledView, GenericAPIView[Payee]):
    """One payee with its gates."""

    roles_by_method = {"GET": READERS, "PATCH": frozenset({Role.FINANCE, Role.OPS})}
    serializer_class = PayeeDetailSerializer
    queryset = Payee.objects.select_related("customer")

    @extend_schema(responses={200: PayeeDetailSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        return Response(self._detail(_payee(self.get_queryset(), code=code)))

    @extend_schema(request=ContactSerializer, responses={200: PayeeDetailSerializer, **WRITE_REFUSALS})
    def patch(self, request: Request, code: str) -> Response:
        payee = _payee(self.get_queryset(), code=code)
        body = ContactSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = register.change_contact(
            payee_id=payee.pk,
            email=body.validated_data.get("email", payee.email),
            customer=body.validated_data.get("customer", payee.customer),
            actor=request.user,
        )
        return Response(self._detail(changed))

    def _detail(self, payee: Payee) -> Any:
        judged = queries.judge_payees([payee], checks=queries.checks_of([payee.pk]), at=timezone.now())[payee.pk]
        shown = PayeeSerializer(payee).data
        gates = judgement.gates_record(judged)
        return {**shown, "outcome": str(judged.outcome), "gates": gates, "reasons": list(judged.reasons)}


def _payee(payees: QuerySet[Payee], *, code: str) -> Payee:
    payee = payees.filter(code=code).first()
    if payee is None:
        raise NotFoundError(f"There is no payee {code}.")
    return payee


class RequirementListView(IdempotentWrites, RuledView, GenericAPIView[GateRequirement]):
    """Versions of the gate requirements, and adding one."""

    roles_by_method = {"GET": READERS, "POST": frozenset({Role.OPS})}
    serializer_class = RequirementSerializer
    queryset = GateRequirement.objects.all()

    @extend_schema(responses={200: RequirementSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(RequirementSerializer(page, many=True).data)

    @extend_schema(request=RequirementSerializer, responses={201: RequirementSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = RequirementSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = {"effective_at": None, **body.validated_data}
        requirement = requirements.set_requirement(**wanted, actor=request.user, at=timezone.now())
        return Response(RequirementSerializer(requirement).data, status=status.HTTP_201_CREATED)
