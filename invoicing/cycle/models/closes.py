"""How far a close has come, and whom it had to leave out."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from core.models import KnownInstant
from invoicing.cycle.models import guards
from invoicing.pricing.models import Subscription
from metering.models import Watermark


class CloseRun(models.Model):
    """One close: what it was asked to do, and what it has done so far, written with each chunk of its work."""

    as_of = models.DateTimeField(help_text="Every period that ended by then is drafted.")
    customer_codes = models.JSONField(null=True, help_text="Only these customers; empty: everybody.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    watermark = models.ForeignKey(
        Watermark, null=True, on_delete=models.PROTECT, related_name="+", help_text="What it counts up to, lately."
    )
    known = models.ForeignKey(
        KnownInstant,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="As of when it reads what was agreed, in all its chunks and attempts.",
    )
    attempts = models.PositiveIntegerField(default=0, help_text="How often a process took it up.")
    reached_customer = models.PositiveBigIntegerField(
        default=0, help_text="It goes by ascending ids of customers, and has looked at all up to this one."
    )
    total = models.PositiveIntegerField(default=0, help_text="Periods to be drafted.")
    done = models.PositiveIntegerField(default=0, help_text="Of these, the ones it has looked at.")
    drafted = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0, help_text="Of the drafts.")
    breaks = models.PositiveIntegerField(default=0)
    adjusted = models.PositiveIntegerField(default=0, help_text="Lines that correct earlier invoices.")
    nothing_to_bill = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0, help_text="Periods whose customers are parked for it.")
    late_waiting = models.PositiveIntegerField(default=0, help_text="Late windows that no draft of this close took in.")
    started_at = models.DateTimeField(null=True, help_text="By PostgreSQL's clock, as the two below.")
    stepped_at = models.DateTimeField(null=True, help_text="When it last came a chunk further.")
    ended_at = models.DateTimeField(null=True)
    stopped_by = models.TextField(blank=True, help_text="Why it ended before it had done everything.")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["as_of"], condition=Q(ended_at=None), name="cycle_closerun_open")]
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="cycle_closerun_done"),
            models.CheckConstraint(
                condition=Q(drafted__lte=F("done"), held__lte=F("drafted"), failed__lte=F("done")),
                name="cycle_closerun_outcomes",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, stopped_by="")
                | (Q(ended_at__isnull=False, started_at__isnull=False) & (~Q(stopped_by="") | Q(done=F("total")))),
                name="cycle_closerun_ended",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="question_is_fixed", fields=["as_of", "customer_codes", "asked_by", "asked_at"]),
            pgtrigger.Protect(
                name="known_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__known__isnull=False) & pgtrigger.Q(old__known__df=pgtrigger.F("new__known")),
            ),
            pgtrigger.Protect(
                name="ended_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__ended_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"Close {self.pk} as of {self.as_of:%Y-%m-%d %H:%M} UTC"

    @property
    def share_done(self) -> int:
        """Percent of its periods that it has looked at."""
        return 100 * self.done // self.total if self.total else 0


class ParkedCustomer(models.Model):
    """A customer whose close failed: why, since when, how often it was tried, and how it ended."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(CloseRun, on_delete=models.PROTECT, related_name="parked", help_text="That failed last.")
    code = models.CharField(max_length=60, help_text="Stable name of what went wrong.")
    reason = models.TextField(help_text="In a sentence, and what to do about it.")
    periods = models.PositiveIntegerField(help_text="How many of its periods could not be drafted.")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="+", help_text="Whose period is the first of them."
    )
    period_start = models.DateTimeField(help_text="The first of them.")
    period_end = models.DateTimeField()
    parked_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1, help_text="Closes that failed since.")
    last_tried_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)
    left_by = models.ForeignKey(
        CloseRun,
        null=True,
        on_delete=models.PROTECT,
        related_name="unparked",
        help_text="The close that had nothing against it any more.",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=Q(left_at=None), name="cycle_parked_once"),
            models.CheckConstraint(condition=~Q(code="") & ~Q(reason=""), name="cycle_parked_with_reason"),
            models.CheckConstraint(
                condition=Q(left_at=None, left_by=None) | Q(left_at__isnull=False, left_by__isnull=False),
                name="cycle_parked_left_by_a_close",
            ),
            models.CheckConstraint(
                condition=Q(period_start__lt=F("period_end"), periods__gte=1, attempts__gte=1),
                name="cycle_parked_facts",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="parking_is_fixed", fields=["customer", "parked_at"]),
            pgtrigger.Protect(
                name="left_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__left_at__isnull=False)
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.customer.legal_name}, since {self.parked_at:%Y-%m-%d}"
