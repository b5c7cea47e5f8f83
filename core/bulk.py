"""Many rows of one model in one COPY: what a close writes by the thousand goes this way."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection
from django.db.models import JSONField, Model
from psycopg import sql

Row = TypeVar("Row", bound=Model)


def new_row(model: type[Row], **values: Any) -> Row:
    """Make a row as `model(**values)` does, for those who make thousands: no router is asked about each relation.

    A value goes by the name of its field or of its column; what is not named has its default.
    """
    arguments: list[Any] = []
    related: list[tuple[Any, Any]] = []
    for field in model._meta.concrete_fields:
        if field.attname in values:
            arguments.append(values[field.attname])
        elif field.name in values:
            other = values[field.name]
            arguments.append(None if other is None else other.pk)
            related.append((field, other))
        else:
            arguments.append(field.get_default())
    row = model(*arguments)
    for relation, other in related:
        relation.set_cached_value(row, other)
    return row


def insert_rows(rows: Sequence[Model]) -> None:
    """Give the rows their ids and write them with one COPY.

    Constraints and triggers hold as ever; `save()`, signals and history rows do not take part.
    """
    if not rows:
        return
    model = type(rows[0])
    fields = model._meta.concrete_fields
    _reserve_ids(rows)
    statement = sql.SQL("COPY {table} ({columns}) FROM STDIN").format(
        table=sql.Identifier(model._meta.db_table),
        columns=sql.SQL(", ").join(sql.Identifier(str(field.column)) for field in fields),
    )
    read = attrgetter(*(field.attname for field in fields))
    # Only JSON needs Django to prepare it; asking every field of every row would cost more than the COPY itself.
    documents = [(place, field) for place, field in enumerate(fields) if isinstance(field, JSONField)]
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            values = list(read(row))
            for place, field in documents:
                values[place] = field.get_db_prep_save(values[place], connection)
            copy.write_row(values)
    for row in rows:
        row._state.adding = False  # noqa: SLF001  Django's own note of whether a row exists


def _reserve_ids(rows: Sequence[Any]) -> None:
    key = type(rows[0])._meta.pk
    assert key is not None  # noqa: S101  Django gives every model a primary key
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [f'"{type(rows[0])._meta.db_table}"', key.column, len(rows)],
        )
        for row, (number,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = number
