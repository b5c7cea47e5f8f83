"""Months of raw events that were put away into files."""

import pgtrigger
from django.db import models
from django.db.models import F, Q

from metering.models.guards import NO_TRUNCATE


class EventArchive(models.Model):
    """A file that holds the raw events of a month in place of the table; they are counted and traced from there."""

    month = models.DateField(help_text="Its first day; a month may be put away more than once, with what came since.")
    file_name = models.CharField(max_length=200, unique=True)
    file_sha256 = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, help_text="SHA-256 over every column of every row, in the file's order.")
    event_count = models.BigIntegerField()
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    detached_at = models.DateTimeField()
    attached_at = models.DateTimeField(null=True, help_text="Set once, when the rows went back into the table.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(event_count__gt=0, first_seq__lte=F("last_seq")), name="metering_archive_has_events"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="archive_is_fixed", exclude=["attached_at"]),
            pgtrigger.Protect(
                name="attached_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__attached_at__isnull=False)
            ),
            pgtrigger.Protect(name="archive_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return self.file_name
