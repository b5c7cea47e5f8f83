"""Hands out stored documents in a way that no browser interprets."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from compliance.payouts.models import EvidenceFile
from core.errors import DomainError


class DocumentErasedError(DomainError):
    """Whose paper it was is forgotten, and the paper with them."""

    code = "document_erased"
    http_status = 410


def evidence_response(file: EvidenceFile) -> HttpResponse:
    """The bytes as they came, as a download; DocumentErasedError once the payee was erased."""
    if not file.content:
        raise DocumentErasedError("The payee was erased, and this document with them. What was decided by it stays.")
    response = HttpResponse(bytes(file.content), content_type=file.media_type)
    disposition = content_disposition_header(as_attachment=True, filename=file.name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
