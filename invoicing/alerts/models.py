"""Where customers stand against the lines of their policy's alerts, and every firing; no invoice, no hold."""

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models import Customer
from core.deciding import Kind, refuse_from
from core.models import APPEND_ONLY
from invoicing.policy.models import TriggerPolicy

KINDS = [
    ("usage_near_limit", "Usage nears a limit"),
    ("exposure_growth", "Exposure rises faster than before"),
    ("program_cost", "Projected cost of a fee program"),
]
NO_TRUNCATE = APPEND_ONLY[1]


class AlertState(models.Model):
    """One line of one customer that was reached at some time: whether it is now, and how often it was crossed."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    rule_hash = models.CharField(max_length=64, help_text="SHA-256 of the alert's words; kept where versions agree.")
    subject = models.CharField(max_length=200, help_text="Which meter, currency or program, in which period.")
    is_beyond = models.BooleanField()
    crossings = models.PositiveIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "rule_hash", "subject"], name="alerts_state_once"),
            models.CheckConstraint(condition=Q(crossings__gte=1), name="alerts_state_crossed"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="line_is_fixed", fields=["customer", "rule_hash", "subject"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.subject}"


class AlertFiring(models.Model):
    """One line was crossed: the figures, and the policy version that drew it. People are told; nothing else follows."""

    state = models.ForeignKey(AlertState, on_delete=models.PROTECT, related_name="firings")
    crossing = models.PositiveIntegerField(help_text="The how manieth time this line was crossed.")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    policy = models.ForeignKey(TriggerPolicy, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=20, choices=KINDS)
    rule = models.JSONField(help_text="The alert as the policy has it.")
    subject = models.CharField(max_length=200)
    value = models.DecimalField(max_digits=38, decimal_places=18)
    line = models.DecimalField(max_digits=38, decimal_places=18)
    inputs = models.JSONField(help_text="The figures that decided, with the instant and the watermark they are of.")
    fired_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["state", "crossing"], name="alerts_firing_once_per_crossing"),
            models.CheckConstraint(condition=Q(value__gte=models.F("line")), name="alerts_firing_is_beyond"),
            models.CheckConstraint(condition=Q(kind__in=[kind for kind, _ in KINDS]), name="alerts_firing_kind"),
        ]
        indexes = [models.Index(fields=["customer", "-fired_at"], name="alerts_firing_customer")]
        triggers = [*APPEND_ONLY, refuse_from(Kind.CHARGE_CONTROL, Kind.INVOICE, name="alerts_alone_fire")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"


class AlertProgress(models.Model):
    """When the figures were last held against the lines; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    evaluated_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="alerts_progress_one")]

    def __str__(self) -> str:
        return f"{self.evaluated_at:%Y-%m-%d %H:%M}"
