"""`offences` and `stopped-interims`: what stops invoices outside of a close, and the ways out of it."""

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
from invoicing.cycle import false_alarms, offences, stopped
from invoicing.cycle.api.schema import ReasonBody
from invoicing.cycle.api.shapes import instant
from invoicing.cycle.models import FalseAlarm, Offence, StoppedInterim
from invoicing.cycle.rules import false_alarms as rules
from invoicing.cycle.rules import parking

STATERS, DECIDERS = frozenset(false_alarms.STATERS), frozenset(false_alarms.DECIDERS)
TRIERS, CHECKERS = frozenset(stopped.TRIERS), frozenset(offences.CHECKERS)


class FalseAlarmShape(serializers.Serializer[object]):
    """A statement that an offence is none, and what ops said to it; `recounted` are the invoices counted again."""

    id = serializers.IntegerField()
    reason = serializers.CharField()
    stated_by = serializers.CharField()
    stated_at = serializers.DateTimeField()
    decision = serializers.ChoiceField(["open", "agreed", "refused"])
    decided_by = serializers.CharField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()
    recounted = serializers.ListField(child=serializers.DictField())


class OffenceShape(serializers.Serializer[object]):
    """What contradicts an invariant; nothing is issued to the customer while `stops` is true."""

    id = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Of the invariant.")
    name = serializers.CharField(help_text="What must hold.")
    offender = serializers.CharField()
    customer = serializers.CharField(allow_null=True, help_text="Null where it names nobody; it then stops nobody.")
    invoice = serializers.IntegerField(allow_null=True)
    stops = serializers.BooleanField()
    can_be_false = serializers.BooleanField(help_text="Whether two people may agree that it is a false alarm.")
    found_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text="When a check last found it.")
    cleared_at = serializers.DateTimeField(allow_null=True)
    false_alarms = FalseAlarmShape(many=True)


class OffencePageShape(PageShape):
    """A page of offences."""

    results = OffenceShape(many=True)


class OffenceFilter(serializers.Serializer[object]):
    """Which of them to list."""

    customer = serializers.CharField(required=False, max_length=60)
    include_cleared = serializers.BooleanField(required=False, default=False)


class CheckShape(serializers.Serializer[object]):
    """A worker takes it up; what it finds stands in the list of offences."""

    queued = serializers.BooleanField()


class StoppedInterimShape(serializers.Serializer[object]):
    """A subscription whose interim draft failed; `way_out` says what has to be done."""

    id = serializers.IntegerField()
    customer = serializers.CharField()
    subscription = serializers.IntegerField()
    code = serializers.CharField()
    reason = serializers.CharField()
    way_out = serializers.CharField()
    since = serializers.DateTimeField()
    attempts = serializers.IntegerField()
    last_tried_at = serializers.DateTimeField()
    left_at = serializers.DateTimeField(allow_null=True)


class StoppedInterimPageShape(PageShape):
    """A page of interim drafts that failed."""

    results = StoppedInterimShape(many=True)


class StoppedInterimFilter(serializers.Serializer[object]):
    """Which of them to list."""

    customer = serializers.CharField(required=False, max_length=60)
    include_left = serializers.BooleanField(required=False, default=False, help_text="Those that were made since too.")


def offence_json(one: Any) -> dict[str, Any]:
    return {
        "id": one.pk,
        "number": one.number,
        "name": one.name,
        "offender": one.offender,
        "customer": one.customer and one.customer.code,
        "invoice": one.invoice_id,
        "stops": one.cleared_at is None and one.customer_id is not None and not one.agreed,
        "can_be_false": rules.can_be_false(one.number),
        "found_at": instant(one.found_at),
        "seen_at": instant(one.seen_at),
        "cleared_at": instant(one.cleared_at),
        "false_alarms": [_alarm(alarm) for alarm in one.false_alarms.all()],
    }


def _alarm(alarm: FalseAlarm) -> dict[str, Any]:
    return {
        "id": alarm.pk,
        "reason": alarm.reason,
        "stated_by": alarm.stated_by.get_username(),
        "stated_at": instant(alarm.stated_at),
        "decision": alarm.decision or "open",
        "decided_by": alarm.decided_by and alarm.decided_by.get_username(),
        "decided_at": instant(alarm.decided_at),
        "decision_reason": alarm.decision_reason,
        "recounted": alarm.recounted,
    }


def stopped_json(one: StoppedInterim) -> dict[str, Any]:
    return {
        "id": one.pk,
        "customer": one.customer.code,
        "subscription": one.subscription_id,
        "code": one.code,
        "reason": one.reason,
        "way_out": parking.way_out_of_interim(one.code),
        "since": instant(one.stopped_at),
        "attempts": one.attempts,
        "last_tried_at": instant(one.last_tried_at),
        "left_at": instant(one.left_at),
    }


def _whole() -> Any:
    return (
        Offence.objects.select_related("customer")
        .annotate(agreed=offences.is_agreed())
        .prefetch_related("false_alarms__stated_by", "false_alarms__decided_by")
    )


def _answer(offence_id: int) -> Response:
    one = _whole().filter(pk=offence_id).first()
    if one is None:
        raise NotFoundError(f"There is no offence {offence_id}.")
    return Response(offence_json(one))


def _usable(body: Any) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


class OffenceListView(RuledView, GenericAPIView[Offence]):
    """What contradicts an invariant, the latest first."""

    roles_by_method = {"GET": READERS}
    serializer_class: Any = OffenceShape
    queryset = Offence.objects.none()

    @extend_schema(
        operation_id="offences_list", parameters=[OffenceFilter], responses={200: OffencePageShape, **READ_REFUSALS}
    )
    def get(self, request: Request) -> Response:
        wanted = _usable(OffenceFilter(data=request.query_params))
        found = _whole() if wanted["include_cleared"] else _whole().filter(cleared_at=None)
        if "customer" in wanted:
            found = found.filter(customer__code=wanted["customer"])
        return self.get_paginated_response([offence_json(one) for one in self.paginate_queryset(found) or []])


class OffenceView(RuledView, APIView):
    """One offence, and what was said about it."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="offences_read", responses={200: OffenceShape, **READ_REFUSALS})
    def get(self, request: Request, offence_id: int) -> Response:
        return _answer(offence_id)


class OffenceCheckView(IdempotentWrites, RuledView, APIView):
    """Have a worker check every invariant now, as each night; what it no longer finds is cleared."""

    roles_by_method = {"POST": CHECKERS}

    @extend_schema(operation_id="offences_check", request=None, responses={202: CheckShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        offences.ask_for_check(actor=request.user, at=timezone.now())
        return Response({"queued": True}, status=202)


class CallFalseView(IdempotentWrites, RuledView, APIView):
    """Say that an offence is a false alarm, and why; nothing follows until somebody in ops agrees."""

    roles_by_method = {"POST": STATERS}

    @extend_schema(request=ReasonBody, responses={200: OffenceShape, **WRITE_REFUSALS})
    def post(self, request: Request, offence_id: int) -> Response:
        reason = _usable(ReasonBody(data=request.data))["reason"]
        false_alarms.state(offence_id=offence_id, reason=reason, actor=request.user, at=timezone.now())
        return _answer(offence_id)


class AgreeFalseView(IdempotentWrites, RuledView, APIView):
    """Agree that it is a false alarm, as another person; refused unless everything counted again is equal now."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=ReasonBody, responses={200: OffenceShape, **WRITE_REFUSALS})
    def post(self, request: Request, offence_id: int) -> Response:
        reason = _usable(ReasonBody(data=request.data))["reason"]
        alarm = false_alarms.undecided_of(offence_id)
        false_alarms.agree(alarm_id=alarm.pk, reason=reason, actor=request.user, at=timezone.now())
        return _answer(offence_id)


class RefuseFalseView(IdempotentWrites, RuledView, APIView):
    """Say that it is no false alarm; the customer stays stopped."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=ReasonBody, responses={200: OffenceShape, **WRITE_REFUSALS})
    def post(self, request: Request, offence_id: int) -> Response:
        reason = _usable(ReasonBody(data=request.data))["reason"]
        alarm = false_alarms.undecided_of(offence_id)
        false_alarms.refuse(alarm_id=alarm.pk, reason=reason, actor=request.user, at=timezone.now())
        return _answer(offence_id)


class StoppedInterimListView(RuledView, GenericAPIView[StoppedInterim]):
    """Interim drafts that failed, the latest first."""

    roles_by_method = {"GET": READERS}
    serializer_class: Any = StoppedInterimShape
    queryset = StoppedInterim.objects.none()

    @extend_schema(
        operation_id="stopped_interims_list",
        parameters=[StoppedInterimFilter],
        responses={200: StoppedInterimPageShape, **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        wanted = _usable(StoppedInterimFilter(data=request.query_params))
        found = StoppedInterim.objects.select_related("customer")
        if not wanted["include_left"]:
            found = found.filter(left_at=None)
        if "customer" in wanted:
            found = found.filter(customer__code=wanted["customer"])
        return self.get_paginated_response([stopped_json(one) for one in self.paginate_queryset(found) or []])


class StoppedInterimTryView(IdempotentWrites, RuledView, APIView):
    """Have a worker draft this customer's interim invoice once more now; the answer is how it stands."""

    roles_by_method = {"POST": TRIERS}

    @extend_schema(request=None, responses={202: StoppedInterimShape, **WRITE_REFUSALS})
    def post(self, request: Request, stopped_id: int) -> Response:
        stopped.try_again(stopped_id=stopped_id, actor=request.user, at=timezone.now())
        found = StoppedInterim.objects.select_related("customer").get(pk=stopped_id)
        return Response(stopped_json(found), status=202)
