"""Background work of erasure: documents whose retention has ended."""

from datetime import timedelta

from django.utils import timezone

from compliance.erasure import documents
from core import recurring


@recurring.every(timedelta(days=1), kind="erasure.documents")
def erase_due_documents() -> None:
    """Once a day; what is erased already has no key to destroy."""
    documents.erase_due_documents(at=timezone.now())
