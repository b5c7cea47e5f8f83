"""`payout-batches`: putting payables up for payment, and the release that looks at every gate again."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from compliance.payouts import batches, queries, release
from compliance.payouts.api.serializers import (
    BatchDetailSerializer,
    BatchSerializer,
    NewBatchSerializer,
    PayoutReleaseSerializer,
)
from compliance.payouts.models import Payable, PayoutBatch, ReleaseDecision
from compliance.payouts.queries import BatchLine
from compliance.payouts.rules import judgement
from compliance.payouts.rules.judgement import Outcome
from core import money
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites


def _counted() -> Any:
    unpaid = Q(items__payable__payout=None, items__payable__withdrawn_at=None)
    return PayoutBatch.objects.select_related("created_by").annotate(
        payables=Count("items"), unpaid=Count("items", filter=unpaid)
    )


class BatchListView(IdempotentWrites, RuledView, GenericAPIView[PayoutBatch]):
    """Payout batches, and making one."""

    roles_by_method = {"GET": READERS, "POST": frozenset({Role.FINANCE})}
    serializer_class = BatchSerializer
    queryset = PayoutBatch.objects.none()

    @extend_schema(responses={200: BatchSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(_counted())
        return self.get_paginated_response(BatchSerializer(page, many=True).data)

    @extend_schema(request=NewBatchSerializer, responses={201: BatchDetailSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewBatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        now = timezone.now()
        batch = batches.make_batch(
            reference=body.validated_data["reference"],
            payable_ids=body.validated_data["payables"],
            actor=request.user,
            at=now,
        )
        return Response(_detail(batch.pk, at=now), status=status.HTTP_201_CREATED)


class BatchView(RuledView, APIView):
    """One batch: what was decided, and what a release would answer now."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: BatchDetailSerializer, **READ_REFUSALS})
    def get(self, request: Request, batch_id: int) -> Response:
        return Response(_detail(batch_id, at=timezone.now()))


class ReleaseView(IdempotentWrites, RuledView, APIView):
    """Release what may move at this instant; repeating it decides only what was blocked before."""

    roles_by_method = {"POST": frozenset({Role.OPS})}

    @extend_schema(request=None, responses={200: PayoutReleaseSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, batch_id: int) -> Response:
        decisions = release.release_batch(batch_id=batch_id, actor=request.user, at=timezone.now())
        outcomes = [decision.outcome for decision in decisions]
        answer = {
            "id": batch_id,
            "reference": PayoutBatch.objects.values_list("reference", flat=True).get(pk=batch_id),
            "released": outcomes.count(Outcome.RELEASED),
            "blocked": outcomes.count(Outcome.BLOCKED),
            "items": [{**_debt(decision.payable), **_decided(decision)} for decision in decisions],
        }
        return Response(PayoutReleaseSerializer(answer).data)


def _detail(batch_id: int, *, at: datetime) -> Any:
    batch = _counted().filter(pk=batch_id).first()
    if batch is None:
        raise NotFoundError(f"There is no payout batch {batch_id}.")
    batch.lines = [_line(line) for line in queries.batch_lines(batch, at=at)]
    return BatchDetailSerializer(batch).data


def _line(line: BatchLine) -> dict[str, Any]:
    shown = {**_debt(line.payable), "status": queries.status_of(line.payable), "is_decided": line.judgement is None}
    if line.judgement is not None:
        gates = judgement.gates_record(line.judgement)
        return {
            **shown,
            **UNDECIDED,
            "outcome": line.judgement.outcome,
            "reasons": line.judgement.reasons,
            "gates": gates,
        }
    return {**shown, **(_decided(line.decision) if line.decision else UNDECIDED)}


UNDECIDED: dict[str, Any] = {"outcome": None, "reasons": [], "gates": [], "decided_at": None, "audit_reference": None}


def _debt(payable: Payable) -> dict[str, Any]:
    return {
        "payable": payable.pk,
        "reference": payable.reference,
        "payee": payable.payee.code,
        "amount": money.amount_text(payable.amount, currency=payable.currency),
        "currency": payable.currency,
    }


def _decided(decision: ReleaseDecision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome,
        "reasons": decision.reasons,
        "gates": decision.gates,
        "decided_at": decision.decided_at,
        "audit_reference": decision.audit_entry.reference,
    }
