"""Requests to erase a person, the proofs of what was erased, and how long the law keeps the rest."""

import pgtrigger
from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from accounts import validators
from accounts.models import Customer, PortalUser
from compliance.payouts.models import Payee
from core.models import APPEND_ONLY, AuditEntry

PERSON = settings.AUTH_USER_MODEL
_UNDECIDED = Q(decided_by=None, decided_at=None)


class RetentionRule(models.Model):
    """How many calendar years after the year of issue an invoice is kept; the next version follows, none is edited."""

    country = models.CharField(max_length=2, blank=True, help_text="Of the seller; empty for all others.")
    years = models.PositiveSmallIntegerField()
    basis = models.TextField(help_text="The law, and who says so.")
    effective_at = models.DateTimeField()
    created_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["country", "-effective_at"]
        constraints = [
            models.UniqueConstraint(fields=["country", "effective_at"], name="erasure_retention_instant"),
            models.CheckConstraint(condition=Q(years__range=(0, 100)) & ~Q(basis=""), name="erasure_retention_years"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.country or 'elsewhere'}: {self.years} years"


class ErasureRequest(models.Model):
    """Somebody is to be forgotten: asked by one person, decided by another, for good."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        PORTAL_USER = "portal_user", "Portal user"
        PAYEE = "payee", "Payee"

    class Ground(models.TextChoices):
        ASKED = "asked", "The person asks for it (GDPR 17 (1) b, c)"
        NOT_NEEDED = "not_needed", "No longer needed for what it was kept for (GDPR 17 (1) a)"
        UNLAWFUL = "unlawful", "Was never to be kept (GDPR 17 (1) d)"

    class Status(models.TextChoices):
        ASKED = "asked", "Waits for a second person"
        ERASED = "erased", "Erased"
        REFUSED = "refused", "Refused"

    kind = models.CharField(max_length=12, choices=Kind.choices)
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+")
    portal_user = models.ForeignKey(PortalUser, null=True, on_delete=models.PROTECT, related_name="+")
    payee = models.ForeignKey(Payee, null=True, on_delete=models.PROTECT, related_name="+")
    ground = models.CharField(max_length=12, choices=Ground.choices)
    reference = models.CharField(
        max_length=60,
        validators=[validators.CODE],
        help_text="The number of the letter or ticket; no names, it is kept for ever.",
    )
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.ASKED)
    asked_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    refusal = models.CharField(
        max_length=60, blank=True, validators=[RegexValidator(r"^[a-z_]+\Z")], help_text="Why not, as a word."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="customer", customer__isnull=False, portal_user=None, payee=None)
                | Q(kind="portal_user", customer=None, portal_user__isnull=False, payee=None)
                | Q(kind="payee", customer=None, portal_user=None, payee__isnull=False),
                name="erasure_request_of_one_person",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="erasure_request_four_eyes"
            ),
            models.CheckConstraint(
                condition=(Q(status="asked", refusal="") & _UNDECIDED)
                | Q(status="erased", refusal="", decided_by__isnull=False, decided_at__isnull=False)
                | (Q(status="refused", decided_by__isnull=False, decided_at__isnull=False) & ~Q(refusal="")),
                name="erasure_request_decided",
            ),
            models.UniqueConstraint(
                fields=["kind", "customer", "portal_user", "payee"],
                condition=~Q(status="refused"),
                nulls_distinct=False,
                name="erasure_request_once",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="asked_once",
                fields=["kind", "customer", "portal_user", "payee", "ground", "reference", "asked_by", "asked_at"],
            ),
            pgtrigger.Protect(
                name="decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__status="asked")
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"Erasure {self.pk}"


class Erasure(models.Model):
    """The proof: which keys were destroyed, and what was overwritten, on which request. It names no one."""

    request = models.ForeignKey(ErasureRequest, on_delete=models.PROTECT, related_name="erasures")
    keys = models.JSONField(help_text="Numbers of the keys that were destroyed.")
    did = models.JSONField(help_text="What else was done, in sentences.")
    kept = models.JSONField(help_text="What the law keeps: which documents, until when, by which rule.")
    erased_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.request}, {self.audit_entry}"
