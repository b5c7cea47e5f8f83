"""Keep a rendered document for good: the first bytes stored under a key are the document."""

import hashlib
from datetime import datetime

from invoicing.documents.models import StoredDocument


def store_document(*, key: str, kind: str, content: bytes, at: datetime) -> StoredDocument:
    """Store the bytes under their key, or return what stands there already: a second rendering never replaces it."""
    document = StoredDocument(
        key=key, kind=kind, content=content, sha256=hashlib.sha256(content).hexdigest(), stored_at=at
    )
    StoredDocument.objects.bulk_create([document], ignore_conflicts=True)  # two renderers at once: the first one stands
    return StoredDocument.objects.get(key=key)


def load(key: str) -> StoredDocument | None:
    """The document under this key, or None while it has not been rendered."""
    return StoredDocument.objects.filter(key=key).first()
