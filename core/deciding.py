"""Says in a transaction which kind of trigger decides, so that PostgreSQL can refuse effects that are not its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import pgtrigger
from django.db import connection, transaction

SETTING = "billing_ops.deciding"


class Kind(StrEnum):
    """The kinds of trigger, which never touch each other's results."""

    ALERT = "alert"
    CHARGE_CONTROL = "charge_control"
    INVOICE = "invoice"


@contextmanager
def deciding(kind: Kind) -> Iterator[None]:
    """One transaction in which this kind decides; what it may not do fails in the database, whoever calls it."""
    with transaction.atomic():
        before = _set(kind.value)
        yield
        _set(before)


def _set(value: str) -> str:
    """Set it until the transaction ends, and give what was set before; an undone savepoint undoes it too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [SETTING])
        ((before,),) = cursor.fetchall()
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, value])
    return str(before)


def refuse_from(*kinds: Kind, name: str) -> pgtrigger.Trigger:
    """A trigger that refuses new rows while one of these kinds decides."""
    named = ", ".join(f"'{kind.value}'" for kind in kinds)
    return pgtrigger.Trigger(
        name=name,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"""
            IF coalesce(current_setting('{SETTING}', true), '') IN ({named}) THEN
                RAISE EXCEPTION 'no % comes of this kind of trigger', TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """,
    )
