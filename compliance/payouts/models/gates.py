"""One gate of one payee, the evidence for it, and every decision about it."""

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from compliance.payouts.models.payees import GATE_KINDS, Payee
from compliance.payouts.rules import lifecycle
from compliance.payouts.rules.gates import STORED, GateKind, GateState
from compliance.payouts.rules.lifecycle import Verdict
from core import personal_keys
from core.models import APPEND_ONLY, AuditEntry
from core.sealed_fields import OpenedBinaryField, OpenedCharField, OpenedTextField

STATE_LABELS = [
    (str(GateState.NOT_STARTED), "Not started"),
    (str(GateState.PENDING), "Waiting for documents"),
    (str(GateState.NEEDS_REVIEW), "Needs review"),
    (str(GateState.APPROVED), "Approved"),
    (str(GateState.EXPIRING), "Expiring"),
    (str(GateState.EXPIRED), "Expired"),
    (str(GateState.REJECTED), "Rejected"),
    (str(GateState.SUSPENDED), "Suspended"),
]
VERDICTS = [
    (str(Verdict.REQUEST), "Documents asked for"),
    (str(Verdict.REVIEW), "Sent to review"),
    (str(Verdict.APPROVE), "Approved"),
    (str(Verdict.REJECT), "Rejected"),
    (str(Verdict.SUSPEND), "Suspended"),
]
EVIDENCE_BYTES_MAX = 5 * 1024 * 1024


class GateCheck(models.Model):
    """Where one gate of one payee stands; moved only by `decide_gate`, one decision for each move."""

    payee = models.ForeignKey(Payee, on_delete=models.PROTECT, related_name="gate_checks")
    kind = models.CharField(max_length=20, choices=GATE_KINDS)
    state = models.CharField(
        max_length=20,
        choices=[label for label in STATE_LABELS if label[0] in STORED],
        default=str(GateState.NOT_STARTED),
    )
    expires_at = models.DateTimeField(null=True, help_text="When an approval ends; empty: it has no end.")
    opened_at = models.DateTimeField()
    history = HistoricalRecords()

    class Meta:
        ordering = ["payee", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["payee", "kind"], name="payouts_check_once"),
            models.CheckConstraint(condition=Q(kind__in=[str(value) for value in GateKind]), name="payouts_check_kind"),
            models.CheckConstraint(condition=Q(state__in=[str(state) for state in STORED]), name="payouts_check_state"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(state="approved"), name="payouts_check_only_approvals_expire"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="subject_is_fixed", fields=["payee", "kind", "opened_at"]),
            pgtrigger.FSM(name="state_moves", field="state", transitions=lifecycle.transitions()),
            # At commit the state must be the one that the latest decision led to: no gate opens without a decision.
            pgtrigger.Trigger(
                name="follows_its_decision",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                timing=pgtrigger.Deferred,
                declare=[("decided", "RECORD"), ("stands", "RECORD")],
                func="""
                    SELECT state, expires_at INTO stands FROM payouts_gatecheck WHERE id = NEW.id;
                    SELECT to_state, expires_at INTO decided FROM payouts_gatedecision
                     WHERE gate_check_id = NEW.id ORDER BY id DESC LIMIT 1;
                    IF COALESCE(decided.to_state, 'not_started') <> stands.state
                       OR decided.expires_at IS DISTINCT FROM stands.expires_at THEN
                        RAISE EXCEPTION 'gate check % does not stand where its latest decision led', NEW.id;
                    END IF;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.payee}"


class EvidenceFile(models.Model):
    """A document that was looked at for a gate, kept as it came until its payee is erased."""

    gate_check = models.ForeignKey(GateCheck, on_delete=models.PROTECT, related_name="evidence_files")
    name = OpenedCharField(max_length=200, about="gate_check__payee")
    media_type = models.CharField(max_length=60)
    content = OpenedBinaryField(about="gate_check__payee", help_text="Under the key of the payee; empty once erased.")
    size = models.PositiveIntegerField(validators=[MaxValueValidator(EVIDENCE_BYTES_MAX)])
    sha256 = models.CharField(max_length=64)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["gate_check", "sha256"], name="payouts_evidence_once"),
            models.CheckConstraint(condition=Q(size__range=(1, EVIDENCE_BYTES_MAX)), name="payouts_evidence_size"),
            models.CheckConstraint(condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="payouts_evidence_sha256"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return str(self.name)


class GateDecision(models.Model):
    """One verdict about one gate: who, when, why, on which evidence, until when."""

    gate_check = models.ForeignKey(GateCheck, on_delete=models.PROTECT, related_name="decisions")
    verdict = models.CharField(max_length=10, choices=VERDICTS)
    from_state = models.CharField(max_length=20, choices=STATE_LABELS)
    to_state = models.CharField(max_length=20, choices=STATE_LABELS)
    reason = OpenedTextField()
    evidence = OpenedTextField(blank=True, help_text="What was looked at: document, register, screening list.")
    evidence_files = models.JSONField(default=list, help_text="`[{name, sha256}]` on the check at this instant.")
    expires_at = models.DateTimeField(null=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=[str(value) for value in Verdict]), name="payouts_decision_verdict"
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(verdict="approve"), name="payouts_decision_only_approvals_expire"
            ),
            models.CheckConstraint(
                condition=~Q(verdict="approve") | ~Q(evidence="") | ~Q(evidence_files=[]),
                name="payouts_decision_approval_has_evidence",
            ),
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="approver_is_another_person",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.verdict = 'approve' AND NEW.actor_id = (
                        SELECT payee.created_by_id FROM payouts_payee AS payee
                          JOIN payouts_gatecheck AS gate ON gate.payee_id = payee.id WHERE gate.id = NEW.gate_check_id
                    ) THEN
                        RAISE EXCEPTION 'the person who entered a payee cannot approve its gates';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} on {self.decided_at:%Y-%m-%d %H:%M}"

    @property
    def documents(self) -> list[dict[str, str]]:
        """`evidence_files` as they may be read: names lie under the key of the payee."""
        return list(personal_keys.open_within(self.evidence_files))
