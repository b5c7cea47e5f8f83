"""`disputes` and what people do about them."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.disputes import decide, fixing, keeping, opening, policies, queries, rebuild, talk
from compliance.disputes import letter as letters
from compliance.disputes.api import shapes
from compliance.disputes.models import Dispute, DisputeDrill, DisputePolicy
from compliance.disputes.models.disputes import OUTCOMES, PATHS, STATUSES
from compliance.disputes.models.policies import OWNERS
from compliance.disputes.opening import Claim
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

DECIDERS = frozenset(decide.DECIDERS)


class DisputeFilter(serializers.Serializer[Any]):
    """Query parameters; all that are given must hold."""

    customer = serializers.CharField(max_length=60, required=False, help_text="Code of the customer.")
    status = serializers.ChoiceField(choices=STATUSES, required=False)
    path = serializers.ChoiceField(choices=PATHS, required=False)
    outcome = serializers.ChoiceField(choices=OUTCOMES, required=False)
    owner_role = serializers.ChoiceField(choices=OWNERS, required=False)
    owner = serializers.CharField(max_length=150, required=False, help_text="Username of whoever has it.")
    overdue = serializers.BooleanField(required=False, allow_null=True, default=None)

    def condition(self) -> Q:
        """What `Dispute` must be like."""
        given: dict[str, Any] = dict(self.validated_data)
        is_overdue = given.pop("overdue")
        names = {"customer": "customer__code", "owner": "owner__username"}
        condition = Q(**{names.get(name, name): value for name, value in given.items()})
        if is_overdue is not None:
            late = queries.overdue_filter(at=timezone.now())
            condition &= late if is_overdue else ~late
        return condition


class DisputeList(IdempotentWrites, RuledView, GenericAPIView[Dispute]):
    """Disputes, the newest first; POST opens one for a customer."""

    roles_by_method = {"GET": READERS, "POST": frozenset(opening.OPENERS)}
    serializer_class = shapes.DisputeShape

    def get_queryset(self) -> QuerySet[Dispute]:
        return queries.all_disputes()

    @extend_schema(parameters=[DisputeFilter], responses={200: shapes.DisputeShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        asked = DisputeFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        page = self.paginate_queryset(self.get_queryset().filter(asked.condition()))
        return self.get_paginated_response(shapes.DisputeShape(page, many=True).data)

    @extend_schema(request=shapes.NewDisputeShape, responses={201: shapes.WholeDisputeShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        given = _body(shapes.NewDisputeShape, request)
        claim = Claim(
            invoice_id=given["invoice"], position=given.get("line"), reason=given["reason"], text=given["text"]
        )
        made = opening.open_for_staff(claim=claim, origin=Dispute.Origin.API, actor=request.user, at=timezone.now())
        return _whole(made.pk, status=201)


class DisputeView(RuledView, APIView):
    """One dispute with all that it gathered."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: shapes.WholeDisputeShape, **READ_REFUSALS})
    def get(self, request: Request, dispute_id: int) -> Response:
        return _whole(dispute_id)


class StageView(IdempotentWrites, RuledView, APIView):
    """One thing that is done about a dispute: its body holds the arguments of one stage function."""

    shape: ClassVar[type[serializers.Serializer[Any]]]
    act: ClassVar[Callable[..., object]]
    status_code = 200

    def post(self, request: Request, dispute_id: int) -> Response:
        self.act(dispute_id=dispute_id, **_body(self.shape, request), actor=request.user, at=timezone.now())
        return _whole(dispute_id, status=self.status_code)


def _described(view: type[StageView]) -> type[StageView]:
    """In the schema: what it takes, and the whole dispute as its answer."""
    answers = {view.status_code: shapes.WholeDisputeShape, **WRITE_REFUSALS}
    return extend_schema_view(post=extend_schema(request=view.shape, responses=answers))(view)


@_described
class UpholdView(StageView):
    """The customer is right; the correction follows by the paths that correct everything."""

    roles_by_method = {"POST": DECIDERS}
    shape = shapes.DisputeAnswerShape
    act = staticmethod(decide.uphold)


@_described
class RejectView(StageView):
    """The bill stands; only on the ops path."""

    roles_by_method = {"POST": DECIDERS}
    shape = shapes.DisputeAnswerShape
    act = staticmethod(decide.reject)


@_described
class WithdrawView(StageView):
    """The customer told somebody that they no longer contest it."""

    roles_by_method = {"POST": DECIDERS}
    shape = shapes.DisputeWithdrawalShape
    act = staticmethod(decide.withdraw)


@_described
class RebuildView(StageView):
    """Rebuild the evidence once more, in the background; the rule decides the path again."""

    roles_by_method = {"POST": frozenset(rebuild.ASKERS)}
    shape = shapes.DisputeReasonShape
    act = staticmethod(rebuild.ask_again)


@_described
class AssignView(StageView):
    """Give it to a person in the role that owns the step."""

    roles_by_method = {"POST": frozenset(keeping.ASSIGNERS)}
    shape = shapes.DisputeOwnerShape
    act = staticmethod(keeping.assign)


@_described
class MessagesView(StageView):
    """Say something: to the customer (finance and ops), or to colleagues only."""

    roles_by_method = {"POST": frozenset(talk.WRITERS)}
    shape = shapes.NewDisputeMessageShape
    status_code = 201
    act = staticmethod(talk.write)


@_described
class CollectionHoldView(StageView):
    """Nobody asks for the money of the invoice for now; the invoice itself never changes."""

    roles_by_method = {"POST": frozenset(keeping.COLLECTORS)}
    shape = shapes.DisputeReasonShape
    act = staticmethod(keeping.hold_collection)


@_described
class CollectionLiftView(StageView):
    """Collect the invoice as ever."""

    roles_by_method = {"POST": frozenset(keeping.COLLECTORS)}
    shape = shapes.DisputeReasonShape
    act = staticmethod(keeping.lift_collection)


@_described
class FixesView(StageView):
    """Link what corrects an upheld dispute; it closes once that is issued."""

    roles_by_method = {"POST": frozenset(fixing.LINKERS)}
    shape = shapes.NewDisputeFixShape
    status_code = 201
    act = staticmethod(fixing.link_fix)


class LetterRenderer(BaseRenderer):
    """Lets a client ask for `application/pdf`; a refusal is JSON all the same."""

    media_type = "application/pdf"
    format = "pdf"

    def render(self, data: Any, media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class LetterView(RuledView, APIView):
    """The letter about a decided dispute, as PDF; 404 until it is written."""

    roles_by_method = {"GET": READERS}
    renderer_classes = [JSONRenderer, LetterRenderer]

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY, **READ_REFUSALS})
    def get(self, request: Request, dispute_id: int) -> HttpResponseBase:
        letter = queries.find_letter(dispute_id)
        if letter is None:
            raise NotFoundError("There is no letter: the dispute is not decided, or it is being written.")
        name = f'attachment; filename="dispute-{dispute_id}.pdf"'
        content = letters.content_of(letter)
        return HttpResponse(content, content_type="application/pdf", headers={"Content-Disposition": name})


class PolicyList(IdempotentWrites, RuledView, GenericAPIView[DisputePolicy]):
    """Versions of the dispute policy, the newest first; POST sets the next."""

    roles_by_method = {"GET": READERS, "POST": frozenset(policies.SETTERS)}
    serializer_class = shapes.DisputePolicyShape
    queryset = DisputePolicy.objects.select_related("set_by")

    @extend_schema(responses={200: shapes.DisputePolicyShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(shapes.DisputePolicyShape(page, many=True).data)

    @extend_schema(request=shapes.NewDisputePolicyShape, responses={201: shapes.DisputePolicyShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        given = _body(shapes.NewDisputePolicyShape, request)
        reason = given.pop("reason")
        made = policies.set_policy(terms=given, reason=reason, actor=request.user, at=timezone.now())
        return Response(shapes.DisputePolicyShape(made).data, status=201)


class DrillList(RuledView, GenericAPIView[DisputeDrill]):
    """Rehearsals, the newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = shapes.DisputeDrillShape
    queryset = DisputeDrill.objects.select_related("started_by")

    @extend_schema(responses={200: shapes.DisputeDrillShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(shapes.DisputeDrillShape(page, many=True).data)


def _body(shape: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    body = shape(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _whole(dispute_id: int, *, status: int = 200) -> Response:
    return Response(shapes.WholeDisputeShape(queries.find_whole(dispute_id)).data, status=status)
