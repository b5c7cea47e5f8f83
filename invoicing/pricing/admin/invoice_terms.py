"""Discounts, charges and roundings on whole invoices, and what was paid before them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import answer_dialog
from core import money
from invoicing.pricing import invoice_terms
from invoicing.pricing.admin.forms import InvoiceTermForm
from invoicing.pricing.backoffice import DECISION, ProposalAdmin
from invoicing.pricing.models import InvoiceTerm
from invoicing.pricing.proposals import AUTHORS


@admin.register(InvoiceTerm)
class InvoiceTermAdmin(ProposalAdmin):
    """Read only; a term is followed by its next version, proposed here and approved by somebody else."""

    approve_version = staticmethod(invoice_terms.approve_invoice_term)
    withdraw_version = staticmethod(invoice_terms.withdraw_invoice_term)
    list_display = ("reason", "figure", "subject", "version", "status_label", "effective_at", "created_by")
    list_filter = ("status", "kind", "plan")
    list_select_related = ("plan", "subscription__customer", "created_by", "decided_by")
    search_fields = ("code", "plan__code", "subscription__customer__code")
    fields: ClassVar[Any] = ("subject", "code", "version", "kind", "reason", "figure", "effective_at", *DECISION)
    readonly_fields = fields
    actions_list: ClassVar[list[str]] = ["new_term"]

    def has_terms_permission(self, request: HttpRequest) -> bool:
        return roles.has_role(request.user, AUTHORS)

    @display(description="Agreed with")
    def subject(self, term: InvoiceTerm) -> str:
        return f"Subscription of {term.subscription}" if term.subscription else f"Everybody on plan {term.plan}"

    @display(description="Figure")
    def figure(self, term: InvoiceTerm) -> str:
        if term.percent is not None:
            return f"{money.plain(term.percent)} % of the lines"
        words: dict[str, str] = {InvoiceTerm.Kind.ROUNDING: "to multiples of ", InvoiceTerm.Kind.PREPAID: "so far "}
        return f"{words.get(term.kind, '')}{money.plain(term.amount)}" if term.amount is not None else ""

    @action(
        description="New term",
        permissions=["terms"],
        variant=ActionVariant.PRIMARY,
        icon="percent_discount",
        dialog={
            "title": "Propose a discount, charge, rounding or payment in advance",
            "description": "It stands on every invoice of the plan or subscription whose period ends after its instant,"
            " once somebody else in finance has approved it. A version of 0 ends it.",
            "form_class": InvoiceTermForm,
            "form_submit_text": "Propose",
        },
    )
    def new_term(self, request: HttpRequest, form: InvoiceTermForm) -> HttpResponse:
        given = {name: value for name, value in form.cleaned_data.items() if not name.startswith("_")}
        subject = given.pop("subscription") or given["plan"]
        del given["plan"]
        return answer_dialog(
            request,
            call=lambda: invoice_terms.propose_invoice_term(
                subject=subject, **given, actor=request.user, at=timezone.now()
            ),
            success="The term is proposed; somebody else in finance has to approve it.",
            back_to=reverse("admin:pricing_invoiceterm_changelist"),
        )
