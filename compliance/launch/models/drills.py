"""Backups that were restored to see whether they can be."""

from django.db import models
from django.db.models import F, Q

from core.models import APPEND_ONLY, AuditEntry


class RestoreDrill(models.Model):
    """A backup restored into a scratch database, and what was found there."""

    made_by = models.CharField(max_length=150, help_text="The account of the machine that ran the command.")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    is_fresh = models.BooleanField(help_text="The backup was taken for the drill; otherwise a file was given.")
    file_name = models.CharField(max_length=300)
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    figures = models.JSONField(
        help_text="`{table: [rows restored, rows live]}`, and the last entry of the audit chain."
    )
    invariants = models.JSONField(help_text="As `check_invariants --json` said in the restored database.")
    flaws = models.JSONField(default=list, help_text="Why it does not count, in sentences; none where it does.")
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(began_at__lte=F("ended_at")), name="launch_drill_time"),
            models.CheckConstraint(condition=Q(sha256__regex="^[0-9a-f]{64}$", size__gt=0), name="launch_drill_file"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"Restore of {self.file_name}"

    @property
    def is_sound(self) -> bool:
        return not self.flaws
