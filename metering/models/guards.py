"""Triggers that several tables of metering share."""

import functools
import operator

import pgtrigger

from core.models import APPEND_ONLY

NO_TRUNCATE = next(trigger for trigger in APPEND_ONLY if trigger.name == "no_truncate")


def differs(*names: str) -> pgtrigger.Q:
    """Say that an update changes one of these fields."""
    changes = (pgtrigger.Q(**{f"old__{name}__df": pgtrigger.F(f"new__{name}")}) for name in names)
    return functools.reduce(operator.or_, changes)
