"""A dispute: what is contested, where it stands, who has it and until when."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Customer
from compliance.disputes.models.policies import OWNERS, DisputePolicy
from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedCharField, OpenedTextField
from invoicing.cycle.models import Invoice, InvoiceLine

PERSON = settings.AUTH_USER_MODEL
NO_TRUNCATE = APPEND_ONLY[1]
NO_DELETE = pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)
STATUSES = [
    ("evidence", "Evidence is being rebuilt"),
    ("ops", "With operations"),
    ("engineering", "With engineering"),
    ("correcting", "Upheld, correction under way"),
    ("closed", "Closed"),
]
OUTCOMES = [("upheld", "Upheld"), ("rejected", "Rejected"), ("withdrawn", "Withdrawn")]
PATHS = [("ops", "Ops path"), ("engineering", "Engineering path")]

_OF_A_FINAL_INVOICE = """
    IF NOT EXISTS (SELECT 1 FROM cycle_invoice WHERE id = NEW.invoice_id AND status = 'final'
                      AND customer_id = NEW.customer_id AND content_hash = NEW.invoice_hash)
       OR (NEW.line_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM cycle_invoiceline WHERE id = NEW.line_id AND invoice_id = NEW.invoice_id)) THEN
        RAISE EXCEPTION 'a dispute is about a final invoice of its customer, or a line of it'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> 'evidence' OR NEW.revision <> 1 THEN
        RAISE EXCEPTION 'a dispute begins with its evidence' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
# What rules/lifecycle.py says, for whoever does not ask it.
_MOVES_BY_THE_TABLE = """
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status, NEW.outcome) NOT IN (
        ('evidence', 'ops', ''), ('evidence', 'engineering', ''),
        ('ops', 'evidence', ''), ('engineering', 'evidence', ''),
        ('ops', 'correcting', 'upheld'), ('engineering', 'correcting', 'upheld'), ('correcting', 'closed', 'upheld'),
        ('ops', 'closed', 'rejected'), ('evidence', 'closed', 'withdrawn'), ('ops', 'closed', 'withdrawn'),
        ('engineering', 'closed', 'withdrawn')) THEN
        RAISE EXCEPTION 'dispute % cannot move from % to % with outcome %', NEW.id, OLD.status, NEW.status, NEW.outcome
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.revision <> OLD.revision + (NEW.status <> OLD.status)::int
       OR (NEW.status = OLD.status AND NEW.outcome <> OLD.outcome) THEN
        RAISE EXCEPTION 'dispute % moved since it was read', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
# What compliance/disputes/closing.py does first: a hold that nobody chose to keep, and that no other open dispute asks
# for, is lifted.
_CLOSES_WITHOUT_ITS_HOLD = """
    IF EXISTS (
        SELECT 1 FROM disputes_disputehold mine JOIN cycle_collectionhold hold ON hold.id = mine.hold_id
        WHERE mine.dispute_id = NEW.id AND hold.lifted_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM disputes_disputehold one JOIN disputes_dispute asking ON asking.id = one.dispute_id
            WHERE one.hold_id = hold.id
              AND (one.kept_at IS NOT NULL OR (asking.id <> NEW.id AND asking.status <> 'closed')))) THEN
        RAISE EXCEPTION 'dispute % still holds the collection of its invoice, and nobody said why to keep that', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class Dispute(models.Model):
    """A customer contests an invoice, or one line of it. Nothing in this room changes that invoice."""

    class Reason(models.TextChoices):
        QUANTITY = "quantity", "The quantity is wrong"
        PRICE = "price", "The price is wrong"
        NOT_USED = "not_used", "This was not used or not ordered"
        TWICE = "twice", "This was billed twice"
        TAX = "tax", "The tax or the addressee is wrong"
        OTHER = "other", "Something else"

    class Origin(models.TextChoices):
        PORTAL = "portal", "The customer, in the portal"
        API = "api", "The API"
        BACK_OFFICE = "back_office", "The back office"

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="disputes")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="disputes")
    line = models.ForeignKey(InvoiceLine, null=True, on_delete=models.PROTECT, related_name="disputes")
    invoice_hash = models.CharField(max_length=64, help_text="Of the invoice as it was contested.")
    policy = models.ForeignKey(DisputePolicy, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    text = OpenedCharField(max_length=4000, help_text="In the words of whoever opened it, under the customer's key.")
    origin = models.CharField(max_length=20, choices=Origin.choices)
    opened_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    status = models.CharField(max_length=20, choices=STATUSES, default="evidence")
    revision = models.PositiveIntegerField(default=1, help_text="Counts the moves.")
    path = models.CharField(max_length=20, choices=PATHS, blank=True, help_text="As the latest evidence decided.")
    outcome = models.CharField(max_length=20, choices=OUTCOMES, blank=True)
    owner_role = models.CharField(max_length=20, choices=OWNERS, blank=True)
    owner = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    due_at = models.DateTimeField(null=True, help_text="Until when the present step is to be done.")
    update_due_at = models.DateTimeField(null=True, help_text="Until when the customer is to hear of it again.")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=~Q(status="closed"), name="disputes_due"),
            models.Index(fields=["customer", "-id"], name="disputes_customer"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status for status, _ in STATUSES]), name="disputes_dispute_status"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["evidence", "ops", "engineering"], outcome="", due_at__isnull=False, closed_at=None
                )
                | Q(status="correcting", outcome="upheld", due_at__isnull=False, closed_at=None)
                | Q(
                    status="closed",
                    outcome__in=["upheld", "rejected", "withdrawn"],
                    due_at=None,
                    update_due_at=None,
                    owner_role="",
                    closed_at__isnull=False,
                ),
                name="disputes_dispute_step",
            ),
            models.CheckConstraint(
                condition=Q(status="closed")
                | Q(owner_role__in=[role for role, _ in OWNERS], update_due_at__isnull=False),
                name="disputes_dispute_owned",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["ops", "engineering"]) | Q(status=models.F("path")),
                name="disputes_dispute_path",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="disputes_dispute_text"),
            models.UniqueConstraint(
                fields=["invoice", "line"],
                condition=~Q(status="closed"),
                name="disputes_dispute_one_open",
                nulls_distinct=False,
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="of_a_final_invoice", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_OF_A_FINAL_INVOICE
            ),
            pgtrigger.Trigger(
                name="moves_by_the_table", operation=pgtrigger.Update, when=pgtrigger.Before, func=_MOVES_BY_THE_TABLE
            ),
            pgtrigger.Trigger(
                name="closes_without_its_hold",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.Q(new__status="closed"),
                func=_CLOSES_WITHOUT_ITS_HOLD,
            ),
            pgtrigger.ReadOnly(
                name="claim_is_fixed",
                fields=[
                    "customer",
                    "invoice",
                    "line",
                    "invoice_hash",
                    "policy",
                    "reason",
                    "text",
                    "origin",
                    "opened_by",
                    "opened_at",
                ],
            ),
            pgtrigger.Protect(
                name="closed_for_ever", operation=pgtrigger.Update, condition=pgtrigger.Q(old__status="closed")
            ),
            NO_DELETE,
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"Dispute {self.pk}"

    @property
    def subject(self) -> str:
        """Invoice LU-1, or line 2 of it."""
        return str(self.invoice) if self.line is None else f"{self.invoice}, line {self.line.position}"


class DisputeTransition(models.Model):
    """One move of a dispute, for ever."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="transitions")
    revision = models.PositiveIntegerField()
    from_status = models.CharField(max_length=20, choices=STATUSES, blank=True)
    to_status = models.CharField(max_length=20, choices=STATUSES)
    outcome = models.CharField(max_length=20, choices=OUTCOMES, blank=True)
    reason = OpenedTextField(blank=True)
    actor = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    moved_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["revision"]
        constraints = [
            models.UniqueConstraint(fields=["dispute", "revision"], name="disputes_transition_revision"),
            models.CheckConstraint(
                condition=~Q(outcome="rejected") | Q(from_status="ops"), name="disputes_rejected_only_if_reproduced"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.dispute}: {self.from_status or 'opened'} → {self.to_status}"
