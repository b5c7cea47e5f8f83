"""`GET invoices/{id}/evidence`: the pack, or how far it has come."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.evidence.models import EvidenceRequest
from compliance.evidence.pack import ask, make
from core.errors import NotFoundError
from core.http.downloads import zip_response
from core.http.schema import READ_REFUSALS
from invoicing.cycle.models import Invoice

RETRY_SECONDS = 5
POSITION_MAX = 2**31 - 1


class EvidenceFilter(serializers.Serializer[Any]):
    """Query parameters: of which line; without one the whole invoice."""

    line = serializers.IntegerField(
        min_value=1, max_value=POSITION_MAX, required=False, help_text="The position of a line."
    )


class EvidenceProgressSerializer(serializers.Serializer[Any]):
    """A pack on its way; ask again after `Retry-After` seconds."""

    events_done = serializers.IntegerField()
    events_total = serializers.IntegerField()
    percent = serializers.IntegerField()


class ZipRenderer(BaseRenderer):
    """Lets a client ask for `application/zip`; a refusal is JSON all the same."""

    media_type = "application/zip"
    format = "zip"

    def render(self, data: Any, media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class EvidenceView(RuledView, APIView):
    """A small pack is made while you wait, a large one by a job: 202 until it is there."""

    roles_by_method = {"GET": READERS}
    renderer_classes = [JSONRenderer, ZipRenderer]

    @extend_schema(
        parameters=[EvidenceFilter],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            202: OpenApiResponse(EvidenceProgressSerializer, description="Being made; Retry-After says when to ask."),
            **READ_REFUSALS,
        },
    )
    def get(self, request: Request, invoice_id: int) -> HttpResponseBase:
        asked = EvidenceFilter(data=request.query_params)
        asked.is_valid(raise_exception=True)
        invoice = Invoice.objects.filter(pk=invoice_id).first()
        if invoice is None:
            raise NotFoundError(f"There is no invoice {invoice_id}.")
        line = ask.find_line(invoice, position=asked.validated_data.get("line"))
        answer = ask.ask_for_pack(invoice=invoice, line=line, actor=request.user, at=timezone.now())
        if answer.pack is not None:
            pack = answer.pack
            return zip_response(make.read_pack(pack), name=pack.file_name, size=pack.size, sha256=pack.sha256)
        assert answer.request is not None  # noqa: S101  one of the two
        return Response(_progress(answer.request), status=202, headers={"Retry-After": str(RETRY_SECONDS)})


def _progress(request: EvidenceRequest) -> dict[str, int]:
    return {
        "events_done": request.events_done,
        "events_total": request.events_total,
        "percent": request.percent,
    }
