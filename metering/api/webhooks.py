"""`webhook-sources`: who may send signed webhooks; and the address that they are sent to."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import validators
from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.http.fields import JsonField
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.serializers import KnownFieldsOnly
from core.http.views import IdempotentWrites
from metering import webhooks
from metering.api import sending
from metering.api.events import write_answer
from metering.models import WebhookSource
from metering.store import postgres
from metering.webhooks import NewSecret

KEEPERS = frozenset({Role.ENGINEERING})
OVERLAP_HOURS = 24


class WebhookSourceSerializer(serializers.ModelSerializer[WebhookSource]):
    """A source, without its secrets."""

    mapping = JsonField(help_text="`=value` or a JSON pointer for type, subject, time and the properties of `data`.")
    address = serializers.SerializerMethodField(help_text="Where it sends its webhooks.")

    class Meta:
        model = WebhookSource
        fields: ClassVar = ["code", "description", "mapping", "address", "created_at", "closed_at"]

    def get_address(self, source: WebhookSource) -> str:
        return f"/api/v1/capture/webhooks/{source.code}"


class SourceWithSecretSerializer(serializers.Serializer[Any]):
    """The same with a new secret, which cannot be read again."""

    secret = serializers.CharField(help_text="`whsec_…`, for the sender to sign with.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # Every serializer has `source` of its own, so this field cannot be a class attribute.
        return {"source": WebhookSourceSerializer(), **super().get_fields()}


class NewWebhookSourceSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    code = serializers.CharField(max_length=60, validators=[validators.CODE])
    description = serializers.CharField(max_length=1000)
    mapping = JsonField()


class WebhookSourceChangeSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    description = serializers.CharField(max_length=1000, required=False)
    mapping = JsonField(required=False)


class RotationSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    overlap_hours = serializers.IntegerField(
        min_value=0, max_value=webhooks.OVERLAP_HOURS_MAX, default=OVERLAP_HOURS, help_text="So long both secrets sign."
    )


class ClosingSerializer(KnownFieldsOnly, serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000)


class WebhookSourceListView(IdempotentWrites, RuledView, GenericAPIView[WebhookSource]):
    """Systems that report usage by signed webhooks."""

    roles_by_method = {"GET": READERS, "POST": KEEPERS}
    serializer_class = WebhookSourceSerializer

    def get_queryset(self) -> QuerySet[WebhookSource]:
        return WebhookSource.objects.all()

    @extend_schema(responses={200: WebhookSourceSerializer(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(WebhookSourceSerializer(page, many=True).data)

    @extend_schema(request=NewWebhookSourceSerializer, responses={201: SourceWithSecretSerializer, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        """Make a source; the answer shows its secret once."""
        body = NewWebhookSourceSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = webhooks.create_source(**body.validated_data, actor=request.user, at=timezone.now())
        return Response(_with_secret(made), status=201)


class WebhookSourceView(IdempotentWrites, RuledView, APIView):
    """One source."""

    roles_by_method = {"GET": READERS, "PATCH": KEEPERS}

    @extend_schema(responses={200: WebhookSourceSerializer, **READ_REFUSALS})
    def get(self, request: Request, code: str) -> Response:
        return Response(WebhookSourceSerializer(webhooks.find_source(code)).data)

    @extend_schema(request=WebhookSourceChangeSerializer, responses={200: WebhookSourceSerializer, **WRITE_REFUSALS})
    def patch(self, request: Request, code: str) -> Response:
        body = WebhookSourceChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        changed = webhooks.change_source(code=code, changes=body.validated_data, actor=request.user, at=timezone.now())
        return Response(WebhookSourceSerializer(changed).data)


class RotateView(IdempotentWrites, RuledView, APIView):
    """A new secret for a source."""

    roles_by_method = {"POST": KEEPERS}

    @extend_schema(request=RotationSerializer, responses={200: SourceWithSecretSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        body = RotationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = webhooks.rotate_secret(code=code, **body.validated_data, actor=request.user, at=timezone.now())
        return Response(_with_secret(made))


class CloseSourceView(IdempotentWrites, RuledView, APIView):
    """The end of a source."""

    roles_by_method = {"POST": KEEPERS}

    @extend_schema(request=ClosingSerializer, responses={200: WebhookSourceSerializer, **WRITE_REFUSALS})
    def post(self, request: Request, code: str) -> Response:
        body = ClosingSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        closed = webhooks.close_source(code=code, **body.validated_data, actor=request.user, at=timezone.now())
        return Response(WebhookSourceSerializer(closed).data)


class CaptureWebhookView(APIView):
    """Takes the webhooks of one source; their signature says who sends them, so no key is asked for."""

    authentication_classes: Sequence[Any] = ()
    permission_classes: Sequence[Any] = (AllowAny,)
    schema = None

    def post(self, request: Request, code: str) -> HttpResponse:
        result = webhooks.receive(
            code=code, headers=request.headers, body=sending.read_body(request), at=postgres.read_clock()
        )
        return HttpResponse(write_answer(result), content_type="application/json")


def _with_secret(made: NewSecret) -> dict[str, Any]:
    return {"source": WebhookSourceSerializer(made.source).data, "secret": made.text}
