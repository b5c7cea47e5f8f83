"""Writes rated lines in bulk: ids reserved first, then one COPY."""

from collections.abc import Sequence

import orjson
from django.db import connection, transaction

from invoicing.rating.models import RatedLine

_COLUMNS = [str(field.column) for field in RatedLine._meta.concrete_fields]
_COPY = f"COPY rating_ratedline ({', '.join(_COLUMNS)}) FROM STDIN"
_RESERVE = "SELECT nextval(pg_get_serial_sequence('rating_ratedline', 'id')) FROM generate_series(1, %s)"


def copy_lines(lines: Sequence[RatedLine]) -> list[RatedLine]:
    """Store new lines and give them their ids, in order; two statements for any number."""
    if not lines:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_RESERVE, [len(lines)])
        for line, (pk,) in zip(lines, cursor.fetchall(), strict=True):
            line.pk = pk
        with cursor.copy(_COPY) as copy:
            for line in lines:
                copy.write_row(_row(line))
    for line in lines:
        line._state.adding = False  # noqa: SLF001  Django's documented mark of what is stored
    return list(lines)


def _row(line: RatedLine) -> list[object]:
    values: list[object] = [getattr(line, field.attname) for field in RatedLine._meta.concrete_fields]
    values[_COLUMNS.index("computation")] = orjson.dumps(line.computation).decode()
    return values
