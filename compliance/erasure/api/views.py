"""`erasure-requests` and `retention-rules`: ask, see what would go, decide as another person."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.erasure import decide, persons, plan
from compliance.erasure.api import shapes
from compliance.erasure.models import ErasureRequest, RetentionRule
from core.errors import InvalidInputError, NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

DECIDERS = frozenset(decide.DECIDERS)
Status = ErasureRequest.Status
WHOLE: dict[Any, Any] = {200: shapes.WholeErasureRequestShape} | WRITE_REFUSALS


class RequestFilter(serializers.Serializer[Any]):
    """Query parameters; all that are given must hold."""

    status = serializers.ChoiceField(choices=Status.choices, required=False)
    kind = serializers.ChoiceField(choices=ErasureRequest.Kind.choices, required=False)
    code = serializers.CharField(max_length=60, required=False, help_text="Of the customer or payee.")
    reference = serializers.CharField(max_length=60, required=False)

    def condition(self) -> Q:
        """What `ErasureRequest` must be like."""
        given: dict[str, Any] = dict(self.validated_data)
        code = given.pop("code", None)
        named = Q() if code is None else Q(customer__code=code) | Q(payee__code=code)
        return named & Q(**given)


class RequestList(IdempotentWrites, RuledView, GenericAPIView[ErasureRequest]):
    """Requests to erase somebody, the newest first; POST asks for one, and erases nothing."""

    roles_by_method = {"GET": READERS, "POST": frozenset(decide.ASKERS)}
    serializer_class = shapes.ErasureRequestShape

    def get_queryset(self) -> QuerySet[ErasureRequest]:
        return _requests()

    @extend_schema(parameters=[RequestFilter], responses={200: shapes.ErasureRequestShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        asked = RequestFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = self.paginate_queryset(self.get_queryset().filter(asked.condition()))
        return self.get_paginated_response(shapes.ErasureRequestShape(page, many=True).data)

    @extend_schema(
        request=shapes.NewErasureRequestShape, responses={201: shapes.WholeErasureRequestShape, **WRITE_REFUSALS}
    )
    def post(self, request: Request) -> Response:
        given = _body(shapes.NewErasureRequestShape, request)
        asked = decide.ask_erasure(**given, actor=request.user, at=timezone.now())
        return _whole(asked.pk, status=201)


class RequestView(RuledView, APIView):
    """One request: while it waits, what approving would do now; afterwards, what was done."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: shapes.WholeErasureRequestShape, **READ_REFUSALS})
    def get(self, request: Request, request_id: int) -> Response:
        return _whole(request_id)


class ApproveView(IdempotentWrites, RuledView, APIView):
    """Erase now and for good. Whoever asked cannot; while something forbids it, nothing is erased."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=shapes.ErasureApprovalShape, responses=WHOLE)
    def post(self, request: Request, request_id: int) -> Response:
        given = _body(shapes.ErasureApprovalShape, request)
        if given["confirm"] != request_id:
            raise InvalidInputError("Confirm with the id of this request; nothing was erased.", pointer="/confirm")
        decide.approve_erasure(request_id=request_id, actor=request.user, at=timezone.now())
        return _whole(request_id)


class RefuseView(IdempotentWrites, RuledView, APIView):
    """Refuse; it stays on record and may be asked anew."""

    roles_by_method = {"POST": DECIDERS}

    @extend_schema(request=shapes.ErasureRefusalShape, responses=WHOLE)
    def post(self, request: Request, request_id: int) -> Response:
        given = _body(shapes.ErasureRefusalShape, request)
        decide.refuse_erasure(request_id=request_id, **given, actor=request.user, at=timezone.now())
        return _whole(request_id)


class RuleList(RuledView, GenericAPIView[RetentionRule]):
    """How long invoices are kept, by the country of the seller (empty: all others); every version, newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = shapes.RetentionRuleShape
    queryset = RetentionRule.objects.select_related("created_by")

    @extend_schema(responses={200: shapes.RetentionRuleShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(shapes.RetentionRuleShape(page, many=True).data)


def _requests() -> QuerySet[ErasureRequest]:
    return ErasureRequest.objects.select_related("customer", "portal_user__customer", "payee", "asked_by", "decided_by")


def _body(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _whole(request_id: int, *, status: int = 200) -> Response:
    found = _requests().prefetch_related("erasures__audit_entry").filter(pk=request_id).first()
    if found is None:
        raise NotFoundError(f"There is no request {request_id}.")
    waits = found.status == Status.ASKED
    planned = plan.plan_of(persons.person_of(found), at=timezone.now()) if waits else None
    shown = shapes.WholeErasureRequestShape(found, context={"planned": planned})
    return Response(shown.data, status=status)
