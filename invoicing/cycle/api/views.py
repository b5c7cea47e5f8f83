"""`invoices`: the list, one invoice, its PDF, and the decisions on it."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Scope
from accounts.permissions import READERS, RuledView
from accounts.roles import Role
from core.errors import NotFoundError
from core.http.problems import MEDIA_TYPE
from core.http.schema import READ_REFUSALS, WRITE_REFUSALS, ProblemSerializer
from core.http.views import IdempotentWrites
from invoicing.cycle import approve, discard, finalize, hold, pdf, preview, queries, reconcile
from invoicing.cycle.api import schema, shapes
from invoicing.cycle.models import Invoice

FINANCE = frozenset({Role.FINANCE})
RETRY_SECONDS = "3"


def _answer(invoice_id: int) -> Response:
    """The invoice as it stands now."""
    invoice = queries.whole_invoices().filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.")
    return Response(shapes.invoice_json(invoice))


def _usable(body: Any) -> dict[str, Any]:
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


class InvoiceListView(RuledView, GenericAPIView[Invoice]):
    """Invoices, newest first."""

    roles_by_method = {"GET": READERS}
    serializer_class: Any = schema.InvoiceShape
    queryset = Invoice.objects.none()

    @extend_schema(
        operation_id="invoices_list",
        parameters=[schema.InvoiceFilter],
        responses={200: schema.InvoicePageShape, **READ_REFUSALS},
    )
    def get(self, request: Request) -> Response:
        wanted = _usable(schema.InvoiceFilter(data=request.query_params))
        invoices = queries.whole_invoices()
        if "customer" in wanted:
            invoices = invoices.filter(customer__code=wanted["customer"])
        exact = ("status", "kind", "document_type")
        invoices = invoices.filter(**{name: wanted[name] for name in exact if name in wanted})
        page = self.paginate_queryset(invoices) or []
        return self.get_paginated_response([shapes.invoice_json(invoice) for invoice in page])


class InvoiceView(RuledView, APIView):
    """One invoice, down to its lines, holds, breaks and moves."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="invoices_read", responses={200: schema.InvoiceShape, **READ_REFUSALS})
    def get(self, request: Request, invoice_id: int) -> Response:
        return _answer(invoice_id)


class PreviewView(RuledView, APIView):
    """The invoice of a period as it would be drafted now; nothing is stored."""

    roles_by_method = {"POST": READERS}
    write_scope = Scope.READ

    @extend_schema(request=schema.PreviewBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request) -> Response:
        wanted = _usable(schema.PreviewBody(data=request.data))
        found = preview.preview_for(
            customer_code=wanted["customer"],
            start=wanted["period"]["start"],
            end=wanted["period"]["end"],
            at=timezone.now(),
        )
        return Response(shapes.preview_json(found))


class HoldView(IdempotentWrites, RuledView, APIView):
    """Hold an invoice back, with a reason."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.ReasonBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        reason = _usable(schema.ReasonBody(data=request.data))["reason"]
        hold.hold_invoice(invoice_id=invoice_id, reason=reason, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class ReleaseView(IdempotentWrites, RuledView, APIView):
    """Release a held invoice, with a reason; never the hold of one's own."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.ReasonBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        reason = _usable(schema.ReasonBody(data=request.data))["reason"]
        hold.release_invoice(invoice_id=invoice_id, reason=reason, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class ApproveView(IdempotentWrites, RuledView, APIView):
    """Approve the figures with this hash, and no others."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.ApprovalBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        content_hash = _usable(schema.ApprovalBody(data=request.data))["content_hash"]
        approve.approve_invoice(invoice_id=invoice_id, content_hash=content_hash, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class FinalizeView(IdempotentWrites, RuledView, APIView):
    """Issue what was approved: it gets its number and never changes again."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=None, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        finalize.finalize_invoice(invoice_id=invoice_id, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class DiscardView(IdempotentWrites, RuledView, APIView):
    """Give a draft up; the next close counts and rates its period afresh."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.ReasonBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        reason = _usable(schema.ReasonBody(data=request.data))["reason"]
        discard.discard_invoice(invoice_id=invoice_id, reason=reason, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class RecheckView(IdempotentWrites, RuledView, APIView):
    """Recount an invoice that is not final yet; a new break holds it."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=None, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        reconcile.recheck_invoice(invoice_id=invoice_id, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class PdfRenderer(BaseRenderer):
    """Lets a client ask for `application/pdf`; a refusal is JSON all the same."""

    media_type = "application/pdf"
    format = "pdf"

    def render(self, data: Any, media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return JSONRenderer().render(data)


class PdfView(RuledView, APIView):
    """The stored PDF of a final invoice, the same bytes for ever; a draft as it would print, marked as such."""

    roles_by_method = {"GET": READERS}
    renderer_classes = [JSONRenderer, PdfRenderer]

    @extend_schema(
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (409, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer, description="Still being rendered (`pdf_not_ready`); Retry-After says when to ask."
            ),
            **READ_REFUSALS,
        }
    )
    def get(self, request: Request, invoice_id: int) -> HttpResponse | Response:
        invoice = Invoice.objects.select_related("seller").filter(pk=invoice_id).first()
        if invoice is None:
            raise NotFoundError(f"There is no invoice {invoice_id}.")
        try:
            document = pdf.invoice_pdf(invoice=invoice)
        except pdf.PdfNotReadyError as error:
            response = self.handle_exception(error)
            response["Retry-After"] = RETRY_SECONDS
            return response
        headers = {"Content-Disposition": f'attachment; filename="{document.file_name}"'}
        return HttpResponse(document.content, content_type="application/pdf", headers=headers)
