"""Two workers that render the same invoice at once: one document stands, and both serve it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.db import connection

from invoicing.documents import store
from invoicing.documents.models import StoredDocument

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
WORKERS, ROUNDS = 4, 25

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_first_of_several_renderings_stands_for_all() -> None:
    barrier = Barrier(WORKERS)

    def render_all(worker: int) -> list[bytes]:
        kept = []
        try:
            for number in range(ROUNDS):
                barrier.wait()
                document = store.store_document(
                    key=f"invoice:{number}",
                    kind=StoredDocument.Kind.INVOICE_PDF,
                    content=f"invoice {number} as worker {worker} drew it".encode(),
                    at=AT,
                )
                kept.append(bytes(document.content))
        finally:
            connection.close()
        return kept

    with ThreadPoolExecutor(WORKERS) as pool:
        served = list(pool.map(render_all, range(WORKERS)))
    stored = [bytes(content) for content in StoredDocument.objects.order_by("pk").values_list("content", flat=True)]
    assert len(stored) == ROUNDS
    assert sorted(served[0]) == sorted(stored)
    assert all(kept == served[0] for kept in served)
