"""`plan-moves`: everybody on a plan to another one, or to its present prices; proposed, tried and approved."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.effects import moves
from invoicing.effects.api.serializers import MoveSerializer, NewMoveSerializer
from invoicing.effects.models import PlanMove
from invoicing.pricing.proposals import APPROVERS, AUTHORS


class MoveListView(IdempotentWrites, RuledView, GenericAPIView[PlanMove]):
    """Moves, and proposing one; its dry run is made at once."""

    roles_by_method = {"GET": READERS, "POST": AUTHORS}
    serializer_class = MoveSerializer
    queryset = PlanMove.objects.select_related("source", "target", "created_by", "decided_by")

    @extend_schema(responses={200: MoveSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(MoveSerializer(page, many=True).data)

    @extend_schema(request=NewMoveSerializer, responses={201: MoveSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewMoveSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = moves.propose_move(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(MoveSerializer(made).data, status=status.HTTP_201_CREATED)


class MoveView(RuledView, GenericAPIView[PlanMove]):
    """One move, with how far it is."""

    roles_by_method = {"GET": READERS}
    serializer_class = MoveSerializer
    queryset = PlanMove.objects.all()

    @extend_schema(responses={200: MoveSerializer, **READ_REFUSALS})
    def get(self, request: Request, move_id: int) -> Response:
        return Response(MoveSerializer(moves.find_move(move_id)).data)


class ApproveMoveView(IdempotentWrites, RuledView, APIView):
    """Lets a worker move them; another person than the author does it."""

    roles_by_method = {"POST": APPROVERS}

    @extend_schema(request=None, responses={200: MoveSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, move_id: int) -> Response:
        decided = moves.approve_move(move_id=move_id, actor=request.user, at=timezone.now())
        return Response(MoveSerializer(decided).data)


class WithdrawMoveView(IdempotentWrites, RuledView, APIView):
    """Turns a proposed move down; it is kept."""

    roles_by_method = {"POST": AUTHORS}

    @extend_schema(request=None, responses={200: MoveSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, move_id: int) -> Response:
        decided = moves.withdraw_move(move_id=move_id, actor=request.user, at=timezone.now())
        return Response(MoveSerializer(decided).data)
