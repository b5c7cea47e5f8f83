"""The issuing company, customers, portal users and API keys."""

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from simple_history.models import HistoricalRecords

from accounts import validators
from core import sealed_guards
from core.models import PersonalKey
from core.sealed_fields import MarksField, SealedCharField, SealedEmailField, SealedTextField


class Seller(models.Model):
    """The company in whose name invoices are issued."""

    code = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    legal_name = models.CharField(max_length=200)
    address = models.TextField(help_text="Street, postal code and city, one line each.")
    country = models.CharField(max_length=2, validators=[validators.check_country], help_text="ISO 3166-1, such as DE.")
    tax_id = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    bank_details = models.TextField(blank=True, help_text="Printed on invoices: bank, IBAN, BIC.")
    logo_svg = models.TextField(blank=True, help_text="The logo as SVG text, printed on invoices.")
    invoice_prefix = models.CharField(max_length=20, default="INV-", help_text="Numbers are prefix and running number.")
    credit_note_prefix = models.CharField(
        max_length=20, default="CN-", help_text="Credit notes are numbered by themselves, under their own prefix."
    )
    time_zone = models.CharField(
        max_length=60,
        default="UTC",
        validators=[validators.check_time_zone],
        help_text="Decides the date of issue: numbers and dates then rise together.",
    )
    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(invoice_prefix=F("credit_note_prefix")), name="accounts_seller_prefixes_differ"
            )
        ]

    def __str__(self) -> str:
        return self.legal_name


class Customer(models.Model):
    """Who uses the product and owes for it."""

    code = models.CharField(
        max_length=60, unique=True, validators=[validators.CODE], help_text="The `subject` of usage events."
    )
    legal_name = SealedCharField(max_length=200, marks="name_marks")
    address = SealedTextField(help_text="Street, postal code and city, one line each.", blank=True)
    country = models.CharField(max_length=2, blank=True, validators=[validators.check_country])
    tax_id = SealedCharField(max_length=40, blank=True, marks="name_marks")
    currency = models.CharField(
        max_length=3, validators=[validators.check_currency], help_text="ISO 4217, such as EUR."
    )
    time_zone = models.CharField(max_length=60, default="UTC", validators=[validators.check_time_zone])
    payment_terms_days = models.PositiveSmallIntegerField(default=30, validators=[MaxValueValidator(365)])
    email = SealedEmailField(blank=True, marks="name_marks")
    name_marks = MarksField(of=("legal_name", "tax_id", "email"))
    personal_key = models.ForeignKey(
        PersonalKey,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Of who this is: name, address, tax id and e-mail lie under it.",
    )
    program = models.CharField(
        max_length=60,
        default="standard",
        validators=[validators.CODE],
        help_text="The program or market whose policy decides over their invoices.",
    )
    tax_rate_code = models.CharField(max_length=40, blank=True, help_text="Empty: outside the scope of tax.")
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["name_marks"])

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(payment_terms_days__range=(0, 365)), name="accounts_customer_terms"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="accounts_customer_currency"),
        ]
        indexes = [GinIndex(fields=["name_marks"], name="accounts_customer_marks")]
        triggers = [
            # Events and invoices name the customer by code for ever.
            pgtrigger.ReadOnly(name="code_is_for_ever", fields=["code"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            sealed_guards.ONE_KEY,
            sealed_guards.plain_nowhere("legal_name", "address", "tax_id", "email"),
        ]

    def __str__(self) -> str:
        return f"{self.legal_name} ({self.code})"


class ExternalId(models.Model):
    """What another system calls a customer; events in its form name the customer so."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="external_ids")
    system = models.CharField(
        max_length=60, validators=[validators.CODE], help_text="Which system, such as stripe, lago or openmeter."
    )
    external_id = models.CharField(
        max_length=200, validators=[validators.EXTERNAL_ID], help_text="The id there, such as cus_NffrFeUfNV2Hib."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["system", "external_id"]
        constraints = [models.UniqueConstraint(fields=["system", "external_id"], name="accounts_external_id_once")]
        triggers = [pgtrigger.ReadOnly(name="named_for_ever", fields=["customer", "system", "external_id"])]

    def __str__(self) -> str:
        return f"{self.external_id} in {self.system}"


class PortalUser(models.Model):
    """A sign-in that belongs to exactly one customer."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="portal_user")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="portal_users")
    personal_key = models.ForeignKey(
        PersonalKey,
        null=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What the audit chain says of the person lies under it.",
    )
    history = HistoricalRecords()

    class Meta:
        triggers = [
            pgtrigger.ReadOnly(name="belongs_for_ever", fields=["user", "customer"]),
            sealed_guards.ONE_KEY,
        ]

    def __str__(self) -> str:
        return f"{self.user} for {self.customer.code}"


class Scope(models.TextChoices):
    """What an API key may do; the roles of its person bound it as well."""

    EVENTS_WRITE = "events:write", "Send events"
    READ = "read", "Read everything its roles may read"
    WRITE = "write", "Change what its roles may change"


class ApiKey(models.Model):
    """A key that acts as one member of staff; the secret is shown once and kept as a hash."""

    public_id = models.CharField(max_length=24, unique=True)
    secret_hash = models.CharField(max_length=64, help_text="SHA-256 of the 256-bit secret.")
    name = models.CharField(max_length=100)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_keys")
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices))
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0, scopes__contained_by=Scope.values), name="accounts_key_scopes"
            )
        ]
        triggers = [
            pgtrigger.ReadOnly(name="identity_is_fixed", fields=["public_id", "secret_hash", "user"]),
            pgtrigger.Protect(
                name="revoked_for_ever",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__revoked_at__isnull=False)
                & pgtrigger.Q(old__revoked_at__df=pgtrigger.F("new__revoked_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"


class SignInGuard(models.Model):
    """Failed sign-ins under one name, counted before the password is looked at."""

    name = models.CharField(max_length=150, primary_key=True, help_text="As typed, in lower case; it need not exist.")
    failures = models.PositiveIntegerField()
    last_failure_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
