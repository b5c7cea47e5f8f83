"""Overwrite what the quarantine holds of somebody in clear: bodies that were sealed under no key, and what is wrong.

A body that names a customer lies under a key. One that names nobody known does not, and may still speak of a person:
by an id that was given to them later, or by name. A reason may quote the value that is wrong.
"""

from collections.abc import Collection

import pgtrigger
from django.db import connection

from core import json_words
from metering.store.held import NOT_KEPT

LOCKS = ("metering.QuarantinedEvent:kept_as_sent", "metering.QuarantinedEvent:decided_once")
DETAIL = "Erased with the person."
_FIND = """
SELECT id FROM metering_quarantinedevent
WHERE starts_with(raw, %s) OR (NOT starts_with(raw, 'sealed:1:') AND EXISTS (
    SELECT FROM unnest(%s::text[]) AS word WHERE position(lower(word) IN lower(raw)) > 0))
ORDER BY id FOR UPDATE
"""
_OVERWRITE_BODIES = """
UPDATE metering_quarantinedevent SET raw = %s WHERE id = ANY(%s::bigint[]) AND NOT starts_with(raw, 'sealed:1:')
"""
_OVERWRITE_REASONS = """
UPDATE {table} SET
    reasons = (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'code', one -> 'code', 'detail', %s::text, 'pointer', one -> 'pointer')), '[]')
               FROM jsonb_array_elements(reasons) AS one),
    subject = CASE WHEN EXISTS (SELECT FROM unnest(%s::text[]) AS word
                                WHERE position(lower(word) IN lower(subject)) > 0) THEN '' ELSE subject END
WHERE id = ANY(%s::bigint[])
"""
TABLES = ("metering_quarantinedevent", "metering_historicalquarantinedevent")


def forget_person(*, key_id: int | None, words: Collection[str], ids: Collection[str]) -> int:
    """Overwrite bodies in clear that say one of these words or ids, and the details of why they wait; how many.

    Of bodies that lie under `key_id` only the details are overwritten: the key is destroyed by whoever asks.
    """
    wanted = json_words.forms_of(words=words, ids=ids)
    token = "nothing" if key_id is None else f"sealed:1:{key_id}:"
    said = [word for word in words if len(word) >= json_words.WHOLE_BELOW]
    with pgtrigger.ignore(*LOCKS), connection.cursor() as cursor:
        cursor.execute(_FIND, [token, wanted])
        found = [number for (number,) in cursor.fetchall()]
        cursor.execute(_OVERWRITE_BODIES, [NOT_KEPT, found])
        for table in TABLES:
            cursor.execute(_OVERWRITE_REASONS.format(table=table), [DETAIL, said, found])
    return len(found)
