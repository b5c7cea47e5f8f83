"""Due times and owners as versioned data; each dispute keeps the version under which it was opened."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from compliance.disputes.rules import due
from core.models import APPEND_ONLY, AuditEntry

OWNERS = [("ops", "Operations"), ("engineering", "Engineering"), ("finance", "Finance")]


class DisputePolicy(models.Model):
    """The newest version counts for disputes that are opened; migrations write the first."""

    version = models.PositiveIntegerField(unique=True)
    evidence_hours = models.PositiveIntegerField(help_text="Until the evidence is rebuilt and the path is decided.")
    decision_hours = models.PositiveIntegerField(help_text="Until operations decide, where the bill is reproduced.")
    repair_hours = models.PositiveIntegerField(help_text="Until engineering says what broke, where it is not.")
    correction_hours = models.PositiveIntegerField(help_text="Until the correction of an upheld dispute is issued.")
    update_hours = models.PositiveIntegerField(help_text="After which the customer is to hear of it again.")
    ops_owner = models.CharField(max_length=20, choices=OWNERS)
    engineering_owner = models.CharField(max_length=20, choices=OWNERS)
    correction_owner = models.CharField(max_length=20, choices=OWNERS)
    reason = models.TextField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField(null=True)
    audit_entry = models.OneToOneField(AuditEntry, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name_plural = "dispute policies"
        ordering = ["-version"]
        constraints = [
            models.CheckConstraint(
                condition=Q(**{f"{name}__range": (1, due.HOURS_MAX) for name in due.HOURS}),
                name="disputes_policy_hours",
            ),
            models.CheckConstraint(
                condition=Q(**{f"{name}__in": list(due.OWNER_ROLES) for name in due.OWNERS}),
                name="disputes_policy_owners",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="disputes_policy_reason"),
            models.CheckConstraint(
                condition=Q(version=1, set_by=None, set_at=None, audit_entry=None)
                | Q(version__gt=1, set_by__isnull=False, set_at__isnull=False, audit_entry__isnull=False),
                name="disputes_policy_set_by",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"Dispute policy, version {self.version}"

    @property
    def terms(self) -> due.Terms:
        return due.Terms(**{name: getattr(self, name) for name in (*due.HOURS, *due.OWNERS)})
