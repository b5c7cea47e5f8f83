"""`invoices/{id}/lines/{line}/trace`."""

from collections.abc import Mapping
from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.evidence import events, exports, parts, recount, trace
from compliance.evidence.api import answers, shapes
from core.http.downloads import text_response
from core.http.schema import READ_REFUSALS
from metering.rules import exact_json

SEQ_MAX = 2**63 - 1
PAGE_MAX = 500


class ExactJSONRenderer(JSONRenderer):
    """The events' own JSON leaves with the numbers that came in, never as texts or floats."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else exact_json.write_in_order(data)


class TraceFilter(serializers.Serializer[Any]):
    """Query parameters: which page of the events."""

    events_after = serializers.IntegerField(
        min_value=0, max_value=SEQ_MAX, default=0, help_text="`next_after` of the page before."
    )
    parts_after = serializers.IntegerField(
        min_value=0, max_value=SEQ_MAX, default=0, help_text="The same of the parts, where the price asks for parts."
    )
    limit = serializers.IntegerField(min_value=1, max_value=PAGE_MAX, default=100)
    event = serializers.CharField(
        max_length=200, required=False, help_text="Only events with this id; a source gives an id once."
    )
    recount = serializers.BooleanField(
        default=False, help_text="Count the events again however many they are; takes seconds for a million."
    )


class TraceView(RuledView, APIView):
    """The walk of one line, with a page of its events; later pages leave out the proof, which the first has given."""

    roles_by_method = {"GET": READERS}
    renderer_classes = (ExactJSONRenderer,)

    @extend_schema(parameters=[TraceFilter], responses={200: shapes.TraceSerializer, **READ_REFUSALS})
    def get(self, request: Request, invoice_id: int, line_id: int) -> Response:
        asked = TraceFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        after = asked.validated_data["events_after"]
        line = trace.find_line(line_id=line_id, invoice_id=invoice_id)
        snapshot = line.rated_line.snapshot
        page = None
        wanted = asked.validated_data.get("event")
        if snapshot is not None and wanted is not None:
            page = events.find_events(snapshot, event_id=wanted)
        elif snapshot is not None:
            page = events.page_of_events(snapshot, after_seq=after, limit=asked.validated_data["limit"])
        parts_after = asked.validated_data["parts_after"]
        split = parts.page_of_parts(line.rated_line, after=parts_after, limit=asked.validated_data["limit"])
        is_first = not (after or parts_after)
        is_thorough = asked.validated_data["recount"]
        walked = trace.trace_line(line_id=line.pk, is_thorough=is_thorough) if is_first else None
        corrected = events.corrected_events(snapshot) if is_first and snapshot is not None else []
        latest = recount.latest(line) if is_first else None
        answer = answers.trace_answer(line, walked=walked, corrected=corrected, page=page, split=split, latest=latest)
        return Response(shapes.TraceSerializer(answer).data)


class EventsFilter(serializers.Serializer[Any]):
    """Query parameters: the form of the file."""

    form = serializers.ChoiceField(choices=sorted(exports.CONTENT_TYPES), default="ndjson")


class _FileRenderer(BaseRenderer):
    """Lets a client ask for the file by its media type; a refusal is JSON all the same."""

    def render(self, data: Any, media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class NdjsonRenderer(_FileRenderer):
    media_type = "application/x-ndjson"
    format = "ndjson"


class CsvRenderer(_FileRenderer):
    media_type = "text/csv"
    format = "csv"


class LineEventsView(RuledView, APIView):
    """Every event behind a line as one file, streamed: NDJSON or CSV; empty for a line without usage."""

    roles_by_method = {"GET": READERS}
    renderer_classes = (JSONRenderer, NdjsonRenderer, CsvRenderer)

    @extend_schema(
        parameters=[EventsFilter],
        responses={
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (200, "text/csv"): OpenApiTypes.STR,
            **READ_REFUSALS,
        },
    )
    def get(self, request: Request, invoice_id: int, line_id: int) -> HttpResponseBase:
        asked = EventsFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        form = asked.validated_data["form"]
        line = trace.find_line(line_id=line_id, invoice_id=invoice_id)
        blocks = exports.events_as(form, line.rated_line.snapshot)
        return text_response(blocks, name=f"events-line-{line.pk}.{form}", content_type=exports.CONTENT_TYPES[form])
