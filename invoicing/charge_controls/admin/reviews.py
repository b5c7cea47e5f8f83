"""Credit reviews: what charge controls asked people to look at."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from core import money
from invoicing.charge_controls import reviews
from invoicing.charge_controls.admin.forms import ReasonForm
from invoicing.charge_controls.models import CreditReview


@admin.register(CreditReview)
class CreditReviewAdmin(BackOfficeAdmin):
    """Read and resolved; nothing is edited."""

    list_display = ("opened_at", "customer", "why", "status_label", "resolved_by")
    list_filter: ClassVar[list[str]] = ["status"]
    list_select_related = ("customer", "firing__policy", "resolved_by")
    search_fields = ("customer__code", "customer__legal_name")
    fields = ("customer", "status", "why", "opened_at", "figures", "resolved_by", "resolved_at", "resolution")
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["resolve"]

    def has_resolve_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        text = str(object_id)
        is_open = text.isdecimal() and CreditReview.objects.filter(pk=int(text), status="open").exists()
        return bool(is_open) and roles.has_role(request.user, reviews.REVIEWERS)

    @display(description="Status", label={"open": "warning", "resolved": "success"})
    def status_label(self, review: CreditReview) -> tuple[str, str]:
        return review.status, review.get_status_display()

    @display(description="Why")
    def why(self, review: CreditReview) -> str:
        firing = review.firing
        exposure, line = (
            f"{money.amount_text(amount, currency=firing.currency)} {firing.currency}"
            for amount in (firing.exposure, firing.line)
        )
        return f"{exposure} reached {line}, by {firing.policy}"

    @display(description="Figures that decided")
    def figures(self, review: CreditReview) -> SafeString:
        return render_to_string("charge_controls/figures.html", {"figures": review.firing.inputs.items()})

    @action(
        description="Resolve",
        permissions=["resolve"],
        variant=ActionVariant.PRIMARY,
        icon="task_alt",
        dialog={
            "title": "Resolve this review",
            "description": "Say what came of it. Usage was never held by it.",
            "form_class": ReasonForm,
            "form_submit_text": "Resolve",
        },
    )
    def resolve(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: reviews.resolve_review(
                review_id=int(object_id), resolution=form.cleaned_data["reason"], actor=request.user, at=timezone.now()
            ),
            success="Resolved.",
            back_to=reverse("admin:charge_controls_creditreview_change", args=[object_id]),
        )
