"""`review-queue` and `bulk-reviews`: what waits for finance, and one decision over everything that a filter lists."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core import money
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS, PageShape
from core.http.views import IdempotentWrites
from invoicing.cycle import bulk_reviews, queue
from invoicing.cycle.api.schema import PeriodShape
from invoicing.cycle.api.shapes import instant
from invoicing.cycle.models import BulkReview, Invoice
from invoicing.cycle.queue import ORDERS, WAITING, Row, Wanted
from invoicing.cycle.rules import reasons

FINANCE = frozenset({Role.FINANCE})
PAGES_MAX = 10_000
REFUSED_SHOWN = 200


class QueueFilterBody(serializers.Serializer[object]):
    """Which invoices; what is left out lets everything through. `customer` finds a part of a code or a name."""

    statuses = serializers.ListField(
        child=serializers.ChoiceField(Invoice.Status.choices),
        required=False,
        min_length=1,
        help_text="Left out: all that wait.",
    )
    cause = serializers.CharField(required=False, max_length=60, help_text="What it is held for.")
    customer = serializers.CharField(required=False, max_length=100)
    program = serializers.CharField(required=False, max_length=60)
    currency = serializers.CharField(required=False, max_length=3)
    kind = serializers.CharField(required=False, max_length=20)
    least = serializers.DecimalField(20, 4, required=False)
    most = serializers.DecimalField(20, 4, required=False)
    ended_from = serializers.DateTimeField(required=False)
    ended_before = serializers.DateTimeField(required=False)
    order = serializers.ChoiceField(list(ORDERS), required=False)


class QueueQuery(QueueFilterBody):
    """The same, and which page of it."""

    page = serializers.IntegerField(required=False, min_value=1, max_value=PAGES_MAX, default=1)


class QueueRowShape(serializers.Serializer[object]):
    """One invoice that waits, beside what was billed before."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    status = serializers.CharField()
    kind = serializers.CharField()
    document_type = serializers.CharField()
    customer = serializers.CharField()
    program = serializers.CharField()
    currency = serializers.CharField()
    period = PeriodShape()
    total = serializers.CharField()
    interim_total = serializers.CharField(help_text="What interim invoices billed of the same period.")
    before_total = serializers.CharField(allow_null=True, help_text="What the period before came to.")
    change = serializers.CharField(allow_null=True)
    hold_cause = serializers.CharField()
    hold_reason = serializers.CharField()
    breaks = serializers.IntegerField()
    corrections = serializers.IntegerField()
    approvals = serializers.IntegerField()
    approvals_needed = serializers.IntegerField()
    content_hash = serializers.CharField()
    drafted_at = serializers.DateTimeField()


class QueueSumShape(serializers.Serializer[object]):
    """How many of the wanted invoices are in one currency, and what they come to."""

    currency = serializers.CharField()
    count = serializers.IntegerField()
    total = serializers.CharField()


class QueueShape(serializers.Serializer[object]):
    """A page of the queue; `list_hash` is of everything listed, on any page, and a decision over all of it names it."""

    list_hash = serializers.CharField()
    count = serializers.IntegerField()
    sums = QueueSumShape(many=True)
    page = serializers.IntegerField()
    results = QueueRowShape(many=True)


class BulkReviewBody(serializers.Serializer[object]):
    """One decision over everything that the filter lists, with the figures of the list that was looked at."""

    filter = QueueFilterBody()
    list_hash = serializers.CharField(max_length=64)
    action = serializers.ChoiceField(BulkReview.Action.choices)
    reason = serializers.CharField(required=False, max_length=reasons.LENGTH_MAX, default="", allow_blank=True)
    reason_code = serializers.CharField(required=False, max_length=60, default="", allow_blank=True)


class RefusedShape(serializers.Serializer[object]):
    """An invoice over which the decision could not be made, and why."""

    invoice = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkReviewShape(serializers.Serializer[object]):
    """A decision over many and how far it is; `refused` shows the first ones."""

    id = serializers.IntegerField()
    action = serializers.ChoiceField(BulkReview.Action.choices)
    reason = serializers.CharField()
    reason_code = serializers.CharField()
    list_hash = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By outcome; `waiting` are to come.")
    refused = RefusedShape(many=True)


class BulkReviewPageShape(PageShape):
    """A page of decisions over many."""

    results = BulkReviewShape(many=True)


def row_json(row: Row) -> dict[str, Any]:
    def text(amount: Any) -> str | None:
        return None if amount is None else money.amount_text(amount, currency=row.currency)

    plain = ("id", "number", "status", "kind", "document_type", "customer", "program", "currency", "hold_cause")
    counts = ("hold_reason", "breaks", "corrections", "approvals", "approvals_needed", "content_hash")
    amounts = ("total", "interim_total", "before_total", "change")
    return {
        **{name: getattr(row, name) for name in (*plain, *counts)},
        **{name: text(getattr(row, name)) for name in amounts},
        "period": {"start": instant(row.period_start), "end": instant(row.period_end)},
        "drafted_at": instant(row.drafted_at),
    }


def review_json(review: BulkReview) -> dict[str, Any]:
    counts = bulk_reviews.counts_of(review)
    refused = review.items.filter(outcome="refused")[:REFUSED_SHOWN]
    return {
        "id": review.pk,
        "action": review.action,
        "reason": review.reason,
        "reason_code": review.reason_code,
        "list_hash": review.list_hash,
        "asked_by": review.asked_by.get_username(),
        "asked_at": instant(review.asked_at),
        "ended_at": instant(review.ended_at),
        "total": review.total,
        "counts": {name or "waiting": count for name, count in counts.items()},
        "refused": [{"invoice": one.invoice_id, "code": one.code, "detail": one.detail} for one in refused],
    }


def _usable(body: Any) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _wanted(given: dict[str, Any]) -> Wanted:
    return Wanted(statuses=tuple(given.pop("statuses", WAITING)), **given)


def _answer(review_id: int, *, status: int = 200) -> Response:
    review = BulkReview.objects.select_related("asked_by").filter(pk=review_id).first()
    if review is None:
        raise NotFoundError(f"There is no decision over many {review_id}.")
    return Response(review_json(review), status=status)


class QueueView(RuledView, APIView):
    """What waits for finance, the unusual first; the sums and the hash are over everything that the filter lists."""

    roles_by_method = {"GET": READERS}

    @extend_schema(
        operation_id="review_queue_read", parameters=[QueueQuery], responses={200: QueueShape, **READ_REFUSALS}
    )
    def get(self, request: Request) -> Response:
        given = _usable(QueueQuery(data=request.query_params))
        page = given.pop("page")
        wanted = _wanted(given)
        found = queue.find_list(wanted)
        sums = [
            {"currency": one.currency, "count": one.count, "total": money.amount_text(one.total, currency=one.currency)}
            for one in queue.sum_up(wanted)
        ]
        rows = queue.find_rows(wanted, person_id=request.user.pk or 0, page=page)
        return Response(
            {
                "list_hash": found.list_hash,
                "count": len(found.figures),
                "sums": sums,
                "page": page,
                "results": [row_json(row) for row in rows],
            }
        )


class BulkReviewListView(IdempotentWrites, RuledView, GenericAPIView[BulkReview]):
    """Decisions over many, newest first, and the start of another one; a worker makes it, invoice by invoice."""

    roles_by_method = {"GET": READERS, "POST": FINANCE}
    serializer_class: Any = BulkReviewShape
    queryset = BulkReview.objects.none()

    @extend_schema(operation_id="bulk_reviews_list", responses={200: BulkReviewPageShape, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(BulkReview.objects.select_related("asked_by")) or []
        return self.get_paginated_response([review_json(review) for review in page])

    @extend_schema(
        operation_id="bulk_reviews_start", request=BulkReviewBody, responses={202: BulkReviewShape, **WRITE_REFUSALS}
    )
    def post(self, request: Request) -> Response:
        given = _usable(BulkReviewBody(data=request.data))
        wanted = _wanted(dict(given.pop("filter")))
        review = bulk_reviews.start_review(wanted=wanted, **given, actor=request.user, at=timezone.now())
        return _answer(review.pk, status=202)


class BulkReviewView(RuledView, APIView):
    """One decision over many, how far it is, and what was refused."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="bulk_reviews_read", responses={200: BulkReviewShape, **READ_REFUSALS})
    def get(self, request: Request, review_id: int) -> Response:
        return _answer(review_id)
