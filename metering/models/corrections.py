"""Which accepted events no longer count, since which correction."""

from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from core.models import APPEND_ONLY
from metering.models.contracts import EventContract


class EventCorrection(models.Model):
    """An accepted event that does not count at any watermark from `since_seq` on; before that, it does.

    A cancellation has a row of its own too, because it never counts.
    """

    class Kind(models.TextChoices):
        AMENDED = "amended", "Amended: the correction counts instead"
        CANCELLED = "cancelled", "Cancelled"
        CANCELS = "cancels", "Is a cancellation"

    seq = models.BigIntegerField(primary_key=True, help_text="The event that does not count.")
    since_seq = models.BigIntegerField(help_text="The correction because of which it does not.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # Of the event that does not count, so that a window is known to be late without a look at its events.
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    contract = models.ForeignKey(
        EventContract, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    occurred_at = models.DateTimeField()
    since_occurred_at = models.DateTimeField(help_text="When the correction happened: the month in which it is kept.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["amended", "cancelled"]) & ~Q(seq=F("since_seq"))
                | Q(kind="cancels", seq=F("since_seq")),
                name="metering_correction_kind",
            ),
            models.UniqueConstraint(
                fields=["since_seq"], condition=~Q(kind="cancels"), name="metering_correction_of_one"
            ),
        ]
        indexes = [
            models.Index(
                fields=["customer", "contract", "occurred_at"],
                include=["seq", "since_seq"],
                name="metering_correction_window",
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"event {self.seq}: {self.get_kind_display()}"
