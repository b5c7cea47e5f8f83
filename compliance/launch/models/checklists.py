"""How old proofs may be and who answers for them, in versions that two people agree on."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import APPEND_ONLY, AuditEntry

_BY_ANOTHER_PERSON = """
    IF NEW.person_id = (SELECT proposed_by_id FROM launch_checklistversion WHERE id = NEW.checklist_id) THEN
        RAISE EXCEPTION 'whoever proposed a checklist does not approve it'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class ChecklistVersion(models.Model):
    """The rule of every box. The highest version that is approved counts; the first comes with the product."""

    version = models.PositiveIntegerField(unique=True)
    terms = models.JSONField(help_text="`{box: {max_age_hours, owner}}`")
    reason = models.TextField(help_text="Why it is proposed.")
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(version=1, proposed_by=None) | Q(version__gt=1, proposed_by__isnull=False),
                name="launch_checklist_author",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="launch_checklist_reason"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"checklist version {self.version}"


class ChecklistApproval(models.Model):
    """A second person lets a version count."""

    checklist = models.OneToOneField(ChecklistVersion, on_delete=models.PROTECT, related_name="approval")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="by_another_person", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_BY_ANOTHER_PERSON
            ),
        ]

    def __str__(self) -> str:
        return f"{self.checklist} approved"
