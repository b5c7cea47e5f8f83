"""`replay/sets`: made from history or uploaded, read, written out, required."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.replay import queries, sets
from invoicing.replay.api import shapes
from invoicing.replay.api.shapes import NewSetBody, RequireBody, SetPageShape, SetShape
from invoicing.replay.models import ReplaySet, ReplaySetVersion
from metering.rules import exact_json


class SetListView(IdempotentWrites, RuledView, GenericAPIView[ReplaySet]):
    """All sets, and making one or its next version."""

    roles_by_method = {"GET": READERS, "POST": sets.MAKERS}
    queryset = ReplaySet.objects.all()
    serializer_class = SetShape  # type: ignore[assignment]  # a shape of plain values

    @extend_schema(operation_id="api_v1_replay_sets_list", responses={200: SetPageShape, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response([shapes.set_answer(state) for state in queries.states_of(page)])

    @extend_schema(request=NewSetBody, responses={201: SetShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        body = NewSetBody(data=request.data)
        body.is_valid(raise_exception=True)
        made = _make(body.validated_data, actor=request.user)
        return Response(_answer(made.replay_set), status=status.HTTP_201_CREATED)


class SetView(RuledView, APIView):
    """One set with how it last ran."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: SetShape, **READ_REFUSALS})
    def get(self, request: Request, name: str) -> Response:
        return Response(_answer(sets.find_set(name)))


class ContentView(RuledView, APIView):
    """All that the latest version holds, in the shape in which one is uploaded."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: OpenApiTypes.OBJECT, **READ_REFUSALS})
    def get(self, request: Request, name: str) -> Response:
        return Response(sets.content_of(queries.latest_version(sets.find_set(name))))


class RequireView(IdempotentWrites, RuledView, APIView):
    """Require a set, or no longer."""

    roles_by_method = {"POST": sets.REQUIRERS}

    @extend_schema(request=RequireBody, responses={200: SetShape, **WRITE_REFUSALS})
    def post(self, request: Request, name: str) -> Response:
        body = RequireBody(data=request.data)
        body.is_valid(raise_exception=True)
        sets.decide_requirement(name=name, **body.validated_data, actor=request.user, at=timezone.now())
        return Response(_answer(sets.find_set(name)))


def _make(given: dict[str, Any], *, actor: Any) -> ReplaySetVersion:
    kept = {"name": given["name"], "description": given["description"], "orders": given["orders"]}
    kept |= {"actor": actor, "at": timezone.now()}
    if "content" in given:
        return sets.upload(text=exact_json.write(given["content"]), **kept)
    history = given["from_history"]
    return sets.make_from_history(customer_codes=history["customers"], until=history["until"], **kept)


def _answer(replay_set: ReplaySet) -> dict[str, Any]:
    [state] = queries.states_of([replay_set])
    return shapes.set_answer(state)
