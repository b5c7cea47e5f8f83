"""Overwrite what the quarantine holds of somebody in clear: bodies that were sealed under no key, and what is wrong.

A body that names a customer lies under a key. One that names nobody known does not, and may still speak of a person:
by an id that was given to them later, or by name. A reason may quote the value that is wrong.
"""

from collections.abc import Collection
from datetime import datetime

import pgtrigger
from django.db import connection

from core import json_words
from metering.store.held import NOT_KEPT

LOCKS = (
    "metering.QuarantinedEvent:kept_as_sent",
    "metering.QuarantinedEvent:decided_once",
    "metering.BulkDecision:decision_is_fixed",
)
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
# Nothing is left to decide over: it waits no longer, and the hash of what it said is no longer known either.
_CLOSE = """
UPDATE metering_quarantinedevent SET status = 'erased', decided_at = %s WHERE id = ANY(%s::bigint[]) AND status = 'open'
"""
_OVERWRITE_REASONS = """
UPDATE {table} SET
    reasons = (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'code', one -> 'code', 'detail', %s::text, 'pointer', one -> 'pointer')), '[]')
               FROM jsonb_array_elements(reasons) AS one),
    raw_hash = encode(sha256(convert_to('erased ' || id, 'UTF8')), 'hex'),
    subject = CASE WHEN EXISTS (SELECT FROM unnest(%s::text[]) AS word
                                WHERE position(lower(word) IN lower(subject)) > 0) THEN '' ELSE subject END
WHERE id = ANY(%s::bigint[])
"""
_OVERWRITE_SUBJECTS = """
UPDATE metering_bulkdecision SET subject = ''
WHERE subject = ANY(%s::text[]) OR EXISTS (SELECT FROM unnest(%s::text[]) AS word
                                           WHERE position(lower(word) IN lower(subject)) > 0)
"""
_STAGED = """
SELECT DISTINCT batch.name
FROM metering_stagedevent AS event JOIN metering_backfill AS batch ON batch.id = event.backfill_id
WHERE EXISTS (SELECT FROM unnest(%s::text[]) AS word WHERE position(lower(word) IN lower(event.content)) > 0)
ORDER BY batch.name
"""
TABLES = ("metering_quarantinedevent", "metering_historicalquarantinedevent")


def forget_person(*, key_id: int | None, words: Collection[str], ids: Collection[str], at: datetime) -> int:
    """Overwrite bodies in clear that say one of these words or ids, and the details of why they wait; how many.

    Of bodies that lie under `key_id` only the details are overwritten: the key is destroyed by whoever asks. Those that
    waited wait no longer.
    """
    wanted = json_words.forms_of(words=words, ids=ids)
    token = "nothing" if key_id is None else f"sealed:1:{key_id}:"
    said = [word for word in words if len(word) >= json_words.WHOLE_BELOW]
    with pgtrigger.ignore(*LOCKS), connection.cursor() as cursor:
        cursor.execute(_FIND, [token, wanted])
        found = [number for (number,) in cursor.fetchall()]
        cursor.execute(_OVERWRITE_BODIES, [NOT_KEPT, found])
        cursor.execute(_CLOSE, [at, found])
        for table in TABLES:
            cursor.execute(_OVERWRITE_REASONS.format(table=table), [DETAIL, said, found])
        cursor.execute(_OVERWRITE_SUBJECTS, [list(ids), said])
    return len(found)


def backfills_that_name(*, words: Collection[str], ids: Collection[str]) -> list[str]:
    """The names of backfills, not captured or dropped yet, that hold events which say one of these words or ids."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGED, [json_words.forms_of(words=words, ids=ids)])
        return [name for (name,) in cursor.fetchall()]
