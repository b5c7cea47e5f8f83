"""Stored documents: first bytes stand, the digest is PostgreSQL's business too, nothing changes afterwards."""

import hashlib
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from invoicing.documents import store
from invoicing.documents.models import StoredDocument

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
PDF = StoredDocument.Kind.INVOICE_PDF

pytestmark = pytest.mark.django_db


def test_a_document_is_served_as_it_was_stored() -> None:
    store.store_document(key="invoice:1", kind=PDF, content=b"%PDF-1", at=AT)
    document = store.load("invoice:1")
    assert document is not None
    assert bytes(document.content) == b"%PDF-1"
    assert document.sha256 == hashlib.sha256(b"%PDF-1").hexdigest()
    assert document.stored_at == AT


def test_a_second_rendering_does_not_replace_the_first() -> None:
    first = store.store_document(key="invoice:1", kind=PDF, content=b"first", at=AT)
    again = store.store_document(key="invoice:1", kind=PDF, content=b"second", at=AT)
    assert again == first
    assert bytes(again.content) == b"first"


def test_what_was_never_rendered_is_none() -> None:
    assert store.load("invoice:1") is None


def test_a_digest_of_other_bytes_is_refused_by_the_database() -> None:
    wrong = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(IntegrityError, match="documents_sha256_is_of_content"), transaction.atomic():
        StoredDocument.objects.create(key="invoice:1", kind=PDF, content=b"bytes", sha256=wrong, stored_at=AT)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents_storeddocument SET stored_at = now()",
        "DELETE FROM documents_storeddocument",
        "TRUNCATE documents_storeddocument CASCADE",
    ],
)
def test_a_stored_document_never_changes(statement: str) -> None:
    store.store_document(key="invoice:1", kind=PDF, content=b"bytes", at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as after a commit: nothing of the insert is pending
    with pytest.raises(DatabaseError, match="pgtrigger: Cannot"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
