"""The audit chain as it is, and where signed heads of it were put."""

import json
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.backoffice import BackOfficeAdmin
from core import anchors, heads, personal_keys
from core.models import AuditAnchor, AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(BackOfficeAdmin):
    """Nothing here is made or changed by hand; the database refuses it too."""

    list_display = ("reference", "action", "subject", "actor", "recorded_at")
    list_filter = ("action",)
    search_fields = ("reference", "subject", "actor__username")
    ordering = ("-id",)
    list_select_related = ("actor",)
    fields: ClassVar[list[str]] = [
        "reference",
        "action",
        "subject",
        "actor",
        "what_it_says",
        "recorded_at",
        "form",
        "content_hash",
        "previous_hash",
        "entry_hash",
    ]
    readonly_fields: ClassVar[list[str]] = ["what_it_says"]

    @admin.display(description="Facts")
    def what_it_says(self, entry: AuditEntry) -> str:
        """Names of persons are sealed in the chain and opened here, for as long as their keys exist."""
        return json.dumps(personal_keys.open_within(entry.facts), ensure_ascii=False, sort_keys=True)


@admin.register(AuditAnchor)
class AuditAnchorAdmin(BackOfficeAdmin):
    """What was put where and when; the chain must contain every one of these."""

    list_display = ("entry", "place", "kind", "placed_at", "entry_hash")
    list_filter = ("kind",)
    list_select_related = ("head",)
    ordering = ("-id",)
    fields: ClassVar[list[str]] = ["entry", "entry_hash", "kind", "place", "placed_at", "public_key", "signature"]
    readonly_fields: ClassVar[list[str]] = fields

    @admin.display(description="Chain up to entry", ordering="head__number")
    def entry(self, anchor: AuditAnchor) -> str:
        return f"{anchor.head.number:,}"

    @admin.display(description="Hash of that entry")
    def entry_hash(self, anchor: AuditAnchor) -> str:
        return anchor.head.entry_hash

    @admin.display(description="Public key")
    def public_key(self, anchor: AuditAnchor) -> str:
        return anchor.head.public_key

    @admin.display(description="Signature")
    def signature(self, anchor: AuditAnchor) -> str:
        return anchor.head.signature

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        """Say where heads are put, so that a chain without a place outside does not look like one with."""
        places = ", ".join(place for _, place in anchors.places())
        if places:
            messages.info(request, f"Every hour to {places}, signed by the key {heads.public_key()}.")
        else:
            messages.warning(request, "No place is configured (AUDIT_ANCHOR_…): a tail cut off would not be found.")
        response: HttpResponseBase = super().changelist_view(request, extra_context)
        return response
