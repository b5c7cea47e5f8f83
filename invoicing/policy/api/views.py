"""`trigger-policies`: read, proposed, signed, withdrawn."""

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
from invoicing.policy import propose, sign
from invoicing.policy.api.serializers import (
    NewPolicySerializer,
    PolicySerializer,
    SignatureSerializer,
    WithdrawalSerializer,
)
from invoicing.policy.models import TriggerPolicy

PROPOSERS = frozenset(propose.PROPOSERS)
SIGNERS = frozenset({Role.PRODUCT, Role.FINANCE, Role.OPS})


def _policies() -> QuerySet[TriggerPolicy]:
    return TriggerPolicy.objects.select_related("proposed_by", "beginning").prefetch_related(
        "sign_offs__person", "sign_offs__audit_entry"
    )


def _answer(policy_id: int) -> Response:
    policy = _policies().filter(pk=policy_id).first()
    if policy is None:
        raise NotFoundError(f"There is no trigger policy {policy_id}.")
    return Response(PolicySerializer(policy).data)


class PolicyListView(IdempotentWrites, RuledView, GenericAPIView[TriggerPolicy]):
    """Versions by program, the newest first, and proposing the next one."""

    roles_by_method = {"GET": READERS, "POST": PROPOSERS}
    serializer_class = PolicySerializer
    queryset = TriggerPolicy.objects.all()

    @extend_schema(
        parameters=[OpenApiParameter("program")], responses={200: PolicySerializer(many=True), **READ_REFUSALS}
    )
    def get(self, request: Request) -> Response:
        program, policies = request.query_params.get("program"), _policies()
        asked = policies if program is None else policies.filter(program=program)
        return self.get_paginated_response(PolicySerializer(self.paginate_queryset(asked), many=True).data)

    @extend_schema(request=NewPolicySerializer, responses={201: PolicySerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewPolicySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        policy = propose.propose_policy(**body.validated_data, actor=request.user, at=timezone.now())
        answer = _answer(policy.pk)
        answer.status_code = status.HTTP_201_CREATED
        return answer


class PolicyView(RuledView, APIView):
    """One version."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: PolicySerializer, **READ_REFUSALS})
    def get(self, request: Request, policy_id: int) -> Response:
        return _answer(policy_id)


class SignView(IdempotentWrites, RuledView, APIView):
    """Sign in one of the caller's roles; who signs is who calls."""

    roles_by_method = {"POST": SIGNERS}

    @extend_schema(request=SignatureSerializer, responses={200: PolicySerializer, **WRITE_REFUSALS})
    def post(self, request: Request, policy_id: int) -> Response:
        body = SignatureSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sign.sign_policy(policy_id=policy_id, **body.validated_data, actor=request.user, at=timezone.now())
        return _answer(policy_id)


class WithdrawView(IdempotentWrites, RuledView, APIView):
    """Take a proposal back."""

    roles_by_method = {"POST": PROPOSERS}

    @extend_schema(request=WithdrawalSerializer, responses={200: PolicySerializer, **WRITE_REFUSALS})
    def post(self, request: Request, policy_id: int) -> Response:
        body = WithdrawalSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        propose.withdraw_policy(policy_id=policy_id, **body.validated_data, actor=request.user, at=timezone.now())
        return _answer(policy_id)
