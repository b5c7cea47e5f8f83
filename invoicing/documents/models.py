"""Documents as they were sent: bytes with their SHA-256, stored once and never changed."""

from django.db import models
from django.db.models import F, Func, Q, Value

from core.models import APPEND_ONLY


class StoredDocument(models.Model):
    """The bytes of one rendered document under a key that is used once."""

    class Kind(models.TextChoices):
        INVOICE_PDF = "invoice_pdf", "Invoice (PDF)"
        DISPUTE_LETTER = "dispute_letter", "Letter about a dispute (PDF)"

    key = models.CharField(max_length=120, unique=True, help_text="What it is the document of, such as invoice:42.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["invoice_pdf", "dispute_letter"]), name="documents_kind"),
            models.CheckConstraint(
                condition=Q(sha256=Func(Func(F("content"), function="sha256"), Value("hex"), function="encode")),
                name="documents_sha256_is_of_content",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.key
