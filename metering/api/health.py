"""`metering/health`: how well usage comes in."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from core import money
from core.errors import InvalidInputError
from core.http.schema import READ_REFUSALS
from metering import health, health_minutes, months
from metering.api.serializers import HealthFilterSerializer, HealthSerializer
from metering.health import Arrivals
from metering.rules.instants import instant_text

PERIOD = timedelta(hours=24)


class HealthView(RuledView, APIView):
    """Received, accepted, suppressed, held back, and the lag to availability."""

    roles_by_method = {"GET": READERS}

    @extend_schema(parameters=[HealthFilterSerializer], responses={200: HealthSerializer, **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        """Add up what was received in `[start, end)`; without an end until now, without both in the last 24 hours."""
        wanted = HealthFilterSerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        start, end = wanted.validated_data.get("start"), wanted.validated_data.get("end")
        if end is not None and start is None:
            raise InvalidInputError("An end needs a start.", pointer="/start")
        now = timezone.now()
        found = health.measure_health(start=start or now - PERIOD, end=end or now)
        streams = [
            {"source": stream.source, "type": stream.type, **_show(line)} for stream, line in found.streams.items()
        ]
        period = {"start": instant_text(found.start), "end": instant_text(found.end)}
        alarms = months.find_state(at=now).alarms
        answer = {**period, **_show(found.whole), "sources": streams, "alarms": alarms}
        if wanted.validated_data.get("window") is not None:
            answer["minutes"] = _minutes(wanted.validated_data, start=found.start, end=found.end)
        return Response(answer)


def _minutes(asked: dict[str, Any], *, start: datetime, end: datetime) -> list[dict[str, Any]]:
    if ("source" in asked) != ("type" in asked):
        raise InvalidInputError("Give source and type together: only both name a stream.", pointer="/source")
    stream = None
    if "source" in asked:
        stream = health_minutes.find_stream(source=asked["source"], event_type=asked["type"])
    found = health_minutes.measure_minutes(start=start, end=end, stream=stream)
    return [{"minute": instant_text(one.minute), **_show(one.arrivals)} for one in found]


def _show(line: Arrivals) -> dict[str, Any]:
    return {
        "received": line.received,
        "accepted": line.accepted,
        "duplicates": line.duplicates,
        "quarantined": line.quarantined,
        "acceptance_rate": _text(line.acceptance_rate),
        "duplicate_suppression_rate": _text(line.duplicate_suppression_rate),
        "lag_seconds": {name: _text(value) for name, value in line.lag._asdict().items()},
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else money.plain(number)
