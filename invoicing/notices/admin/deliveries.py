"""How notices were delivered: every attempt, and sending one again."""

import json
from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from accounts import roles
from accounts.backoffice import BackOfficeAdmin, answer_dialog
from invoicing.notices import deliver
from invoicing.notices.models import Delivery

TONES = {"delivered": "success", "pending": "warning", "failed": "danger", "not_set_up": "none"}


class SendAgainForm(BaseDialogForm):
    """Nothing is asked."""


@admin.register(Delivery)
class DeliveryAdmin(BackOfficeAdmin):
    """Read only; one that was given up is sent again."""

    list_display = ("told_at", "notice", "channel", "endpoint", "status_label", "sent_to", "finished_at")
    list_filter: ClassVar[list[str]] = ["status", "channel", "notice__topic"]
    list_select_related = ("notice", "endpoint")
    search_fields = ("notice__key", "notice__customer__legal_name", "notice__customer__code")
    fields = ("notice", "channel", "endpoint", "status", "sent_to", "finished_at", "text", "document", "all_attempts")
    readonly_fields = fields
    actions_detail: ClassVar[list[str]] = ["send_again"]

    def has_send_again_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        text = str(object_id)
        failed = text.isdecimal() and Delivery.objects.filter(pk=int(text), status="failed").exists()
        return bool(failed) and roles.has_role(request.user, deliver.SENDERS)

    @display(description="Told", ordering="notice__created_at")
    def told_at(self, delivery: Delivery) -> str:
        return f"{delivery.notice.created_at:%Y-%m-%d %H:%M:%S}"

    @display(description="Status", label=TONES)
    def status_label(self, delivery: Delivery) -> tuple[str, str]:
        return delivery.status, delivery.get_status_display()

    @display(description="Text")
    def text(self, delivery: Delivery) -> str:
        return delivery.notice.text

    @display(description="Document")
    def document(self, delivery: Delivery) -> SafeString:
        return format_html('<pre class="bo-mono">{}</pre>', json.dumps(delivery.notice.document, indent=2))

    @display(description="Attempts")
    def all_attempts(self, delivery: Delivery) -> SafeString:
        return render_to_string("notices/attempts.html", {"delivery": delivery, "attempts": delivery.attempts.all()})

    @action(
        description="Send again",
        permissions=["send_again"],
        variant=ActionVariant.PRIMARY,
        icon="send",
        dialog={
            "title": "Send this notice again",
            "description": "It is tried as often as before, with growing pauses.",
            "form_class": SendAgainForm,
            "form_submit_text": "Send again",
        },
    )
    def send_again(self, request: HttpRequest, form: SendAgainForm, object_id: str) -> HttpResponse:
        return answer_dialog(
            request,
            call=lambda: deliver.send_again(delivery_id=int(object_id), actor=request.user, at=timezone.now()),
            success="It is on its way again.",
            back_to=reverse("admin:notices_delivery_change", args=[object_id]),
        )
