"""Documents as they were sent: bytes with their SHA-256, stored once and never changed."""

from django.db import models
from django.db.models import F, Func, Q, Value

from core import personal_keys
from core.models import APPEND_ONLY, PersonalKey


class StoredDocument(models.Model):
    """The bytes of one rendered document under a key that is used once; who is named in it, under a person's key."""

    class Kind(models.TextChoices):
        INVOICE_PDF = "invoice_pdf", "Invoice (PDF)"
        DISPUTE_LETTER = "dispute_letter", "Letter about a dispute (PDF)"

    key = models.CharField(max_length=120, unique=True, help_text="What it is the document of, such as invoice:42.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    content = models.BinaryField(help_text="Sealed where there is a personal key.")
    content_sha256 = models.CharField(max_length=64, help_text="Of these bytes.")
    sha256 = models.CharField(max_length=64, help_text="Of the document itself, as people have it.")
    personal_key = models.ForeignKey(PersonalKey, null=True, on_delete=models.PROTECT, related_name="+")
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["invoice_pdf", "dispute_letter"]), name="documents_kind"),
            models.CheckConstraint(
                condition=Q(
                    content_sha256=Func(Func(F("content"), function="sha256"), Value("hex"), function="encode")
                ),
                name="documents_sha256_is_of_content",
            ),
            models.CheckConstraint(
                condition=Q(personal_key__isnull=False) | Q(sha256=F("content_sha256")),
                name="documents_unsealed_is_plain",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.key

    def opened(self) -> bytes | None:
        """The document itself; None once the key of whom it names is gone."""
        content = bytes(self.content)
        return content if self.personal_key_id is None else personal_keys.open_under(self.personal_key_id, content)
