"""`customers/{code}/external-ids`: what other systems call a customer."""

from typing import ClassVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import customers, external_ids
from accounts.api.serializers import ExternalIdMoveSerializer, ExternalIdSerializer, NewExternalIdSerializer
from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites

NAMERS = frozenset({Role.FINANCE, Role.OPS, Role.ENGINEERING})


class ExternalIdList(IdempotentWrites, RuledView, APIView):
    """The ids of one customer in other systems: events in the form of such a system name the customer by them."""

    roles_by_method: ClassVar[dict[str, frozenset[Role]]] = {"GET": READERS, "POST": NAMERS}

    @extend_schema(summary="List the ids", responses={200: ExternalIdSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        named = customers.get_customer(code=code).external_ids.select_related("customer")
        return Response(ExternalIdSerializer(named, many=True).data)

    @extend_schema(
        summary="Add an id",
        request=NewExternalIdSerializer,
        responses={201: ExternalIdSerializer, **WRITE_REFUSALS},
    )
    def post(self, request: Request, code: str) -> Response:
        fields = NewExternalIdSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        made = external_ids.add_external_id(
            customer_code=code, **fields.validated_data, actor=request.user, at=timezone.now()
        )
        return Response(ExternalIdSerializer(made).data, status=201)


class ExternalIdDetail(IdempotentWrites, RuledView, APIView):
    """One id of one customer in one system."""

    roles_by_method: ClassVar[dict[str, frozenset[Role]]] = {"PATCH": NAMERS, "DELETE": NAMERS}
    # Once moved, the id is no longer at this address: only a key lets a repeat find its own answer.
    keyed_methods: ClassVar[frozenset[str]] = frozenset({"PATCH"})

    @extend_schema(
        summary="Move the id to another customer",
        parameters=[OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=True)],
        request=ExternalIdMoveSerializer,
        responses={200: ExternalIdSerializer, **WRITE_REFUSALS},
    )
    def patch(self, request: Request, code: str, system: str, external_id: str) -> Response:
        fields = ExternalIdMoveSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        moved = external_ids.move_external_id(
            customer_code=code,
            system=system,
            external_id=external_id,
            to_customer=fields.validated_data["customer"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(ExternalIdSerializer(moved).data)

    @extend_schema(summary="Take an id back", responses={204: None, **WRITE_REFUSALS})
    def delete(self, request: Request, code: str, system: str, external_id: str) -> Response:
        external_ids.remove_external_id(
            customer_code=code, system=system, external_id=external_id, actor=request.user, at=timezone.now()
        )
        return Response(status=204)
