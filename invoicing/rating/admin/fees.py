"""Fee programs: versions side by side, a tester, and what they will have cost by the end of the period."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts.backoffice import HistoryAdmin, answer_dialog
from invoicing.pricing import fee_programs
from invoicing.pricing.backoffice import DECISION, ProposalAdmin
from invoicing.pricing.fee_programs import Source
from invoicing.pricing.models import FeeProgram, FeeProgramVersion
from invoicing.pricing.proposals import AUTHORS
from invoicing.rating.admin import fee_page
from invoicing.rating.admin.forms import FeeVersionForm


@admin.register(FeeProgram)
class FeeProgramAdmin(HistoryAdmin):
    """Name and description may be edited; figures are followed by new versions, proposed in a dialog."""

    change_roles = AUTHORS
    list_display = ("code", "name", "takes_effect", "version_count")
    search_fields = ("code", "name")
    fields = ("code", "name", "description", "takes_effect")
    change_form_outer_after_template = "rating/fee_program.html"
    actions_detail: ClassVar[list[str]] = ["new_version"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("versions")

    def get_readonly_fields(self, request: HttpRequest, obj: FeeProgram | None = None) -> list[Any]:
        return [] if obj is None else ["code", "takes_effect"]

    def save_model(self, request: HttpRequest, obj: FeeProgram, form: Any, change: bool) -> None:  # noqa: FBT001  Django's signature
        """A new program is made by its stage, which asks for the role."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made = fee_programs.create_program(**form.cleaned_data, actor=request.user, at=timezone.now())
        obj.pk = made.pk

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below the words stand the versions, the tester and the projections."""
        program = self.get_object(request, object_id)
        shown = {} if program is None else fee_page.page_context(program, asked=request.GET, at=timezone.now())
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @display(description="Versions")
    def version_count(self, program: FeeProgram) -> str:
        states = [version.get_status_display().lower() for version in program.versions.all()]
        return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "none yet"

    @action(
        description="New version",
        permissions=["change"],
        variant=ActionVariant.PRIMARY,
        icon="price_change",
        dialog={
            "title": "Propose new figures",
            "description": "They count from their instant on, once somebody else in finance has approved them.",
            "form_class": FeeVersionForm,
            "form_submit_text": "Propose",
        },
    )
    def new_version(self, request: HttpRequest, form: FeeVersionForm, object_id: str) -> HttpResponse:
        program = get_object_or_404(FeeProgram, pk=object_id)
        given = form.cleaned_data
        source = Source(
            text=given["source"], read_on=given["source_date"], kind=given["source_kind"], note=given["note"]
        )
        return answer_dialog(
            request,
            call=lambda: fee_programs.propose_version(
                program=program,
                terms=given["terms"],
                source=source,
                effective_at=given["effective_at"],
                actor=request.user,
                at=timezone.now(),
            ),
            success="The version is proposed; somebody else in finance has to approve it.",
            back_to=reverse("admin:pricing_feeprogram_change", args=[object_id]),
        )


@admin.register(FeeProgramVersion)
class FeeProgramVersionAdmin(ProposalAdmin):
    """Read only; new versions are proposed on the page of their program."""

    approve_version = staticmethod(fee_programs.approve_version)
    withdraw_version = staticmethod(fee_programs.withdraw_version)
    list_display = ("program", "version", "status_label", "effective_at", "source_date", "created_by", "decided_by")
    list_filter = ("status", "source_kind")
    list_select_related = ("program", "created_by", "decided_by")
    search_fields = ("program__code", "program__name", "source")
    fields: ClassVar[Any] = (
        "program",
        "version",
        "effective_at",
        "figures",
        "source",
        "source_date",
        "source_kind",
        "note",
        *DECISION,
    )
    readonly_fields = fields

    @display(description="Figures")
    def figures(self, version: FeeProgramVersion) -> SafeString:
        return format_html('<div class="bo-mono">{}</div>', fee_page.figures_text(version))
