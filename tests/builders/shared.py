"""A world that is made once for all tests of a file; what a test does in it is undone after that test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def world(django_db_blocker: Any) -> Iterator[None]:
    """Inside stands what every test of the file finds; none of them may commit."""
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around._from_testcase = True  # type: ignore[attr-defined]  # noqa: SLF001  as in every test of its own
        with around:
            yield
            transaction.set_rollback(True)
