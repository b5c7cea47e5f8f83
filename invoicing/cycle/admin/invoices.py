"""The invoice desk: a review queue, the page of one invoice, and the five decisions on it."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import HistoryAdmin, answer_dialog
from accounts.roles import Role
from core.errors import DomainError, NotFoundError
from invoicing.cycle import approve, comment, credit_note, discard, finalize, hold, pdf, repair
from invoicing.cycle.admin import page, queue_page, wording
from invoicing.cycle.admin.credit_form import CreditForm
from invoicing.cycle.admin.forms import (
    ApproveForm,
    CommentForm,
    ConfirmForm,
    HoldForm,
    ReasonForm,
    ReleaseForm,
)
from invoicing.cycle.models import Break, DocumentType, Invoice
from invoicing.cycle.rules import lifecycle

Status = Invoice.Status
APPROVED = "Approved. It can be finalized now."
FIRST_OF_TWO = "Your approval is kept. A second person in finance has to approve it too."
TONES = {"draft": "info", "held": "danger", "approved": "warning", "final": "success"}
URGENCY = Case(
    When(status=Status.HELD, then=Value(0)),
    When(status=Status.DRAFT, then=Value(1)),
    When(status=Status.APPROVED, then=Value(2)),
    When(status=Status.FINAL, then=Value(3)),
    default=Value(4),
    output_field=IntegerField(),
)


@admin.register(Invoice)
class InvoiceAdmin(HistoryAdmin):
    """Nothing here is edited: every change is one of the decisions, made by its stage function."""

    list_display = ("name", "customer", "period", "status_label", "amount", "why_held")
    list_filter: ClassVar[list[str]] = ["status", "document_type", "kind", "currency", "customer"]
    search_fields = ("number", "customer__code", "customer__legal_name")
    list_select_related = ("customer",)
    list_filter_submit = False
    actions_detail: ClassVar[list[str]] = [
        "approve_figures",
        "finalize_now",
        "hold_back",
        "release_hold",
        "repair_draft",
        "discard_draft",
        "give_back",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        return super().get_queryset(request).prefetch_related("holds")

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """What waits for a person comes first."""
        return [URGENCY.asc(), "-period_end", "customer__code"]

    def get_urls(self) -> list[URLPattern]:
        # Only this one may stand in a frame: the page of its invoice shows it.
        view = xframe_options_sameorigin(self.admin_site.admin_view(self.pdf_view))
        own = [
            path("<int:invoice_id>/pdf/", view, name="cycle_invoice_pdf"),
            path(
                "<int:invoice_id>/comment/", self.admin_site.admin_view(self.add_comment), name="cycle_invoice_comment"
            ),
            path("queue/", self.admin_site.admin_view(self.show_queue), name="cycle_invoice_queue"),
            path("decide/", self.admin_site.admin_view(self.decide_many), name="cycle_invoice_decide"),
        ]
        return [*own, *super().get_urls()]

    def show_queue(self, request: HttpRequest) -> HttpResponse:
        """What waits of all customers, the unusual first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return queue_page.show(request, context=self._context(request))

    def decide_many(self, request: HttpRequest) -> HttpResponse:
        """Approve, hold or release what is ticked in the queue."""
        return queue_page.decide(request, context=self._context(request))

    def add_comment(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """Keep a remark under the invoice."""
        if request.method != "POST" or not roles.has_role(request.user, comment.WRITERS):
            raise PermissionDenied
        form = CommentForm(request.POST)
        text = form.cleaned_data["text"] if form.is_valid() else ""
        try:
            comment.add_comment(invoice_id=invoice_id, text=text, actor=request.user, at=timezone.now())
        except NotFoundError as error:
            raise Http404(error.message) from error
        except DomainError as error:
            messages.error(request, f"Nothing was kept. {error.message}")
        return redirect(reverse("admin:cycle_invoice_change", args=[invoice_id]) + "#comments")

    def _context(self, request: HttpRequest) -> dict[str, Any]:
        return self.admin_site.each_context(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of one invoice; the form of the admin gives way to a reading of the figures."""
        invoice = self.get_object(request, object_id)
        context = page.page_context(invoice) if invoice and self.has_view_permission(request, invoice) else {}
        if context:
            context["may_comment"] = roles.has_role(request.user, comment.WRITERS)
            context["may_pay"] = roles.has_role(request.user, [Role.FINANCE])
        response = super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})
        if isinstance(response, TemplateResponse) and context:
            response.template_name = "cycle/invoice_page.html"
        return response

    def get_fields(self, request: HttpRequest, obj: Invoice | None = None) -> list[str]:
        return []  # no form: see change_view

    def pdf_view(self, request: HttpRequest, invoice_id: int) -> HttpResponse:
        """The stored PDF of a final invoice, or a preview of the draft as it would print."""
        invoice = get_object_or_404(Invoice, pk=invoice_id)
        if not self.has_view_permission(request, invoice):
            return HttpResponse("Your role does not allow this.", status=403, content_type="text/plain")
        try:
            document = pdf.invoice_pdf(invoice=invoice)
        except DomainError as error:
            return HttpResponse(error.message, status=error.http_status, content_type="text/plain")
        headers = {"Content-Disposition": f'inline; filename="{document.file_name}"'}
        return HttpResponse(document.content, content_type="application/pdf", headers=headers)

    # Which decision is open now: the role and the table of states, asked once more by the stage itself.

    def _may(self, request: HttpRequest, object_id: str | None, to_status: str, *from_statuses: str) -> bool:
        if not roles.has_role(request.user, [Role.FINANCE]):
            return False
        status = Invoice.objects.filter(pk=object_id or 0).values_list("status", flat=True).first()
        return status in from_statuses and lifecycle.is_allowed(status, to_status)

    def has_hold_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, object_id, Status.HELD, Status.DRAFT, Status.APPROVED)

    def has_release_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, object_id, Status.DRAFT, Status.HELD)

    def has_approve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, object_id, Status.APPROVED, Status.DRAFT)

    def has_finalize_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, object_id, Status.FINAL, Status.APPROVED)

    def has_discard_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self._may(request, object_id, Status.DISCARDED, Status.DRAFT, Status.HELD)

    def has_repair_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Where a break holds it; the page of the break offers the same."""
        broken = Break.objects.filter(
            invoice=int(object_id or 0), closed_at=None, invoice__status__in=["draft", "held"]
        )
        return roles.has_role(request.user, [Role.FINANCE]) and broken.exists()

    def has_credit_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        if not roles.has_role(request.user, [Role.FINANCE]):
            return False
        issued = Invoice.objects.filter(pk=object_id or 0, status=Status.FINAL, document_type=DocumentType.INVOICE)
        return issued.exists()

    @action(
        description="Approve these figures",
        permissions=["approve"],
        variant=ActionVariant.PRIMARY,
        icon="check_circle",
        dialog={
            "title": "Approve these figures",
            "description": "You approve exactly the figures on this page, and only they can be finalized.",
            "form_class": ApproveForm,
            "form_submit_text": "Approve",
        },
    )
    def approve_figures(self, request: HttpRequest, form: ApproveForm, object_id: str) -> HttpResponse:
        """Approve, and say whether that was enough."""
        try:
            invoice = approve.approve_invoice(
                invoice_id=int(object_id),
                content_hash=form.cleaned_data["content_hash"],
                actor=request.user,
                at=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, APPROVED if invoice.status == Status.APPROVED else FIRST_OF_TWO)
        return HttpResponse(headers={"HX-Redirect": reverse("admin:cycle_invoice_change", args=[object_id])})

    @action(
        description="Finalize",
        permissions=["finalize"],
        variant=ActionVariant.PRIMARY,
        icon="verified",
        dialog={
            "title": "Finalize this invoice",
            "description": "It gets its number, its PDF is made, and it can never be changed again.",
            "form_class": ConfirmForm,
            "form_submit_text": "Finalize",
        },
    )
    def finalize_now(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            lambda: finalize.finalize_invoice(invoice_id=int(object_id), actor=request.user, at=timezone.now()),
            "Final. The PDF is being made.",
        )

    @action(
        description="Hold",
        permissions=["hold"],
        icon="pause_circle",
        dialog={
            "title": "Hold this invoice",
            "description": "It stays as it is and cannot be finalized until a colleague releases it.",
            "form_class": HoldForm,
            "form_submit_text": "Hold",
        },
    )
    def hold_back(self, request: HttpRequest, form: HoldForm, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            lambda: hold.hold_invoice(invoice_id=int(object_id), **form.said(), actor=request.user, at=timezone.now()),
            "Held.",
        )

    @action(
        description="Release",
        permissions=["release"],
        variant=ActionVariant.PRIMARY,
        icon="play_circle",
        dialog={
            "title": "Release this invoice",
            "description": "Say what was checked. Whoever placed a hold cannot release it.",
            "form_class": ReleaseForm,
            "form_submit_text": "Release",
        },
    )
    def release_hold(self, request: HttpRequest, form: ReleaseForm, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            lambda: hold.release_invoice(
                invoice_id=int(object_id), **form.said(), actor=request.user, at=timezone.now()
            ),
            "Released. It is a draft again.",
        )

    @action(
        description="Discard",
        permissions=["discard"],
        icon="delete_sweep",
        dialog={
            "title": "Discard this draft",
            "description": "The next close of this period counts and rates its usage afresh.",
            "form_class": ReasonForm,
            "form_submit_text": "Discard",
        },
    )
    def discard_draft(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            lambda: discard.discard_invoice(
                invoice_id=int(object_id), reason=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            "Discarded.",
        )

    @action(
        description="Repair and draft again",
        permissions=["repair"],
        icon="build",
        dialog={
            "title": "Repair and draft again",
            "description": (
                "First put the events right at their source. Then this draft is discarded, what changed is counted and"
                " rated afresh, and a new draft takes its place, which a colleague approves."
            ),
            "form_class": ReasonForm,
            "form_submit_text": "Repair",
        },
    )
    def repair_draft(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        """Leads to the fresh draft, or back to this page with what was in the way."""
        try:
            fresh = repair.repair_invoice(
                invoice_id=int(object_id),
                reason=form.cleaned_data["reason"],
                actor=request.user,
                at=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, error.message)
            return HttpResponse(headers={"HX-Redirect": reverse("admin:cycle_invoice_change", args=[object_id])})
        messages.success(request, "This is the fresh draft; the one before it was discarded.")
        return HttpResponse(headers={"HX-Redirect": reverse("admin:cycle_invoice_change", args=[fresh.pk])})

    @action(
        description="Credit note",
        permissions=["credit"],
        icon="undo",
        dialog={
            "title": "Give this invoice back",
            "description": "A credit note is drafted, with its report. A colleague approves both, never you.",
            "form_class": CreditForm,
            "form_submit_text": "Draft the credit note",
        },
    )
    def give_back(self, request: HttpRequest, form: CreditForm, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            lambda: credit_note.ask_for_credit(
                invoice_id=int(object_id),
                reason=form.cleaned_data["reason"],
                amounts=form.amounts(),
                actor=request.user,
                at=timezone.now(),
            ),
            "The credit note is drafted and waits for a colleague.",
        )

    def _decide(self, request: HttpRequest, object_id: str, call: Any, success: str) -> HttpResponse:
        back_to = reverse("admin:cycle_invoice_change", args=[object_id])
        return answer_dialog(request, call=call, success=success, back_to=back_to)

    @display(description="Invoice")
    def name(self, invoice: Invoice) -> str:
        return str(invoice)

    @display(description="Period", ordering="period_end")
    def period(self, invoice: Invoice) -> str:
        return wording.period_text(invoice)

    @display(description="Status", label=TONES, ordering="status")
    def status_label(self, invoice: Invoice) -> tuple[str, str]:
        return invoice.status, invoice.get_status_display()

    @display(description="Total", ordering="total")
    def amount(self, invoice: Invoice) -> str:
        return format_html('<span class="bo-money">{}</span>', wording.total_text(invoice))

    @display(description="Waiting for")
    def why_held(self, invoice: Invoice) -> str:
        open_holds = [hold.reason for hold in invoice.holds.all() if hold.released_at is None]
        waiting = {Status.DRAFT: "Review", Status.APPROVED: "Finalizing"}
        return "; ".join(open_holds) or waiting.get(Status(invoice.status), "")
