"""What was told to whom: endpoints and addresses, notices, and every attempt to deliver one."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts import validators
from accounts.models import Customer
from core.models import APPEND_ONLY
from core.sealed_fields import OpenedCharField, OpenedTextField

NO_TRUNCATE = APPEND_ONLY[1]


class Topic(models.TextChoices):
    """What a notice can be about."""

    USAGE_NEAR_LIMIT = "alert.usage_near_limit", "Usage nears a limit"
    EXPOSURE_GROWTH = "alert.exposure_growth", "Exposure rises faster than before"
    PROGRAM_COST = "alert.program_cost", "Projected cost of a fee program"
    ACCESS_HELD = "access.held", "Further usage is on hold"
    ACCESS_ALLOWED = "access.allowed", "Further usage is allowed again"
    REVIEW_REQUESTED = "review.requested", "A credit review was requested"
    DISPUTE_OVERDUE = "dispute.overdue", "A step of a dispute is overdue"
    DISPUTE_UPDATE_DUE = "dispute.update_due", "A customer waits for news of a dispute"


class Audience(models.TextChoices):
    """Whom a notice is for."""

    OPS = "ops", "Operations"
    CUSTOMER_SUCCESS = "customer_success", "Customer success"
    ENGINEERING = "engineering", "Engineering"
    FINANCE = "finance", "Finance"


class Channel(models.TextChoices):
    """By which way it is told."""

    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    WEBHOOK = "webhook", "Signed webhook"


class Address(models.Model):
    """An address told of what concerns an audience; people in the role of that name are told by their own as well."""

    audience = models.CharField(max_length=20, choices=Audience.choices)
    email = models.EmailField()
    is_active = models.BooleanField(default=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "addresses"
        ordering = ["audience", "email"]
        constraints = [
            models.UniqueConstraint(fields=["audience", "email"], name="notices_address_once"),
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="notices_address_audience"),
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.email


class Endpoint(models.Model):
    """An address of another system that is called with signed notices on some topics."""

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    description = models.TextField(help_text="Which system this is, and who runs it.")
    url = models.CharField(max_length=500, help_text="https, to a public host; a redirect is not followed.")
    topics = ArrayField(models.CharField(max_length=40, choices=Topic.choices))
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="From then on it is not called.")
    history = HistoricalRecords()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(topics__len__gt=0, topics__contained_by=Topic.values), name="notices_endpoint_topics"
            ),
            models.CheckConstraint(condition=Q(url__startswith="https://"), name="notices_endpoint_https"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="code_is_for_ever", fields=["code", "created_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="closed_for_ever", operation=pgtrigger.Update, condition=pgtrigger.Q(old__closed_at__isnull=False)
            ),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return self.code


class EndpointSecret(models.Model):
    """One secret of an endpoint. Only the number that it is made of is kept; the key of the installation makes it."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="secrets")
    nonce = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, help_text="From then on it signs nothing; empty while it is the newest.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["endpoint"], condition=Q(ends_at=None), name="notices_secret_newest"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gte=F("created_at")), name="notices_secret_ends"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="made_once", fields=["endpoint", "nonce", "created_at"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id}, made {self.created_at:%Y-%m-%d %H:%M}"


class Notice(models.Model):
    """Something that is told: in words for people, as a document for systems."""

    key = models.CharField(max_length=80, unique=True, help_text="Told once for ever, such as alert:42.")
    topic = models.CharField(max_length=40, choices=Topic.choices)
    audience = models.CharField(max_length=20, choices=Audience.choices)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    title = OpenedCharField(max_length=200, help_text="It names the customer, and so lies under the customer's key.")
    text = OpenedTextField()
    document = models.JSONField(help_text="The `data` of a webhook.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(topic__in=Topic.values), name="notices_notice_topic"),
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="notices_notice_audience"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return str(self.title)


class Delivery(models.Model):
    """One notice by one way, and how far that has come."""

    class Status(models.TextChoices):
        PENDING = "pending", "On its way"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"
        NOT_SET_UP = "not_set_up", "Nobody to tell"

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.PROTECT, related_name="deliveries")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    sent_to = models.CharField(max_length=1000, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "channel", "endpoint"], nulls_distinct=False, name="notices_delivery_once"
            ),
            models.CheckConstraint(
                condition=Q(channel="webhook", endpoint__isnull=False)
                | Q(channel__in=["email", "slack"], endpoint=None)
                | Q(channel="webhook", endpoint=None, status="not_set_up"),
                name="notices_delivery_way",
            ),
            models.CheckConstraint(
                condition=Q(status="pending", finished_at=None)
                | Q(status__in=["delivered", "failed", "not_set_up"], finished_at__isnull=False),
                name="notices_delivery_status",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="way_is_fixed", fields=["notice", "channel", "endpoint"]),
            pgtrigger.Protect(
                name="delivered_for_ever",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__status__in=["delivered", "not_set_up"]),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.notice}"


class Attempt(models.Model):
    """One attempt to deliver: when, and what came of it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    is_delivered = models.BooleanField()
    detail = models.CharField(max_length=500, blank=True, help_text="Why it failed.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "number"], name="notices_attempt_number"),
            models.UniqueConstraint(
                fields=["delivery"], condition=Q(is_delivered=True), name="notices_attempt_delivers_once"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"
