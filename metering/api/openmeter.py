"""OpenMeter's address for events: CloudEvents whose time may be left out, answered without a body."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from core.http import problems
from metering.api import sending
from metering.api.rendering import exact_response
from metering.rules.adapters.times import fill_time
from metering.store import postgres


class OpenMeterEventsView(sending.SendingView):
    """One event or a batch. What cannot be billed waits in quarantine; a sender of one event is told why."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponse:
        at = postgres.read_clock()
        deliveries = [fill_time(delivery, at=at) for delivery in sending.read_deliveries(request)]
        result = sending.capture_sent(request, deliveries)
        if len(deliveries) > 1 or not result.quarantined:
            return HttpResponse(status=204)
        (item,) = result.items
        document = problems.problem(
            status=400,
            code="event_quarantined",
            detail="The event was kept for review and is not billed as it stands.",
            errors=[found.as_json() for found in item.reasons],
        )
        return exact_response(document, status=400, content_type=problems.MEDIA_TYPE)
