"""Who may be paid, and which gates their program and market ask for."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts import validators
from accounts.models import Customer
from compliance.payouts.rules.gates import GateKind, PayeeKind
from core import personal_keys
from core import sealed_guards as guards
from core.models import APPEND_ONLY, PersonalKey
from core.sealed_fields import MarksField, SealedCharField, SealedEmailField

PAYEE_KINDS = [(str(PayeeKind.PERSON), "Person"), (str(PayeeKind.COMPANY), "Company")]
GATE_KINDS = [
    (str(GateKind.KYC), "KYC"),
    (str(GateKind.KYB), "KYB"),
    (str(GateKind.AML), "AML"),
    (str(GateKind.TAX_FORM), "Tax form"),
]


class Payee(models.Model):
    """A person or company that receives money. Gates are passed by this identity: another identity is another payee."""

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    legal_name = SealedCharField(max_length=200, marks="name_marks")
    kind = models.CharField(max_length=10, choices=PAYEE_KINDS)
    program = models.CharField(
        max_length=60, validators=[validators.CODE], help_text="Why they are paid, such as marketplace or referral."
    )
    market = models.CharField(
        max_length=60, validators=[validators.CODE], help_text="Whose rules apply, such as US or EU."
    )
    country = models.CharField(
        max_length=2, validators=[validators.check_country], help_text="Where they live or are registered, such as DE."
    )
    email = SealedEmailField(blank=True, marks="name_marks")
    name_marks = MarksField(of=("legal_name", "email"))
    personal_key = models.ForeignKey(
        PersonalKey,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Of who this is: name and e-mail lie under it.",
    )
    customer = models.ForeignKey(
        Customer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payees",
        help_text="Where the payee is also a customer.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    history = HistoricalRecords(excluded_fields=["name_marks"])

    class Meta:
        ordering = ["code"]
        indexes = [GinIndex(fields=["name_marks"], name="payouts_payee_marks")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=[str(value) for value in PayeeKind]), name="payouts_payee_kind")
        ]
        triggers = [
            # An approved payee that is renamed would carry somebody else through the gates.
            pgtrigger.ReadOnly(
                name="identity_is_fixed",
                fields=["code", "legal_name", "kind", "program", "market", "country", "created_by", "created_at"],
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            guards.ONE_KEY,
            guards.plain_nowhere("legal_name", "email"),
        ]

    def __str__(self) -> str:
        return f"{self.legal_name} ({self.code})"

    def sealed_name(self) -> str:
        """The name as it may stand in what is never changed: it cannot be read there once the payee is erased."""
        return personal_keys.seal_for(self, self.legal_name)


class GateRequirement(models.Model):
    """The gates that a program asks for in a market, from an instant on; the next version follows, none is edited."""

    program = models.CharField(max_length=60, validators=[validators.CODE])
    market = models.CharField(max_length=60, validators=[validators.CODE])
    payee_kind = models.CharField(max_length=10, choices=PAYEE_KINDS)
    gates = ArrayField(models.CharField(max_length=20, choices=GATE_KINDS), help_text="All of them must be open.")
    effective_at = models.DateTimeField()
    reason = models.TextField(help_text="Why it changes, for the history.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["program", "market", "payee_kind", "-effective_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "market", "payee_kind", "effective_at"], name="payouts_requirement_instant"
            ),
            models.CheckConstraint(
                condition=Q(gates__len__gt=0, gates__contained_by=[str(value) for value in GateKind]),
                name="payouts_requirement_gates",
            ),
            models.CheckConstraint(
                condition=Q(payee_kind__in=[str(value) for value in PayeeKind]), name="payouts_requirement_kind"
            ),
            # What was asked for when money moved may not be changed afterwards.
            models.CheckConstraint(
                condition=Q(effective_at__gte=F("created_at")), name="payouts_requirement_not_backdated"
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.program} / {self.market} / {self.get_payee_kind_display().lower()}"
