"""Plans, charges, immutable price versions, tax rates and subscriptions."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts import validators
from accounts.models import Customer
from core import knowing
from core.models import APPEND_ONLY
from invoicing.pricing.models.proposals import INSTANTS, Proposal, proposal_checks, proposal_triggers
from invoicing.pricing.rules import params as price_params
from metering.models import IdRange, Meter, TimeRange

# Run at commit, so that a change of plan may shorten one phase and add the next in any order.
PHASES_TILE = """
    IF EXISTS (
        SELECT 1
        FROM (
            SELECT starts_at, ends_at,
                   lag(ends_at) OVER (ORDER BY starts_at) AS before_ends_at,
                   lag(starts_at) OVER (ORDER BY starts_at) IS NULL AS is_first,
                   lead(starts_at) OVER (ORDER BY starts_at) IS NULL AS is_last
            FROM pricing_subscriptionphase WHERE subscription_id = {subscription}
        ) AS phase
        JOIN pricing_subscription AS subscription ON subscription.id = {subscription}
        WHERE (is_first AND phase.starts_at <> subscription.starts_at)
           OR (is_last AND phase.ends_at IS DISTINCT FROM subscription.ends_at)
           OR (NOT is_first AND before_ends_at IS DISTINCT FROM phase.starts_at)
    ) OR NOT EXISTS (SELECT 1 FROM pricing_subscriptionphase WHERE subscription_id = {subscription})
    THEN
        RAISE EXCEPTION 'the phases of subscription % do not tile it', {subscription}
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (
        SELECT count(DISTINCT (plan.currency, plan.interval, plan.interval_count))
        FROM pricing_subscriptionphase AS phase JOIN pricing_plan AS plan ON plan.id = phase.plan_id
        WHERE phase.subscription_id = {subscription}
    ) > 1
    THEN
        RAISE EXCEPTION 'the plans of subscription % differ in currency or interval', {subscription}
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""


def phases_tile(*, subscription: str) -> pgtrigger.Trigger:
    """The plans of a subscription follow each other without gap or overlap, in one currency and one interval."""
    return pgtrigger.Trigger(
        name="phases_tile",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update,
        timing=pgtrigger.Deferred,
        func=PHASES_TILE.replace("{subscription}", subscription),
    )


class Plan(models.Model):
    """An offer: how often it bills, and in which currency; its versions say the terms that may change."""

    class Interval(models.TextChoices):
        DAY = "day", "Day"
        WEEK = "week", "Week"
        MONTH = "month", "Month"
        QUARTER = "quarter", "Quarter"
        YEAR = "year", "Year"

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    currency = models.CharField(max_length=3, validators=[validators.check_currency])
    interval = models.CharField(max_length=10, choices=Interval.choices, default=Interval.MONTH)
    interval_count = models.PositiveSmallIntegerField(
        default=1, help_text="Intervals in a billing period: 30 of a day each, 2 weeks, 6 months."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(interval__in=["day", "week", "month", "quarter", "year"]),
                name="pricing_plan_interval",
            ),
            models.CheckConstraint(condition=Q(interval_count__range=(1, 366)), name="pricing_plan_interval_count"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="terms_are_fixed",
                fields=["code", "currency", "interval", "interval_count"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    @property
    def bills_every(self) -> str:
        """Month, or 30 days."""
        name = Plan.Interval(self.interval).label.lower()
        return name if self.interval_count == 1 else f"{self.interval_count} {name}s"


class Charge(models.Model):
    """One thing a plan charges for: a meter's usage, or a flat fee when it names no meter."""

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="charges")
    code = models.CharField(max_length=60, validators=[validators.CODE])
    name = models.CharField(max_length=120, help_text="Printed on the invoice line.")
    meter = models.ForeignKey(Meter, null=True, blank=True, on_delete=models.PROTECT, related_name="charges")
    history = HistoricalRecords()

    class Meta:
        ordering = ["plan", "id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "code"], name="pricing_charge_code"),
            models.UniqueConstraint(
                fields=["plan", "meter"],
                condition=Q(meter__isnull=False),
                name="pricing_charge_meter_once",
            ),
        ]
        triggers = [pgtrigger.ReadOnly(name="subject_is_fixed", fields=["plan", "code", "meter"])]

    def __str__(self) -> str:
        return f"{self.plan.code} / {self.name}"


class PriceVersion(Proposal):
    """The price of one charge from an instant on; never changed, only followed by the next version.

    Of approved versions with one effective instant the highest counts: that is how a price still ahead is corrected.
    """

    class ModelName(models.TextChoices):
        FLAT = "flat", "Flat fee"
        STANDARD = "standard", "Per unit"
        GRADUATED = "graduated", "Graduated"
        VOLUME = "volume", "Volume"
        PACKAGE = "package", "Package"
        GRADUATED_PACKAGE = "graduated_package", "Graduated packages"
        VOLUME_PACKAGE = "volume_package", "Volume packages"
        PERCENTAGE = "percentage", "Percentage"
        GRADUATED_PERCENTAGE = "graduated_percentage", "Graduated percentage"
        DYNAMIC = "dynamic", "Amount of the event"
        BUCKETED = "bucketed", "By time bucket"
        DIMENSIONAL = "dimensional", "By properties"
        FEE_PROGRAM = "fee_program", "Fee program"
        COMMITMENT = "commitment", "Minimum or maximum of the plan"
        PLAN_DISCOUNT = "plan_discount", "Discount on the plan"
        PREPAID_CREDITS = "prepaid_credits", "Credits of the plan"

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="price_versions")
    model = models.CharField(max_length=20, choices=ModelName.choices)
    params = models.JSONField(help_text="Shapes of `POST rating/preview`; numbers as decimal strings.")

    class Meta:
        ordering = ["charge", "effective_at", "version"]
        constraints = [
            models.UniqueConstraint(fields=["charge", "version"], name="pricing_price_version"),
            models.CheckConstraint(
                condition=Q(model__in=list(price_params.READERS)),
                name="pricing_price_model",
            ),
            *proposal_checks("pricing_price"),
        ]
        triggers = proposal_triggers(["charge", "model", "params"])

    def __str__(self) -> str:
        return f"{self.charge} v{self.version}"


class TaxRate(models.Model):
    """A tax category and percentage from an instant on (EN 16931 categories); versioned like prices.

    Of rates with one effective instant the one entered last counts.
    """

    class Category(models.TextChoices):
        STANDARD = "S", "Standard rate"
        ZERO = "Z", "Zero rated"
        EXEMPT = "E", "Exempt"
        REVERSE_CHARGE = "AE", "Reverse charge"
        OUTSIDE = "O", "Outside the scope of tax"

    code = models.CharField(max_length=40, validators=[validators.CODE])
    name = models.CharField(max_length=80, help_text="Printed on the invoice, such as VAT.")
    category = models.CharField(max_length=2, choices=Category.choices)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    effective_at = models.DateTimeField()
    note = models.CharField(
        max_length=200,
        blank=True,
        help_text="Reason of an exemption or reverse charge.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["code", "effective_at", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(effective_at__range=INSTANTS), name="pricing_tax_instant"),
            models.CheckConstraint(condition=Q(percent__range=("0", "100")), name="pricing_tax_percent"),
            models.CheckConstraint(
                condition=Q(category="S", percent__gt=0) | (Q(category__in=["Z", "E", "AE", "O"]) & Q(percent=0)),
                name="pricing_tax_category",
            ),
        ]
        triggers = [*APPEND_ONLY, knowing.agreed_after_readers(field="created_at")]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f}% ({self.code})"


class Subscription(models.Model):
    """A customer on a plan; its phases say which plan when."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="subscriptions")
    anchor_date = models.DateField(help_text="Local date that billing periods are counted from.")
    time_zone = models.CharField(
        max_length=60,
        validators=[validators.check_time_zone],
        help_text="The customer's when it began; periods never move, even where the customer does.",
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    history = HistoricalRecords()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="pricing_subscription_span",
            ),
            models.CheckConstraint(condition=Q(starts_at__range=INSTANTS), name="pricing_subscription_start"),
            models.CheckConstraint(condition=~Q(time_zone=""), name="pricing_subscription_zone"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="start_is_fixed", fields=["customer", "anchor_date", "time_zone", "starts_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            phases_tile(subscription="NEW.id"),
        ]

    def __str__(self) -> str:
        return f"{self.customer.code} since {self.starts_at:%Y-%m-%d}"


class SubscriptionPhase(models.Model):
    """The plan of a subscription between two instants; a change of plan ends one phase and starts the next."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="phases")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="phases")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    history = HistoricalRecords()

    class Meta:
        ordering = ["subscription", "starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="pricing_phase_span",
            ),
            ExclusionConstraint(
                name="pricing_phase_no_overlap",
                expressions=[
                    (IdRange("subscription"), RangeOperators.EQUAL),
                    (TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="terms_are_fixed", fields=["subscription", "plan", "starts_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            phases_tile(subscription="NEW.subscription_id"),
        ]

    def __str__(self) -> str:
        return f"{self.plan.code} from {self.starts_at:%Y-%m-%d}"
