"""Something to search for that takes as long as a test asks for."""

import os

from django.db import connection

from core.invariants import Invariant

SEARCHED = "the chores are looked at slowly"


def _look_slowly() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [float(os.environ.get("CHORES_SEARCH_SECONDS", "0"))])
    return []


INVARIANTS = [Invariant(number=99, name=SEARCHED, find_offenders=_look_slowly)]
