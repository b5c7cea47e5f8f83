"""Closes and parked customers over HTTP."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS, PageShape
from core.http.views import IdempotentWrites
from invoicing.cycle import close_runs, park, start_close
from invoicing.cycle.api.shapes import instant
from invoicing.cycle.close_runs import RunState
from invoicing.cycle.models import CloseRun, ParkedCustomer
from invoicing.cycle.rules import parking

STARTERS = frozenset(start_close.STARTERS)
CUSTOMERS_MAX = 1000
COUNTS = (
    "total",
    "done",
    "drafted",
    "held",
    "breaks",
    "adjusted",
    "nothing_to_bill",
    "failed",
    "late_waiting",
)


class CloseShape(serializers.Serializer[object]):
    """A close and how far it has come, in periods; `failed` ones have their customers parked."""

    id = serializers.IntegerField()
    state = serializers.ChoiceField([str(state) for state in RunState])
    as_of = serializers.DateTimeField()
    customers = serializers.ListField(child=serializers.CharField(), allow_null=True, help_text="Null: everybody.")
    asked_by = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    stepped_at = serializers.DateTimeField(allow_null=True, help_text="When it last came a chunk further.")
    ended_at = serializers.DateTimeField(allow_null=True)
    stopped_by = serializers.CharField(allow_null=True, help_text="Why it ended before it had done everything.")
    watermark = serializers.IntegerField(allow_null=True, help_text="The number of the last event that it counts.")
    known_at = serializers.DateTimeField(
        allow_null=True, help_text="Prices, terms, taxes and policies as they were agreed by then, in all its chunks."
    )
    total = serializers.IntegerField(help_text="Periods to be drafted.")
    done = serializers.IntegerField(help_text="Of these, the ones it has looked at.")
    drafted = serializers.IntegerField()
    held = serializers.IntegerField()
    breaks = serializers.IntegerField()
    adjusted = serializers.IntegerField(help_text="Lines that correct earlier invoices.")
    nothing_to_bill = serializers.IntegerField()
    failed = serializers.IntegerField()
    late_waiting = serializers.IntegerField(help_text="Late windows that no draft of it took in.")


class ClosePageShape(PageShape):
    """A page of closes."""

    results = CloseShape(many=True)


class CloseBody(serializers.Serializer[object]):
    """Up to when, and of whom; without customers, of everybody."""

    as_of = serializers.DateTimeField()
    customers = serializers.ListField(
        child=serializers.CharField(max_length=60), required=False, min_length=1, max_length=CUSTOMERS_MAX
    )


class ParkedShape(serializers.Serializer[object]):
    """A customer whose close failed; `way_out` says what has to be done."""

    id = serializers.IntegerField()
    customer = serializers.CharField()
    code = serializers.CharField()
    reason = serializers.CharField()
    way_out = serializers.CharField()
    subscription = serializers.IntegerField()
    period_start = serializers.DateTimeField()
    period_end = serializers.DateTimeField()
    periods = serializers.IntegerField()
    since = serializers.DateTimeField()
    attempts = serializers.IntegerField()
    last_tried_at = serializers.DateTimeField()
    close = serializers.IntegerField(help_text="The close that failed last.")
    left_at = serializers.DateTimeField(allow_null=True)


class ParkedPageShape(PageShape):
    """A page of parked customers."""

    results = ParkedShape(many=True)


class ParkedFilter(serializers.Serializer[object]):
    """Which of them to list."""

    customer = serializers.CharField(required=False, max_length=60)
    include_left = serializers.BooleanField(required=False, default=False, help_text="Those who were let go too.")


def close_json(run: CloseRun, *, state: RunState) -> dict[str, Any]:
    return {
        "id": run.pk,
        "state": str(state),
        "as_of": instant(run.as_of),
        "customers": run.customer_codes,
        "asked_by": None if run.asked_by is None else run.asked_by.get_username(),
        "asked_at": instant(run.asked_at),
        "started_at": instant(run.started_at),
        "stepped_at": instant(run.stepped_at),
        "ended_at": instant(run.ended_at),
        "stopped_by": run.stopped_by or None,
        "watermark": None if run.watermark is None else run.watermark.seq,
        "known_at": None if run.known is None else instant(run.known.known_at),
        **{name: getattr(run, name) for name in COUNTS},
    }


def parked_json(parked: ParkedCustomer) -> dict[str, Any]:
    return {
        "id": parked.pk,
        "customer": parked.customer.code,
        "code": parked.code,
        "reason": parked.reason,
        "way_out": parking.way_out(parked.code),
        "subscription": parked.subscription_id,
        "period_start": instant(parked.period_start),
        "period_end": instant(parked.period_end),
        "periods": parked.periods,
        "since": instant(parked.parked_at),
        "attempts": parked.attempts,
        "last_tried_at": instant(parked.last_tried_at),
        "close": parked.run_id,
        "left_at": instant(parked.left_at),
    }


def _answer(run_id: int, *, status: int = 200) -> Response:
    run = CloseRun.objects.select_related("asked_by", "watermark", "known").filter(pk=run_id).first()
    if run is None:
        raise NotFoundError(f"There is no close {run_id}.")
    return Response(close_json(run, state=close_runs.states_of([run])[run.pk]), status=status)


class CloseListView(IdempotentWrites, RuledView, GenericAPIView[CloseRun]):
    """Closes, newest first, and the start of another one."""

    roles_by_method = {"GET": READERS, "POST": STARTERS}
    serializer_class: Any = CloseShape
    queryset = CloseRun.objects.none()

    @extend_schema(operation_id="closes_list", responses={200: ClosePageShape, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(CloseRun.objects.select_related("asked_by", "watermark", "known")) or []
        states = close_runs.states_of(page)
        return self.get_paginated_response([close_json(run, state=states[run.pk]) for run in page])

    @extend_schema(operation_id="closes_start", request=CloseBody, responses={202: CloseShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = CloseBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        run = start_close.start_close(
            as_of=wanted["as_of"], customer_codes=wanted.get("customers"), actor=request.user, at=timezone.now()
        )
        return _answer(run.pk, status=202)


class CloseView(RuledView, APIView):
    """One close and how far it has come."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="closes_read", responses={200: CloseShape, **READ_REFUSALS})
    def get(self, request: Request, run_id: int) -> Response:
        return _answer(run_id)


class ParkedListView(RuledView, GenericAPIView[ParkedCustomer]):
    """Customers whose close failed, the latest first."""

    roles_by_method = {"GET": READERS}
    serializer_class: Any = ParkedShape
    queryset = ParkedCustomer.objects.none()

    @extend_schema(
        operation_id="parked_customers_list",
        parameters=[ParkedFilter],
        responses={200: ParkedPageShape, **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        body = ParkedFilter(data=request.query_params)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        parked = ParkedCustomer.objects.select_related("customer") if wanted["include_left"] else park.open_parkings()
        if "customer" in wanted:
            parked = parked.filter(customer__code=wanted["customer"])
        return self.get_paginated_response([parked_json(row) for row in self.paginate_queryset(parked) or []])


class TryAgainView(IdempotentWrites, RuledView, APIView):
    """Close a parked customer once more; the answer is that close, to be asked for its progress."""

    roles_by_method = {"POST": STARTERS}

    @extend_schema(request=None, responses={202: CloseShape, **WRITE_REFUSALS})
    def post(self, request: Request, parked_id: int) -> Response:
        run = start_close.try_again(parked_id=parked_id, actor=request.user, at=timezone.now())
        return _answer(run.pk, status=202)
