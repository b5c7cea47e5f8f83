"""The yardstick of single events: the same event taken by a DRF serializer and saved by the ORM, as most would do it.

It authenticates, deduplicates and commits as capture does, but knows no contract, no quarantine and no counts by type.
`plain_wsgi.py` serves it with the product's own settings and web server.
"""

import hashlib
from typing import Any

from django.db import IntegrityError, transaction
from django.urls import path
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Customer
from accounts.permissions import RuledView
from metering.api.sending import SENDERS, SendingRule
from metering.models import CaptureBatch, EventContractVersion, EventKey, UsageEvent

ORIGIN = "plain"


class PlainEventSerializer(serializers.Serializer[dict[str, Any]]):
    """The envelope, field by field."""

    specversion = serializers.ChoiceField(choices=["1.0"])
    id = serializers.CharField(max_length=200)
    source = serializers.CharField(max_length=200)  # type: ignore[assignment]  # DRF's own argument of that name
    type = serializers.CharField(max_length=200)
    subject = serializers.CharField(max_length=200)
    time = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # as `source`


class PlainView(RuledView, APIView):
    """`POST api/v1/events` for one event."""

    roles_by_method = {"POST": SENDERS}
    permission_classes = (SendingRule,)

    def post(self, request: Request) -> Response:
        sent = PlainEventSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                save_event(sent.validated_data)
        except IntegrityError:
            return Response({"accepted": 0, "duplicates": 1})
        return Response({"accepted": 1, "duplicates": 0})


def save_event(event: dict[str, Any]) -> None:
    """One row after the other."""
    now = timezone.now()
    customer = Customer.objects.get(code=event["subject"])
    version = EventContractVersion.objects.select_related("contract").get(
        contract__event_type=event["type"], status=EventContractVersion.Status.ACTIVE
    )
    batch = CaptureBatch.objects.create(
        channel="http", origin=ORIGIN, received_at=now, received=1, accepted=1, duplicates=0, quarantined=0, tallies=[]
    )
    mark = hashlib.sha256(repr(event).encode()).digest()
    row = UsageEvent.objects.create(
        source=event["source"],
        event_id=event["id"],
        customer=customer,
        contract=version.contract,
        contract_version=version,
        batch=batch,
        occurred_at=event["time"],
        received_at=now,
        fingerprint=mark,
        data=event["data"],
    )
    EventKey.objects.create(
        source=row.source,
        event_id=row.event_id,
        seq=row.seq,
        occurred_at=row.occurred_at,
        batch_id=batch.pk,
        fingerprint=mark,
    )


urlpatterns = [path("api/v1/events", PlainView.as_view())]
