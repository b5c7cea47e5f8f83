"""Credit limits, firings of charge controls, and what follows from them: access and reviews; never an invoice."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts import validators
from accounts.models import Customer
from core.deciding import Kind, refuse_from
from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedTextField
from invoicing.policy.models import TriggerPolicy

PERSON = settings.AUTH_USER_MODEL
NO_TRUNCATE = APPEND_ONLY[1]
ACTIONS = [
    ("hold_usage", "Hold further usage"),
    ("require_review", "Require a review"),
    ("interim_bill", "Ask for an interim bill"),
]
ACCESS = [("allowed", "Allowed"), ("held", "On hold")]
CAUSES = [
    ("control", "A charge control fired"),
    ("below", "The exposure is below its line again"),
    ("no_rule", "The policy in force asks for no hold"),
    ("person", "A person lifted it"),
]


class CreditLimit(models.Model):
    """What one customer may owe and use, agreed for them; the latest counts, where the policy lets limits be agreed."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="credit_limits")
    currency = models.CharField(max_length=3, validators=[validators.check_currency])
    amount = models.DecimalField(
        max_digits=20, decimal_places=4, null=True, blank=True, help_text="Empty: the policy's own amount again."
    )
    reason = OpenedTextField()
    set_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gt=0, amount__lte="1e12"), name="charge_controls_limit_bounds"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="charge_controls_limit_reason"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.customer.code} {self.currency}"


class ControlState(models.Model):
    """One line of one customer that was reached at some time: whether it is now, and how often it was crossed."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    action = models.CharField(max_length=20, choices=ACTIONS)
    is_beyond = models.BooleanField()
    crossings = models.PositiveIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "currency", "action"], name="charge_controls_state_once"),
            models.CheckConstraint(condition=Q(crossings__gte=1), name="charge_controls_state_crossed"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="line_is_fixed", fields=["customer", "currency", "action"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.currency} {self.action}"


class ControlFiring(models.Model):
    """One line was crossed: the exposure, the line and whose it is, and the policy version that decided."""

    class LimitFrom(models.TextChoices):
        POLICY = "policy", "The policy"
        CUSTOMER = "customer", "The customer's credit limit"

    state = models.ForeignKey(ControlState, on_delete=models.PROTECT, related_name="firings")
    crossing = models.PositiveIntegerField(help_text="The how manieth time this line was crossed.")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    policy = models.ForeignKey(TriggerPolicy, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=20, choices=ACTIONS)
    rule = models.JSONField(help_text="The charge control as the policy has it.")
    currency = models.CharField(max_length=3)
    exposure = models.DecimalField(max_digits=20, decimal_places=4)
    line = models.DecimalField(max_digits=20, decimal_places=4)
    limit_from = models.CharField(max_length=10, choices=LimitFrom.choices)
    inputs = models.JSONField(help_text="The figures that decided, with the instant and the watermark they are of.")
    fired_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["state", "crossing"], name="charge_controls_firing_once_per_crossing"),
            models.CheckConstraint(condition=Q(exposure__gte=F("line")), name="charge_controls_firing_is_beyond"),
            models.CheckConstraint(
                condition=Q(action__in=[action for action, _ in ACTIONS]), name="charge_controls_firing_action"
            ),
        ]
        indexes = [models.Index(fields=["customer", "-fired_at"], name="charge_controls_firing_cust")]
        triggers = [*APPEND_ONLY, refuse_from(Kind.ALERT, Kind.INVOICE, name="controls_alone_fire")]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.customer_id} {self.currency}"


class AccessState(models.Model):
    """Whether a customer may use more; without a row nobody ever decided otherwise."""

    customer = models.OneToOneField(Customer, on_delete=models.PROTECT, related_name="access_state")
    status = models.CharField(max_length=10, choices=ACCESS)
    revision = models.PositiveIntegerField()
    reason = OpenedTextField()
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["-changed_at"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=["allowed", "held"]), name="charge_controls_access_status")
        ]
        triggers = [
            pgtrigger.ReadOnly(name="customer_is_fixed", fields=["customer"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            refuse_from(Kind.ALERT, Kind.INVOICE, name="controls_alone_hold"),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.customer.code}: {self.get_status_display()}"


class AccessChange(models.Model):
    """One move of a customer's access: from what to what, why, by which firing or person."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="access_changes")
    revision = models.PositiveIntegerField()
    from_status = models.CharField(max_length=10, choices=ACCESS)
    to_status = models.CharField(max_length=10, choices=ACCESS)
    cause = models.CharField(max_length=10, choices=CAUSES)
    reason = OpenedTextField()
    firing = models.ForeignKey(ControlFiring, null=True, on_delete=models.PROTECT, related_name="access_changes")
    policy = models.ForeignKey(TriggerPolicy, null=True, on_delete=models.PROTECT, related_name="+")
    actor = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    figures = models.JSONField(help_text="The exposures as they stood, by currency.")
    changed_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "revision"], name="charge_controls_change_revision"),
            models.CheckConstraint(
                condition=Q(from_status="allowed", to_status="held", cause="control", firing__isnull=False)
                | Q(from_status="held", to_status="allowed", cause__in=["below", "no_rule"], actor=None)
                | Q(from_status="held", to_status="allowed", cause="person", actor__isnull=False),
                name="charge_controls_change_by",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="charge_controls_change_reason"),
        ]
        triggers = [*APPEND_ONLY, refuse_from(Kind.ALERT, Kind.INVOICE, name="controls_alone_move")]

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"


class CreditReview(models.Model):
    """A firing that wants a person of finance or ops to look; closed once, with what came of it."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        RESOLVED = "resolved", "Resolved"

    firing = models.OneToOneField(ControlFiring, on_delete=models.PROTECT, related_name="review")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    opened_at = models.DateTimeField()
    resolved_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    resolved_at = models.DateTimeField(null=True)
    resolution = OpenedTextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="open", resolved_by=None, resolved_at=None, resolution="")
                | (Q(status="resolved", resolved_by__isnull=False, resolved_at__isnull=False) & ~Q(resolution="")),
                name="charge_controls_review_status",
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="finding_is_fixed", fields=["firing", "customer", "opened_at"]),
            pgtrigger.Protect(
                name="resolved_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__status="resolved")
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            refuse_from(Kind.ALERT, Kind.INVOICE, name="controls_alone_ask"),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"Review of {self.customer.code}"


class ControlProgress(models.Model):
    """When exposures were last held against the lines; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    evaluated_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="charge_controls_progress_one")]

    def __str__(self) -> str:
        return f"{self.evaluated_at:%Y-%m-%d %H:%M}"
