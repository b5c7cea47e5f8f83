"""Trigger policies by program and version, and the signatures under them."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts import validators
from core import knowing
from core.models import APPEND_ONLY, AuditEntry
from invoicing.policy.rules.signing import SIGNING_ROLES
from invoicing.pricing.rules import instants

ROLES = [(role, role.capitalize()) for role in SIGNING_ROLES]
NO_TRUNCATE = APPEND_ONLY[1]

# Signed means signed: three live signatures, by three people, over this very content.
_SIGNED_BY_THREE = """
    IF (SELECT count(DISTINCT role) <> 3 OR count(DISTINCT person_id) <> 3
        FROM policy_signoff WHERE policy_id = NEW.id AND voided_at IS NULL AND content_hash = NEW.content_hash)
    THEN
        RAISE EXCEPTION 'policy % lacks signatures', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
_OVER_THIS_CONTENT = """
    PERFORM 1 FROM policy_triggerpolicy policy
    WHERE policy.id = NEW.policy_id AND policy.status = 'proposed' AND policy.content_hash = NEW.content_hash
      AND policy.proposed_by_id <> NEW.person_id
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'policy % is not open for this signature', NEW.policy_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class TriggerPolicy(models.Model):
    """One version of what decides over the invoices of a program, from an instant on, once three people signed it.

    Of signed versions that have begun the one with the latest instant is in force.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", "Waiting for signatures"
        SIGNED = "signed", "Signed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    program = models.CharField(
        max_length=60, validators=[validators.CODE], help_text="The program or market whose customers it is about."
    )
    version = models.PositiveIntegerField()
    effective_at = models.DateTimeField()
    terms = models.JSONField(help_text="What it decides; numbers as decimal strings.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of what is signed.")
    reason = models.TextField(help_text="Why it is proposed.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, help_text="When the last signature was given, or it was withdrawn.")
    withdrawal_reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "trigger policies"
        ordering = ["program", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["program", "version"], name="policy_version"),
            models.UniqueConstraint(
                fields=["program", "effective_at"], condition=Q(status="signed"), name="policy_one_begins_at_once"
            ),
            models.CheckConstraint(
                condition=Q(effective_at__range=(instants.EARLIEST, instants.LATEST)), name="policy_instant"
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_at=None)
                | Q(status__in=["signed", "withdrawn"], decided_at__isnull=False),
                name="policy_status",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="content_is_fixed",
                fields=[
                    "program",
                    "version",
                    "effective_at",
                    "terms",
                    "content_hash",
                    "reason",
                    "proposed_by",
                    "proposed_at",
                ],
            ),
            pgtrigger.Protect(
                name="decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__status="proposed")
            ),
            knowing.agreed_after_readers(
                field="decided_at", operation=pgtrigger.Update, condition=pgtrigger.Q(new__status="signed")
            ),
            pgtrigger.Trigger(
                name="signed_by_three",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__status="signed"),
                func=_SIGNED_BY_THREE,
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.program} v{self.version}"


class SignOff(models.Model):
    """One signature: a person, in a role held at that instant, under one content."""

    policy = models.ForeignKey(TriggerPolicy, on_delete=models.PROTECT, related_name="sign_offs")
    role = models.CharField(max_length=20, choices=ROLES)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    content_hash = models.CharField(max_length=64)
    signed_at = models.DateTimeField()
    audit_entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="+")
    voided_at = models.DateTimeField(null=True, help_text="Set once: the person had lost the role before it counted.")

    class Meta:
        ordering = ["policy", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "role"], condition=Q(voided_at=None), name="policy_sign_off_once_per_role"
            ),
            models.UniqueConstraint(
                fields=["policy", "person"], condition=Q(voided_at=None), name="policy_sign_off_once_per_person"
            ),
            models.CheckConstraint(condition=Q(role__in=SIGNING_ROLES), name="policy_sign_off_role"),
            models.CheckConstraint(
                condition=Q(voided_at=None) | Q(voided_at__gte=F("signed_at")), name="policy_sign_off_voided_later"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="signature_is_fixed",
                fields=["policy", "role", "person", "content_hash", "signed_at", "audit_entry"],
            ),
            pgtrigger.Protect(
                name="voided_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__voided_at__isnull=False)
            ),
            pgtrigger.Trigger(
                name="over_this_content", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_OVER_THIS_CONTENT
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"{self.person} for {self.role} under {self.policy}"


# Whoever signed still has to hold the role when the version begins.
_SIGNERS_HOLD_THEIR_ROLES = """
    IF (SELECT count(DISTINCT sign_off.role) <> 3
        FROM policy_signoff sign_off
        JOIN auth_user person ON person.id = sign_off.person_id AND person.is_active
        JOIN auth_user_groups belongs ON belongs.user_id = person.id
        JOIN auth_group held ON held.id = belongs.group_id AND held.name = sign_off.role
        WHERE sign_off.policy_id = NEW.policy_id AND sign_off.voided_at IS NULL)
    THEN
        RAISE EXCEPTION 'a signer of policy % no longer holds the role', NEW.policy_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""


class PolicyBeginning(models.Model):
    """What became of a version that was signed ahead of its instant, when that came: it holds, or it has lapsed."""

    policy = models.OneToOneField(TriggerPolicy, on_delete=models.PROTECT, related_name="beginning")
    holds = models.BooleanField()
    gone = models.TextField(blank=True, help_text="Who had lost the role that they signed in.")
    at = models.DateTimeField()
    audit_entry = models.OneToOneField(
        AuditEntry,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Empty: begun before this was kept.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(holds=True, gone="") | (Q(holds=False) & ~Q(gone="")), name="policy_beginning_says_why"
            )
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="signers_hold_their_roles",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__holds=True),
                func=_SIGNERS_HOLD_THEIR_ROLES,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} {'begun' if self.holds else 'lapsed'}"
