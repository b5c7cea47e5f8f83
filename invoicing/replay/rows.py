"""Agreements as PostgreSQL writes their rows: read from the live tables, checked, and put into those of a scratch."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, LiteralString

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import DataError, connection, transaction
from django.db.models import Field, Model
from psycopg import sql

from accounts.roles import Role
from invoicing.replay.rules.shape import TABLES
from metering.rules import exact_json

Rows = dict[str, list[dict[str, Any]]]
PERSON = "person-{}"


def read_rows(model: type[Model], ids: Iterable[int]) -> list[dict[str, Any]]:
    """These rows by id, exactly as they stand."""
    statement = sql.SQL("SELECT to_jsonb(row)::text FROM {} AS row WHERE id = ANY(%s) ORDER BY id")
    with connection.cursor() as cursor:
        cursor.execute(statement.format(sql.Identifier(model._meta.db_table)).as_string(), [sorted(set(ids))])
        return [exact_json.read(text) for (text,) in cursor.fetchall()]


def model_of(table: str) -> type[Model]:
    return _models()[table]


def find_flaws(rows: Mapping[str, Sequence[dict[str, Any]]]) -> Iterator[tuple[str, int, str]]:
    """Each row that its table would not take, by table and place: a column too many or missing, a value unfit."""
    for table, own in rows.items():
        columns = _columns(table)
        needed = {name for name, field in columns.items() if not field.null}
        for place, row in enumerate(own):
            if unknown := sorted(row.keys() - columns):
                yield table, place, f"{table} has no column {', '.join(unknown)}."
            elif lacking := sorted(name for name in needed if row.get(name) is None):
                yield table, place, f"A row of {table} needs {', '.join(lacking)}."
            elif reason := _why_unfit(table, row):
                yield table, place, reason


def _why_unfit(table: str, row: Mapping[str, Any]) -> str:
    """PostgreSQL's own word on the values; nothing is written."""
    statement = sql.SQL("SELECT jsonb_populate_record(NULL::{}, %s::jsonb) IS NULL").format(sql.Identifier(table))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.as_string(), [exact_json.write(row).decode()])
    except DataError as error:
        return str(error).splitlines()[0] + "."
    return ""


@transaction.atomic
def put_rows(rows: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Write the rows over what is there; only ever called in a scratch database.

    Triggers say how a row comes about and changes over years; here it is put there as it was, so they stand aside while
    it is. Constraints and keys hold as ever, the latter when this commits.
    """
    filled = {table: rows[table] for table in TABLES if rows.get(table)}
    _put_people(_people_in(filled))
    with connection.cursor() as cursor:
        for table in filled:
            cursor.execute(_each("ALTER TABLE {} DISABLE TRIGGER USER", table))
        for table, own in filled.items():
            for row in own:
                cursor.execute(_upsert(table), [exact_json.write(row).decode()])
            cursor.execute(_next_id(table))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # pending checks of keys would be in the way of the next line
        for table in filled:
            cursor.execute(_each("ALTER TABLE {} ENABLE TRIGGER USER", table))


def deciders() -> list[User]:
    """Three people in finance of the scratch database: two who approve what is issued, and one who lets holds go."""
    finance, _ = Group.objects.get_or_create(name=Role.FINANCE)
    people = [User.objects.create(username=f"replay-{number}", is_staff=True) for number in (1, 2, 3)]
    for person in people:
        person.groups.add(finance)
    return people


def _people_in(rows: Mapping[str, Sequence[dict[str, Any]]]) -> set[int]:
    found: set[int] = set()
    for table, own in rows.items():
        columns = [name for name, field in _columns(table).items() if field.related_model is User]
        found |= {row[name] for row in own for name in columns if row.get(name) is not None}
    return found


def _put_people(ids: set[int]) -> None:
    """Whoever proposed or decided anything is somebody, and nobody in particular."""
    known = set(User.objects.filter(pk__in=ids).values_list("pk", flat=True))
    User.objects.bulk_create(User(pk=pk, username=PERSON.format(pk), is_active=False) for pk in sorted(ids - known))
    with connection.cursor() as cursor:
        cursor.execute(_next_id(User._meta.db_table))


def _upsert(table: str) -> str:
    columns = list(_columns(table))
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    changed = sql.SQL(", ").join(
        sql.SQL("{name} = EXCLUDED.{name}").format(name=sql.Identifier(name)) for name in columns if name != "id"
    )
    statement = sql.SQL(
        "INSERT INTO {table} ({named}) SELECT {named} FROM jsonb_populate_record(NULL::{table}, %s::jsonb)"
        " ON CONFLICT (id) DO UPDATE SET {changed}"
    )
    return statement.format(table=sql.Identifier(table), named=named, changed=changed).as_string()


def _next_id(table: str) -> str:
    """So that what the stages write themselves gets ids of its own."""
    statement = "SELECT setval(pg_get_serial_sequence({name}, 'id'), greatest((SELECT max(id) FROM {table}), 1))"
    return sql.SQL(statement).format(name=sql.Literal(table), table=sql.Identifier(table)).as_string()


def _each(statement: LiteralString, table: str) -> str:
    return sql.SQL(statement).format(sql.Identifier(table)).as_string()


def _columns(table: str) -> "dict[str, Field[Any, Any]]":
    return {str(field.column): field for field in _models()[table]._meta.concrete_fields}


def _models() -> dict[str, type[Model]]:
    wanted = set(TABLES)
    return {model._meta.db_table: model for model in apps.get_models() if model._meta.db_table in wanted}
