"""The audit chain, as it is."""

from typing import ClassVar

from django.contrib import admin

from accounts.backoffice import BackOfficeAdmin
from core.models import AuditEntry


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
        "facts",
        "recorded_at",
        "previous_hash",
        "entry_hash",
    ]
