"""Many rows of one model in one COPY: what a close writes by the thousand goes this way."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from django.db import connection
from django.db.models import JSONField, Model
from django.db.models.base import ModelState
from psycopg import sql

from core.sealed_fields import Opened

Row = TypeVar("Row", bound=Model)


def new_row(model: type[Row], **values: Any) -> Row:
    """Make a row as `model(**values)` does, for those who make thousands: no signal is sent and nobody is asked.

    A value goes by the name of its field or of its column; what is not named has its default. TypeError for a name that
    the model does not have.
    """
    layout = _layout(model, tuple(values))
    row = model.__new__(model)
    row._state = ModelState()  # noqa: SLF001  as Django's own constructor does
    facts = row.__dict__
    for attname, name in layout.plain:
        facts[attname] = values[name]
    for attname, default in layout.absent:
        facts[attname] = default()
    for field, name in layout.related:
        other = values[name]
        facts[field.attname] = None if other is None else other.pk
        field.set_cached_value(row, other)
    return row


class _Layout(NamedTuple):
    """Where the values of a row come from, for rows that are given the same names."""

    plain: Sequence[tuple[str, str]]
    absent: Sequence[tuple[str, Callable[[], Any]]]
    related: Sequence[tuple[Any, str]]


@lru_cache(maxsize=256)
def _layout(model: type[Model], names: Sequence[str]) -> _Layout:
    plain, absent, related = [], [], []
    unknown = set(names)
    for field in model._meta.concrete_fields:
        unknown -= {field.attname, field.name}
        if field.attname in names:
            plain.append((field.attname, field.attname))
        elif field.name in names:
            related.append((field, field.name))
        else:
            absent.append((field.attname, field.get_default))
    if unknown:
        raise TypeError(f"{model.__name__} has no {', '.join(sorted(unknown))}")
    return _Layout(plain, absent, related)


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
    # Only these need Django to prepare them; asking every field of every row would cost more than the COPY itself.
    documents = [(place, field) for place, field in enumerate(fields) if isinstance(field, JSONField | Opened)]
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
