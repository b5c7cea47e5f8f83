"""The two sides of a break, event by event, and the repair of its draft."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.errors import NotFoundError
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS, PageShape
from invoicing.cycle import queries, repair, settlement
from invoicing.cycle.api import schema, shapes
from invoicing.cycle.api.shapes import instant
from invoicing.cycle.models import Break, BreakEvent


class BreakEventShape(serializers.Serializer[object]):
    """An event on both sides, by fingerprint; null where a side has none."""

    difference = serializers.ChoiceField(BreakEvent.Difference.choices)
    event_source = serializers.CharField(help_text="`source` of the event.")
    id = serializers.CharField()
    time = serializers.DateTimeField()
    received_at = serializers.DateTimeField(allow_null=True)
    channel = serializers.CharField(allow_null=True, help_text="`http`, `import` or `release`.")
    acknowledged = serializers.CharField(allow_null=True, help_text="SHA-256 of what was acknowledged.")
    raw = serializers.CharField(allow_null=True, help_text="SHA-256 of what lies there.")


class BreakEventPageShape(PageShape):
    """A page of the events that differ."""

    results = BreakEventShape(many=True)


def break_event_json(event: BreakEvent) -> dict[str, Any]:
    return {
        "difference": event.difference,
        "event_source": event.source,
        "id": event.event_id,
        "time": instant(event.occurred_at),
        "received_at": instant(event.received_at),
        "channel": event.channel or None,
        "acknowledged": event.kept_fingerprint or None,
        "raw": event.raw_fingerprint or None,
    }


class RepairView(RuledView, APIView):
    """Discard a draft and write a fresh one, after a repair at the source events; the answer is the fresh draft.

    Only windows in which something changed are counted again. Repeated, it finds the draft discarded and says so.
    """

    roles_by_method = {"POST": frozenset({Role.FINANCE})}

    @extend_schema(
        operation_id="invoices_repair",
        request=schema.ReasonBody,
        responses={200: schema.InvoiceShape, **WRITE_REFUSALS},
    )
    def post(self, request: Request, invoice_id: int) -> Response:
        body = schema.ReasonBody(data=request.data)
        body.is_valid(raise_exception=True)
        fresh = repair.repair_invoice(
            invoice_id=invoice_id, reason=body.validated_data["reason"], actor=request.user, at=timezone.now()
        )
        return Response(shapes.invoice_json(queries.whole_invoices().get(pk=fresh.pk), settlement=settlement.NONE_YET))


class BreakEventsView(RuledView, GenericAPIView[BreakEvent]):
    """The events of a break that differ, up to the first thousand."""

    roles_by_method = {"GET": READERS}
    serializer_class: Any = BreakEventShape
    queryset = BreakEvent.objects.none()

    @extend_schema(operation_id="break_events_list", responses={200: BreakEventPageShape, **READ_REFUSALS})
    def get(self, request: Request, invoice_id: int, break_id: int) -> Response:
        found = Break.objects.filter(pk=break_id, invoice=invoice_id).first()
        if found is None:
            raise NotFoundError(f"Invoice {invoice_id} has no break {break_id}.")
        page = self.paginate_queryset(found.events.all()) or []
        return self.get_paginated_response([break_event_json(event) for event in page])
