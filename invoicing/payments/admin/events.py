"""What gateways told: everything is kept, and what nothing followed from is found here."""

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from accounts.backoffice import BackOfficeAdmin
from invoicing.payments.models import GatewayEvent

TONES = {"applied": "success", "nothing_new": "info", "waiting": "warning", "refused": "danger", "unknown": "warning"}


@admin.register(GatewayEvent)
class GatewayEventAdmin(BackOfficeAdmin):
    """Read only."""

    list_display = ("kind", "event_id", "payment_ref", "outcome_label", "detail", "told_at")
    list_filter = ("outcome", "gateway", "kind")
    list_filter_submit = False
    search_fields = ("event_id", "payment_ref")
    fields = (
        "kind",
        "event_id",
        "payment_ref",
        "outcome",
        "detail",
        "created_at",
        "received_at",
        "said",
        "body_sha256",
    )
    readonly_fields: ClassVar[Any] = fields

    @display(description="What came of it", label=TONES, ordering="outcome")
    def outcome_label(self, event: GatewayEvent) -> tuple[str, str]:
        return event.outcome, event.get_outcome_display()

    @display(description="Happened (UTC)", ordering="created_at")
    def told_at(self, event: GatewayEvent) -> str:
        return f"{event.created_at:%d %b %Y %H:%M:%S}"

    @display(description="What it says")
    def said(self, event: GatewayEvent) -> str:
        return format_html("<pre>{}</pre>", json.dumps(event.facts, indent=2))
