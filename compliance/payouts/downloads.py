"""Hands out stored documents in a way that no browser interprets."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from compliance.payouts.models import EvidenceFile


def evidence_response(file: EvidenceFile) -> HttpResponse:
    """The bytes as they came, as a download."""
    response = HttpResponse(bytes(file.content), content_type=file.media_type)
    disposition = content_disposition_header(as_attachment=True, filename=file.name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
