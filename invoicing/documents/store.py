"""Keep a rendered document for good: the first bytes stored under a key are the document."""

import hashlib
from datetime import datetime

from core import personal_keys
from invoicing.documents.models import StoredDocument


def store_document(*, key: str, kind: str, content: bytes, at: datetime, key_id: int | None = None) -> StoredDocument:
    """Store the bytes under their key, or return what stands there already: a second rendering never replaces it.

    They are sealed under the personal key `key_id`, if there is one.
    """
    kept = content if key_id is None else personal_keys.seal_under(key_id, content)
    document = StoredDocument(
        key=key,
        kind=kind,
        content=kept,
        content_sha256=hashlib.sha256(kept).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
        personal_key_id=key_id,
        stored_at=at,
    )
    StoredDocument.objects.bulk_create([document], ignore_conflicts=True)  # two renderers at once: the first one stands
    return StoredDocument.objects.get(key=key)


def is_stored(key: str) -> bool:
    return StoredDocument.objects.filter(key=key).exists()


def load(key: str) -> StoredDocument | None:
    """The document under this key, or None while it has not been rendered."""
    return StoredDocument.objects.filter(key=key).first()
