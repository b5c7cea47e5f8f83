"""What is owed to payees, gathered into batches, and what a release decided about it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from accounts import validators
from compliance.payouts.models.payees import Payee
from compliance.payouts.rules.judgement import Outcome
from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedTextField


class Payable(models.Model):
    """An amount owed to a payee under a reference of its own; paid once, as it stands, or withdrawn."""

    payee = models.ForeignKey(Payee, on_delete=models.PROTECT, related_name="payables")
    reference = models.CharField(max_length=120, help_text="What is paid, such as ORDER-1001; once for each payee.")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3, validators=[validators.check_currency])
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawal_reason = OpenedTextField(blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["payee", "reference"], name="payouts_payable_once"),
            models.CheckConstraint(condition=Q(amount__range=("0.0001", "1e15")), name="payouts_payable_amount"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="payouts_payable_currency"),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawal_reason="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawal_reason="")),
                name="payouts_payable_withdrawal",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="debt_is_fixed", fields=["payee", "reference", "amount", "currency", "created_by", "created_at"]
            ),
            pgtrigger.Trigger(
                name="withdrawn_once_and_unpaid",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.withdrawn_at IS NOT NULL
                       OR EXISTS (SELECT FROM payouts_payout WHERE payable_id = OLD.id) THEN
                        RAISE EXCEPTION 'payable % is withdrawn or paid already', OLD.id;
                    END IF;
                    RETURN NEW;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"{self.reference} to {self.payee}"


class PayoutBatch(models.Model):
    """Payables that finance puts up for payment together; ops releases them, once or bit by bit."""

    reference = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "payout batches"
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.reference


class BatchItem(models.Model):
    """The one batch that a payable stands in."""

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="items")
    payable = models.OneToOneField(Payable, on_delete=models.PROTECT, related_name="batch_item")

    class Meta:
        ordering = ["id"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.payable} in {self.batch}"


class ReleaseDecision(models.Model):
    """What one release decided about one payable, with every gate's verdict at that instant."""

    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="release_decisions")
    payable = models.ForeignKey(Payable, on_delete=models.PROTECT, related_name="release_decisions")
    outcome = models.CharField(
        max_length=10, choices=[(str(Outcome.RELEASED), "Released"), (str(Outcome.BLOCKED), "Blocked")]
    )
    gates = models.JSONField(help_text="`[{gate, state, passed, detail, gate_check, expires_at, audit_reference}]`")
    inputs = models.JSONField(help_text="The payee's program, market and kind, and the requirements in force.")
    reasons = models.JSONField(default=list, help_text="Why it is blocked, in sentences.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=[str(value) for value in Outcome]), name="payouts_release_outcome"
            ),
            models.CheckConstraint(
                condition=Q(outcome="released", reasons=[]) | (Q(outcome="blocked") & ~Q(reasons=[])),
                name="payouts_release_blocked_says_why",
            ),
            models.UniqueConstraint(fields=["payable"], condition=Q(outcome="released"), name="payouts_release_once"),
        ]
        indexes = [models.Index(fields=["payable", "-id"], name="payouts_release_latest")]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="releaser_is_another_person",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.actor_id = (SELECT created_by_id FROM payouts_payoutbatch WHERE id = NEW.batch_id) THEN
                        RAISE EXCEPTION 'the person who made a batch cannot release it';
                    END IF;
                    IF NOT EXISTS (
                        SELECT FROM payouts_batchitem WHERE batch_id = NEW.batch_id AND payable_id = NEW.payable_id
                    ) THEN
                        RAISE EXCEPTION 'payable % is not in batch %', NEW.payable_id, NEW.batch_id;
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payable} {self.outcome}"


class Payout(models.Model):
    """The instruction to pay one payable in full, ready for the bank file; no money has moved by it."""

    payable = models.OneToOneField(Payable, on_delete=models.PROTECT, related_name="payout")
    decision = models.OneToOneField(ReleaseDecision, on_delete=models.PROTECT, related_name="payout")
    amount = models.DecimalField(max_digits=20, decimal_places=4)
    currency = models.CharField(max_length=3)
    instructed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        triggers = [
            *APPEND_ONLY,
            # The last guard, in the database's own words: exactly this debt, and every required gate open.
            pgtrigger.Trigger(
                name="only_what_is_owed_and_open",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("owed", "RECORD"), ("required", "varchar[]")],
                func="""
                    SELECT payable.amount, payable.currency, payable.withdrawn_at, payable.payee_id,
                           decision.outcome, decision.decided_at INTO owed
                      FROM payouts_releasedecision AS decision
                      JOIN payouts_payable AS payable ON payable.id = decision.payable_id
                     WHERE decision.id = NEW.decision_id AND payable.id = NEW.payable_id;
                    IF owed IS NULL OR owed.outcome <> 'released' OR owed.withdrawn_at IS NOT NULL
                       OR (owed.amount, owed.currency) IS DISTINCT FROM (NEW.amount, NEW.currency) THEN
                        RAISE EXCEPTION 'payout does not match a released payable';
                    END IF;
                    SELECT requirement.gates INTO required
                      FROM payouts_gaterequirement AS requirement JOIN payouts_payee AS payee
                        ON (payee.program, payee.market, payee.kind)
                         = (requirement.program, requirement.market, requirement.payee_kind)
                     WHERE payee.id = owed.payee_id AND requirement.effective_at <= owed.decided_at
                     ORDER BY requirement.effective_at DESC LIMIT 1;
                    IF required IS NULL OR EXISTS (
                        SELECT FROM unnest(required) AS wanted (kind) WHERE NOT EXISTS (
                            SELECT FROM payouts_gatecheck AS gate
                             WHERE gate.payee_id = owed.payee_id AND gate.kind = wanted.kind AND gate.state = 'approved'
                               AND (gate.expires_at IS NULL OR gate.expires_at > owed.decided_at)
                        )
                    ) THEN
                        RAISE EXCEPTION 'payout of payable % is behind a closed gate', NEW.payable_id;
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Payout of {self.payable}"
