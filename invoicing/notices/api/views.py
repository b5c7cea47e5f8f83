"""`notice-endpoints` and `notice-deliveries`."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core.errors import InvalidInputError
from core.http.fields import JsonField
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS
from core.http.views import IdempotentWrites
from invoicing.notices import deliver
from invoicing.notices.models import Attempt, Delivery, Endpoint


class EndpointShape(serializers.ModelSerializer[Endpoint]):
    """A system that is told by signed webhooks; its secret is shown in the back office, once."""

    class Meta:
        model = Endpoint
        fields = ["code", "description", "url", "topics", "created_at", "closed_at"]


class AttemptShape(serializers.ModelSerializer[Attempt]):
    """One try."""

    class Meta:
        model = Attempt
        fields = ["number", "at", "is_delivered", "detail"]


class DeliveryShape(serializers.ModelSerializer[Delivery]):
    """One notice by one way, with every attempt."""

    topic = serializers.CharField(source="notice.topic")
    customer = serializers.CharField(source="notice.customer.code")
    title = serializers.CharField(source="notice.title")
    document = JsonField(source="notice.document")
    told_at = serializers.DateTimeField(source="notice.created_at")
    endpoint = serializers.CharField(source="endpoint.code", allow_null=True, default=None)
    attempts = AttemptShape(many=True)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "topic",
            "customer",
            "title",
            "document",
            "channel",
            "endpoint",
            "status",
            "sent_to",
            "told_at",
            "finished_at",
            "attempts",
        ]


class EndpointList(RuledView, GenericAPIView[Endpoint]):
    """Who is told by signed webhooks."""

    roles_by_method = {"GET": READERS}
    serializer_class = EndpointShape
    queryset = Endpoint.objects.all()

    @extend_schema(responses={200: EndpointShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(EndpointShape(page, many=True).data)


class DeliveryList(RuledView, GenericAPIView[Delivery]):
    """The newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class = DeliveryShape
    queryset = Delivery.objects.select_related("notice__customer", "endpoint").prefetch_related("attempts")

    @extend_schema(
        parameters=[OpenApiParameter("status", enum=Delivery.Status.values)],
        responses={200: DeliveryShape(many=True), **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        rows, status = self.get_queryset(), request.query_params.get("status")
        if status is not None:
            if status not in Delivery.Status.values:
                raise InvalidInputError(f"`status` is one of {', '.join(Delivery.Status.values)}.", pointer="/status")
            rows = rows.filter(status=status)
        return self.get_paginated_response(DeliveryShape(self.paginate_queryset(rows), many=True).data)


class SendAgainView(IdempotentWrites, RuledView, APIView):
    """Send a delivery that was given up once more."""

    roles_by_method = {"POST": frozenset(deliver.SENDERS)}

    @extend_schema(request=None, responses={200: DeliveryShape, **WRITE_REFUSALS})
    def post(self, request: Request, delivery_id: int) -> Response:
        delivery = deliver.send_again(delivery_id=delivery_id, actor=request.user, at=timezone.now())
        return Response(DeliveryShape(delivery).data)
