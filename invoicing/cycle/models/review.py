"""What people leave on an invoice while they review it: approvals, comments, and the reasons that finance keeps."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from accounts import validators
from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice


class InvoiceApproval(models.Model):
    """One person's approval of the figures of a draft; policy says whether it takes one or two of them.

    It counts for the invoice as it stood: any move since, such as a hold, makes it worth nothing.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="approvals")
    revision = models.PositiveIntegerField(help_text="The invoice's revision when it was given.")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64)
    people_needed = models.PositiveSmallIntegerField(help_text="As the policy of the invoice asks for it.")
    given_at = models.DateTimeField()
    audit_entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "revision", "person"], name="cycle_approval_once_per_person")
        ]
        triggers = [*APPEND_ONLY, guards.OF_A_DRAFT_BY_AN_OUTSIDER]

    def __str__(self) -> str:
        return f"{self.invoice}: approved by {self.person}"


class InvoiceComment(models.Model):
    """A remark for colleagues; it decides nothing, is never changed, and is not part of the document."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = OpenedTextField(about="invoice__customer", help_text="Under the customer's key.")
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="cycle_comment_says_something")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return str(self.text)[:80]


class HoldReason(models.Model):
    """A usual reason to hold or to release, kept by finance; one that is out of use stays for what it explained."""

    class Use(models.TextChoices):
        HOLD = "hold", "To hold"
        RELEASE = "release", "To release"

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    use = models.CharField(max_length=10, choices=Use.choices)
    label = models.CharField(max_length=120, help_text="What stands in the history of the invoice.")
    is_in_use = models.BooleanField(default=True, help_text="Whether it is offered.")
    history = HistoricalRecords()

    class Meta:
        ordering = ["use", "label"]
        constraints = [models.CheckConstraint(condition=Q(use__in=["hold", "release"]), name="cycle_reason_use")]
        triggers = [
            pgtrigger.ReadOnly(name="code_is_fixed", fields=["code", "use"]),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return self.label
