"""Saving what a person changed, with that person and the reason in the history table."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Model

from core.told import kept


def save_new(row: Model, *, actor: AbstractBaseUser | None, reason: str = "") -> None:
    """Insert the row; the history names the actor even where no request tells who it is."""
    _tell(row, actor=actor, reason=reason)
    row.save(force_insert=True)


def save_change(row: Model, *, fields: list[str], actor: AbstractBaseUser | None, reason: str = "") -> None:
    """Save only the named fields; the history names the actor even where no request tells who it is."""
    _tell(row, actor=actor, reason=reason)
    row.save(update_fields=fields)


def delete_row(row: Model, *, actor: AbstractBaseUser | None, reason: str = "") -> None:
    """Delete the row; its history stays and names the actor."""
    _tell(row, actor=actor, reason=reason)
    row.delete()


def _tell(row: Model, *, actor: AbstractBaseUser | None, reason: str) -> None:
    changed: Any = row  # simple-history reads these two names off the instance it sees saved
    changed._history_user = actor  # noqa: SLF001  simple-history's documented way to name the person
    changed._change_reason = kept(reason)  # noqa: SLF001  as above
