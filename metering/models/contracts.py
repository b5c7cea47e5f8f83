"""What events of each type must look like."""

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from metering.models.guards import NO_TRUNCATE, differs
from metering.rules.exact_json import ExactDecoder, ExactEncoder

EVENT_TYPE = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}\Z", "Use 1 to 120 letters, digits, dots, dashes or underscores."
)


class EventContract(models.Model):
    """What events of one type look like; its versions say it exactly."""

    event_type = models.CharField(
        max_length=120, unique=True, validators=[EVENT_TYPE], help_text="The `type` of the event."
    )
    description = models.TextField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    history = HistoricalRecords()

    class Meta:
        ordering = ["event_type"]
        triggers = [
            pgtrigger.ReadOnly(name="type_is_for_ever", fields=["event_type"]),
            # Accepted events refer to it without a foreign key.
            pgtrigger.Protect(name="contract_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return self.event_type


CONTENT = (
    "contract",
    "version",
    "schema",
    "billing_fields",
    "context_fields",
    "valid_examples",
    "invalid_examples",
    "accepts_past_days",
    "accepts_future_seconds",
)


class EventContractVersion(models.Model):
    """JSON Schema of an event's `data`, with examples that are checked before it can be activated."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "In force"
        RETIRED = "retired", "Retired"

    contract = models.ForeignKey(EventContract, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    schema = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder, help_text="JSON Schema (2020-12) of `data`.")
    billing_fields = models.JSONField(default=list, help_text="Properties that billing requires in every event.")
    context_fields = models.JSONField(default=list, help_text="Optional properties kept for attribution.")
    valid_examples = models.JSONField(
        default=list, encoder=ExactEncoder, decoder=ExactDecoder, help_text="`data` objects that must pass."
    )
    invalid_examples = models.JSONField(
        default=list, encoder=ExactEncoder, decoder=ExactDecoder, help_text="`data` objects that must fail."
    )
    accepts_past_days = models.PositiveIntegerField(default=1826, help_text="Older events are quarantined.")
    accepts_future_seconds = models.PositiveIntegerField(default=300, help_text="Later events are quarantined.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    activated_at = models.DateTimeField(null=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["contract", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "version"], name="metering_contract_version"),
            models.UniqueConstraint(
                fields=["contract"],
                condition=Q(status="active"),
                name="metering_contract_one_in_force",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "active", "retired"]),
                name="metering_contract_status",
            ),
            models.CheckConstraint(
                condition=Q(accepts_past_days__range=(0, 36_525), accepts_future_seconds__range=(0, 31_622_400)),
                name="metering_contract_window",
            ),
        ]
        triggers = [
            pgtrigger.Protect(
                name="content_fixed_once_active",
                operation=pgtrigger.Update,
                condition=~pgtrigger.Q(old__status="draft") & (differs(*CONTENT) | pgtrigger.Q(new__status="draft")),
            ),
            pgtrigger.Protect(name="version_is_kept", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.contract} v{self.version}"
