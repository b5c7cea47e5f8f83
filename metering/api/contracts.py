"""`contracts`: what events of a type must look like, version by version."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.errors import InvalidInputError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from metering import contracts, trying
from metering.api.rendering import ExactJSONRenderer
from metering.api.schema import CLOUD_EVENT
from metering.api.serializers import (
    ContractChangeSerializer,
    ContractSerializer,
    NewContractSerializer,
    NewVersionSerializer,
    TrialSerializer,
    VersionSerializer,
)
from metering.models import EventContract

KEEPERS = frozenset({Role.ENGINEERING})
FOUND = EventContract.objects.select_related("owner").prefetch_related("versions", "meters")


class ContractListView(IdempotentWrites, RuledView, GenericAPIView[EventContract]):
    """Contracts, and opening one."""

    roles_by_method = {"GET": READERS, "POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)
    serializer_class = ContractSerializer
    queryset = FOUND

    @extend_schema(responses={200: ContractSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(ContractSerializer(page, many=True).data)

    @extend_schema(request=NewContractSerializer, responses={201: ContractSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        """Open a contract; with a `schema` its first version is drafted, with `activate` proved and put in force."""
        body = NewContractSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = contracts.open_contract(
            event_type=body.validated_data["type"],
            description=body.validated_data["description"],
            draft=body.draft_if_any(),
            is_activated=body.validated_data["activate"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(ContractSerializer(made).data, status=status.HTTP_201_CREATED)


class ContractView(IdempotentWrites, RuledView, APIView):
    """One contract; its type is for ever, its description is not."""

    roles_by_method = {"GET": READERS, "PATCH": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: ContractSerializer, **READ_REFUSALS})
    def get(self, request: Request, event_type: str) -> Response:
        return Response(ContractSerializer(contracts.get_contract(event_type)).data)

    @extend_schema(request=ContractChangeSerializer, responses={200: ContractSerializer, **WRITE_REFUSALS})
    def patch(self, request: Request, event_type: str) -> Response:
        contract = contracts.get_contract(event_type)
        body = ContractChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        contracts.describe_contract(contract=contract, actor=request.user, **body.validated_data)
        return Response(ContractSerializer(contract).data)


class TryView(RuledView, APIView):
    """Says what would become of an event; stores nothing."""

    roles_by_method = {"POST": READERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(request={"application/json": CLOUD_EVENT}, responses={200: TrialSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, event_type: str) -> Response:
        """Try one event: accepted, duplicate or quarantined with reasons, and what each meter would count."""
        contract = contracts.get_contract(event_type)
        if not isinstance(request.data, dict):
            raise InvalidInputError("Send one event, as an object.", pointer="")
        trial = trying.try_event(contract=contract, delivery=request.data, at=timezone.now())
        return Response(TrialSerializer(trial).data)


class VersionListView(IdempotentWrites, RuledView, APIView):
    """Drafts the next version of a contract."""

    roles_by_method = {"POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(request=NewVersionSerializer, responses={201: VersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, event_type: str) -> Response:
        contract = contracts.get_contract(event_type)
        body = NewVersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = contracts.draft_version(
            contract=contract,
            draft=body.draft(),
            is_activated=body.validated_data["activate"],
            actor=request.user,
            at=timezone.now(),
        )
        return Response(VersionSerializer(made).data, status=status.HTTP_201_CREATED)


class VersionView(RuledView, APIView):
    """One version of a contract."""

    roles_by_method = {"GET": READERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(responses={200: VersionSerializer, **READ_REFUSALS})
    def get(self, request: Request, event_type: str, version: int) -> Response:
        return Response(VersionSerializer(contracts.get_version(event_type, version)).data)


class ActivateView(IdempotentWrites, RuledView, APIView):
    """Puts a drafted version in force."""

    roles_by_method = {"POST": KEEPERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(request=None, responses={200: VersionSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, event_type: str, version: int) -> Response:
        """Prove the version by its examples; the one in force until now retires in the same moment."""
        drafted = contracts.get_version(event_type, version)
        made = contracts.activate_version(version_id=drafted.pk, actor=request.user, at=timezone.now())
        return Response(VersionSerializer(made).data)
