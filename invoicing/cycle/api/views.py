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
from invoicing.cycle import (
    approve,
    comment,
    credit_note,
    discard,
    finalize,
    hold,
    pdf,
    preview,
    queries,
    reconcile,
    settlement,
    together,
)
from invoicing.cycle.api import schema, shapes
from invoicing.cycle.models import HoldReason, Invoice, InvoiceComment

FINANCE = frozenset({Role.FINANCE})
RETRY_SECONDS = "3"


def _answer(invoice_id: int) -> Response:
    """The invoice as it stands now."""
    invoice = queries.whole_invoices().filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.")
    return Response(shapes.invoice_json(invoice, settlement=settlement.read_one(invoice)))


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
        paid = settlement.read(page)
        return self.get_paginated_response(
            [shapes.invoice_json(one, settlement=paid.get(one.pk, settlement.NONE_YET)) for one in page]
        )


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
    """Hold an invoice back, with a reason; every approval of it is withdrawn."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.HoldBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        given = _usable(schema.HoldBody(data=request.data))
        hold.hold_invoice(invoice_id=invoice_id, **given, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class ReleaseView(IdempotentWrites, RuledView, APIView):
    """Release a held invoice, with a reason; never the hold of one's own."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.HoldBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        given = _usable(schema.HoldBody(data=request.data))
        hold.release_invoice(invoice_id=invoice_id, **given, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class ApproveView(IdempotentWrites, RuledView, APIView):
    """Approve the figures with this hash, and no others.

    Above the amount that its policy names, `approvals_needed` is 2: after the first person's call the answer's status
    is still `draft`, and the second person's makes it `approved`.
    """

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.ApprovalBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        content_hash = _usable(schema.ApprovalBody(data=request.data))["content_hash"]
        approve.approve_invoice(invoice_id=invoice_id, content_hash=content_hash, actor=request.user, at=timezone.now())
        return _answer(invoice_id)


class ApproveManyView(IdempotentWrites, RuledView, APIView):
    """Approve many drafts, each by the figures that were looked at; each answers for itself."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(
        operation_id="invoices_approve_many",
        request=schema.ApprovalsBody,
        responses={200: schema.OutcomesShape, **WRITE_REFUSALS},
    )
    def post(self, request: Request) -> Response:
        wanted = _usable(schema.ApprovalsBody(data=request.data))["invoices"]
        figures = [(one["id"], one["content_hash"]) for one in wanted]
        outcomes = together.approve_invoices(figures=figures, actor=request.user, at=timezone.now())
        return Response(shapes.outcomes_json(outcomes))


class CommentsView(IdempotentWrites, RuledView, APIView):
    """What colleagues remarked on an invoice, oldest first; remarks are added, never changed."""

    roles_by_method = {"GET": READERS, "POST": comment.WRITERS}

    @extend_schema(operation_id="invoices_comments", responses={200: schema.CommentShape(many=True), **READ_REFUSALS})
    def get(self, request: Request, invoice_id: int) -> Response:
        if not Invoice.objects.filter(pk=invoice_id).exists():
            raise NotFoundError(f"There is no invoice {invoice_id}.")
        kept = InvoiceComment.objects.filter(invoice_id=invoice_id).select_related("author", "invoice__customer")
        return Response([shapes.comment_json(one) for one in kept])

    @extend_schema(request=schema.CommentBody, responses={201: schema.CommentShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        text = _usable(schema.CommentBody(data=request.data))["text"]
        kept = comment.add_comment(invoice_id=invoice_id, text=text, actor=request.user, at=timezone.now())
        return Response(shapes.comment_json(kept), status=201)


class HoldReasonsView(RuledView, APIView):
    """The usual reasons to hold and to release that finance keeps; their codes go into `reason_code`."""

    roles_by_method = {"GET": READERS}

    @extend_schema(operation_id="hold_reasons", responses={200: schema.HoldReasonShape(many=True), **READ_REFUSALS})
    def get(self, request: Request) -> Response:
        used = HoldReason.objects.filter(is_in_use=True)
        return Response([{"code": one.code, "use": one.use, "reason": one.label} for one in used])


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


class CreditView(IdempotentWrites, RuledView, APIView):
    """Draft a credit note over a final invoice, in full or in part; a colleague approves it."""

    roles_by_method = {"POST": FINANCE}

    @extend_schema(request=schema.CreditBody, responses={200: schema.InvoiceShape, **WRITE_REFUSALS})
    def post(self, request: Request, invoice_id: int) -> Response:
        wanted = _usable(schema.CreditBody(data=request.data))
        amounts = {one["line"]: one["amount"] for one in wanted["lines"]} if "lines" in wanted else None
        note = credit_note.ask_for_credit(
            invoice_id=invoice_id, reason=wanted["reason"], amounts=amounts, actor=request.user, at=timezone.now()
        )
        return _answer(note.pk)


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
            (410, MEDIA_TYPE): OpenApiResponse(
                ProblemSerializer, description="The person was erased and no law keeps the document (`pdf_erased`)."
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
