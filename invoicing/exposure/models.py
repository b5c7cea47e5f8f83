"""What each customer owes or will owe, in one currency, as last looked at; and how it stood at the end of each day."""

from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from invoicing.pricing.models import FeeProgram, Subscription

_BOUNDS = ("-1e15", "1e15")


class Exposure(models.Model):
    """One customer in one currency: usage not billed yet, drafts, and what final invoices leave open.

    Brought up to date in place; firings keep the figures that they were decided by.
    """

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="exposures")
    currency = models.CharField(max_length=3)
    unbilled = models.DecimalField(
        max_digits=20,
        decimal_places=4,
        help_text="Invoices of running periods and of ended ones without a draft, if nothing more were used.",
    )
    drafted = models.DecimalField(max_digits=20, decimal_places=4, help_text="Drafts, held and approved invoices.")
    unpaid = models.DecimalField(
        max_digits=20, decimal_places=4, help_text="What the books say is owed for final invoices."
    )
    total = models.DecimalField(max_digits=20, decimal_places=4)
    projected = models.DecimalField(
        max_digits=20,
        decimal_places=4,
        help_text="Invoices of the running periods at their ends, if usage goes on as it did so far.",
    )
    elapsed = models.DecimalField(
        max_digits=7, decimal_places=6, help_text="Of the running periods, the share that has passed: 0 to 1."
    )
    past = models.JSONField(help_text="Totals of the latest final invoices of whole periods, the newest first.")
    usage = models.JSONField(help_text="Per meter in the running period: quantity, what is included, when it ends.")
    inputs = models.JSONField(help_text="What the figures are made of, line by line.")
    is_behind = models.BooleanField(help_text="The sums of a new way to read usage are still being caught up.")
    is_complete = models.BooleanField(help_text="Nothing is behind, and everything has a price and a tax.")
    recount_at = models.DateTimeField(
        null=True, help_text="When a long window that sums cannot tell is counted anew; empty where there is none."
    )
    as_of = models.DateTimeField()
    watermark_seq = models.BigIntegerField(help_text="Every accepted event up to this one is in.")

    class Meta:
        ordering = ["-total", "customer"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "currency"], name="exposure_once"),
            models.CheckConstraint(
                condition=Q(total=F("unbilled") + F("drafted") + F("unpaid")), name="exposure_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(unbilled__range=_BOUNDS, drafted__range=_BOUNDS, unpaid__range=_BOUNDS),
                name="exposure_bounds",
            ),
            models.CheckConstraint(condition=Q(elapsed__range=(Decimal(0), Decimal(1))), name="exposure_elapsed"),
            models.CheckConstraint(condition=Q(watermark_seq__gte=0), name="exposure_watermark"),
        ]
        indexes = [
            models.Index(fields=["as_of"], name="exposure_as_of"),
            models.Index(fields=["recount_at"], condition=Q(recount_at__isnull=False), name="exposure_recount"),
        ]

    def __str__(self) -> str:
        return f"{self.customer.code} {self.currency}"


class ExposureDay(models.Model):
    """How an exposure stood when it was last looked at on a day (UTC): the customer's own past."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    day = models.DateField()
    unbilled = models.DecimalField(max_digits=20, decimal_places=4)
    total = models.DecimalField(max_digits=20, decimal_places=4)
    as_of = models.DateTimeField()

    class Meta:
        ordering = ["-day"]
        constraints = [models.UniqueConstraint(fields=["customer", "currency", "day"], name="exposure_day_once")]

    def __str__(self) -> str:
        return f"{self.customer.code} {self.currency} {self.day}"


class ProgramCost(models.Model):
    """What a fee program will have cost by the end of a running period, by the sums of what was sent so far."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    program = models.ForeignKey(FeeProgram, on_delete=models.PROTECT, related_name="+")
    charge_code = models.CharField(max_length=60)
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    so_far = models.DecimalField(max_digits=20, decimal_places=4)
    at_end = models.DecimalField(max_digits=20, decimal_places=4)
    active_accounts = models.PositiveIntegerField()
    expected_accounts = models.PositiveIntegerField()
    as_of = models.DateTimeField()
    watermark_seq = models.BigIntegerField()

    class Meta:
        ordering = ["-period_end", "customer"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "charge_code", "period_start"], name="exposure_program_cost_once"
            ),
            models.CheckConstraint(condition=Q(period_start__lt=F("period_end")), name="exposure_program_cost_period"),
        ]

    def __str__(self) -> str:
        return f"{self.program.code} for {self.customer.code}"


class ExposureProgress(models.Model):
    """Up to which event customers with new usage were found; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=-1, help_text="Below 0 before everybody was looked at once.")
    transition_id = models.BigIntegerField(default=0, help_text="Moves of invoices up to this one were seen.")
    entry_id = models.BigIntegerField(default=0, help_text="Journal entries up to this one were seen.")
    looked_at = models.DateTimeField(help_text="When the last round was made.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="exposure_progress_one")]

    def __str__(self) -> str:
        return f"up to event {self.seq}"
