"""Runs: asked for on the page of a version, and read here."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from core.errors import NotAllowedError
from invoicing.effects import run
from invoicing.effects.admin import page
from invoicing.effects.models import EffectRun
from invoicing.pricing.models import PlanVersion, PriceVersion


@admin.register(EffectRun)
class EffectRunAdmin(BackOfficeAdmin):
    """Read only; the page follows a run that is not finished."""

    list_display = ("about", "asked_by", "asked_at", "finished_at")
    list_filter = ("price_version__charge__plan",)
    list_select_related = (
        "price_version__charge__plan",
        "plan_version__plan",
        "move__source",
        "move__target",
        "asked_by",
    )
    fields: ClassVar[Any] = ("about", "asked_by", "asked_at", "finished_at")
    readonly_fields = fields
    change_form_outer_after_template = "effects/run.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        mine = [
            path("ask/price/<int:object_id>/", wrap(require_POST(self.ask_price)), name="effects_effectrun_ask_price"),
            path("ask/terms/<int:object_id>/", wrap(require_POST(self.ask_terms)), name="effects_effectrun_ask_terms"),
        ]
        return [*mine, *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        by_subject = ("price_version__id__exact", "plan_version__id__exact")
        return lookup in by_subject or super().lookup_allowed(lookup, value, request)

    @display(description="About")
    def about(self, asked: EffectRun) -> str:
        return str(asked.subject)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Below stands the table, as far as it is."""
        asked = self.get_object(request, object_id)
        shown = {} if asked is None else page.run_context(asked)
        response = super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})
        if asked is not None and asked.finished_at is None:
            response.headers["Refresh"] = str(page.REFRESH_SECONDS)
        return response

    def ask_price(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._ask(request, get_object_or_404(PriceVersion, pk=object_id))

    def ask_terms(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._ask(request, get_object_or_404(PlanVersion, pk=object_id))

    def _ask(self, request: HttpRequest, subject: PriceVersion | PlanVersion) -> HttpResponse:
        try:
            asked = run.ask(subject=subject, actor=request.user, at=timezone.now())
        except NotAllowedError as error:
            raise PermissionDenied from error
        messages.success(request, "It is being worked out.")
        return redirect("admin:effects_effectrun_change", asked.pk)
