"""Rows from before there were keys of persons, and keys under an older master key: brought over a few at a time.

Each round is a transaction of its own and looks for what is still to be done, so it may be stopped and begun again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pgtrigger
from django.apps import apps
from django.db import models, transaction

from core import personal_keys, sealing
from core.models import PersonalKey
from core.sealed_fields import MarksField, Sealed

BATCH = 200
KEPT: tuple[type[Any], ...] = (Sealed, MarksField)  # what is written anew
NAME_IS_FIXED = "identity_is_fixed"  # a trigger that takes a name sealed for a name changed


def models_about_persons() -> list[type[models.Model]]:
    """Every model whose rows have the key of a person; with what histories keep of them at the end."""
    found = [model for model in apps.get_models() if any(field.name == "personal_key" for field in model._meta.fields)]
    return sorted(found, key=lambda model: hasattr(model, "instance_type"))


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
