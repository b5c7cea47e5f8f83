"""Rows from before there were keys of persons, and keys under an older master key: brought over a few at a time.

Each round is a transaction of its own and looks for what is still to be done, so it may be stopped and begun again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from operator import attrgetter
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import connection, models, transaction
from psycopg import sql

from core import personal_keys, sealing
from core.models import PersonalKey
from core.sealed_fields import MarksField, Sealed
from core.sealed_guards import ONE_KEY

BATCH = 200
KEPT: tuple[type[Any], ...] = (Sealed, MarksField)  # what is written anew
NAME_IS_FIXED = "identity_is_fixed"  # a trigger that takes a name sealed for a name changed


def models_about_persons() -> list[type[models.Model]]:
    """Every model whose rows are persons with one key for ever; with what histories keep of them at the end.

    Documents have keys too, and have them from the draft on: what was issued without one never changes.
    """
    persons = [model for model in apps.get_models() if any(one.name == ONE_KEY.name for one in _triggers(model))]
    histories = [model for model in apps.get_models() if getattr(model, "instance_type", None) in persons]
    return [*persons, *histories]


def seal_plain_rows() -> Iterator[tuple[str, int]]:
    """Give every row its person's key and seal what it says; yields a model's name and how many rows, per round."""
    for model in models_about_persons():
        last = 0
        while numbers := list(_plain(model).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
            with transaction.atomic(), _name_may_be_sealed(model):
                for row in _rows(model).select_for_update(of=("self",)).filter(pk__in=numbers):
                    _seal(row)
            last = numbers[-1]
            yield str(model._meta.verbose_name_plural), len(numbers)


def wrap_anew() -> Iterator[int]:
    """Wrap every key that an older master key wraps with the present one; yields how many, per round."""
    present = sealing.present_master()
    older = PersonalKey.objects.filter(destroyed_at=None).exclude(master=present).order_by("pk")
    while True:
        with transaction.atomic():
            keys = list(older.select_for_update()[:BATCH])
            for key in keys:
                opened = sealing.unwrap(bytes(key.wrapped or b""), master=key.master, key_id=key.pk)
                key.master, key.wrapped = sealing.wrap(opened, key_id=key.pk)
            PersonalKey.objects.bulk_update(keys, ["master", "wrapped"])
        if not keys:
            return
        yield len(keys)


def mark_anew() -> int:
    """Make the marks of all rows again, which another master key makes otherwise; how many rows."""
    return sum(_mark_rows(model) for model in models_about_persons() if _marks_field(model))


def _rows(model: type[models.Model]) -> Any:
    return model._default_manager  # noqa: SLF001  Django's documented name of it


def _plain(model: type[models.Model]) -> Any:
    return _rows(model).filter(personal_key=None)


def _seal(row: Any) -> None:
    origin = getattr(row, "instance_type", None)  # of a row of a history
    if origin is not None:
        row.personal_key_id = origin.objects.values_list("personal_key", flat=True).get(pk=row.id)
    row.personal_key_id = row.personal_key_id or personal_keys.make_key().pk
    row.skip_history_when_saving = True  # nobody changed anything
    names = [str(field.name) for field in row._meta.fields if isinstance(field, KEPT)]
    row.save(update_fields=[*names, "personal_key"])


def _mark_rows(model: type[models.Model]) -> int:
    field, count = _marks_field(model), 0
    assert field is not None  # noqa: S101  asked before
    for row in _rows(model).order_by("pk").iterator(chunk_size=BATCH):
        _rows(model).filter(pk=row.pk).update(**{field.name: field.pre_save(row, add=False)})
        count += 1
    return count


def _marks_field(model: type[models.Model]) -> MarksField | None:
    return next((field for field in model._meta.fields if isinstance(field, MarksField)), None)


@contextmanager
def _name_may_be_sealed(model: type[models.Model]) -> Iterator[None]:
    uris = [f"{model._meta.label}:{one.name}" for one in _triggers(model) if one.name == NAME_IS_FIXED]
    with pgtrigger.ignore(*uris) if uris else nullcontext():
        yield


def _triggers(model: type[models.Model]) -> list[pgtrigger.Trigger]:
    return list(getattr(model._meta, "triggers", []))


def seal_told_texts() -> Iterator[tuple[str, int]]:
    """Seal texts and papers about somebody from before they were sealed, where the audit chain does not repeat them.

    Yields a model's name and how many rows, per round. Whoever has no key yet is passed over: rows come first.
    """
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if about := getattr(field, "about", ""):
                yield from _seal_told(model, field, about)


def _seal_told(model: type[models.Model], field: Any, about: str) -> Iterator[tuple[str, int]]:
    last = 0
    while numbers := _plain_numbers(model, field, after=last):
        rows = _rows(model).select_related(about).filter(pk__in=numbers)
        with transaction.atomic(), pgtrigger.ignore(*_uris(model)):
            sealed = sum(_seal_one(row, field, attrgetter(about.replace("__", "."))(row)) for row in rows)
        last = numbers[-1]
        yield f"{field.verbose_name}s of {model._meta.verbose_name_plural}", sealed


def _seal_one(row: Any, field: Any, person: Any) -> int:
    plain, key_id = getattr(row, field.attname), person.personal_key_id
    if key_id is None:
        return 0
    if isinstance(field, models.BinaryField):
        said: Any = b"" if personal_keys.is_destroyed(key_id) else personal_keys.seal_bytes(plain, key_id=key_id)
    else:
        said = personal_keys.tell_under(key_id, plain)
    return int(_rows(type(row)).filter(pk=row.pk).update(**{field.attname: said}))


def _plain_numbers(model: type[models.Model], field: Any, *, after: int) -> list[int]:
    """The next rows in which this column says something that is not sealed; the mark is the same in texts and bytes."""
    statement = sql.SQL(
        "SELECT id FROM {table} WHERE id > %s AND octet_length({column}) > 0"
        " AND substring({column} FROM 1 FOR 9) <> 'sealed:1:' ORDER BY id LIMIT %s"
    ).format(table=sql.Identifier(model._meta.db_table), column=sql.Identifier(field.column))
    with connection.cursor() as cursor:
        cursor.execute(statement, [after, BATCH])
        return [int(number) for (number,) in cursor.fetchall()]


def _uris(model: type[models.Model]) -> list[str]:
    return [f"{model._meta.label}:{one.name}" for one in _triggers(model)]
