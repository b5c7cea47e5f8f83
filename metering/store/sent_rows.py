"""Rows of events on their way to PostgreSQL: each column as one text, and what all rows share said once."""

from collections.abc import Sequence
from typing import Any

from metering.rules.contract import Columns
from metering.store.literals import joined, nullable_array, plain_array, text_array

# As the list of a SELECT these are read in step; in FROM each would be written down as a table of its own first.
# Identities and JSON hold no control character, so they are cut at one; the elements of an array are unquoted letter
# by letter. JSON comes as text and is read row by row: what PostgreSQL needs to read it, it frees after each row, but
# of a whole array only at the end, which takes twice as long.
_EACH = r"""
unnest(string_to_array(%s::text, E'\x1f')) AS event_id,
unnest(%s::bigint[]) AS customer_id,
unnest(%s::timestamptz[]) AS occurred_at,
substring(marks FROM generate_series(1, length(marks), 32) FOR 32) AS fingerprint,
unnest(string_to_array(%s::text, E'\x1f')) AS data
FROM (SELECT %s::bytea AS marks) AS given
"""
ALIKE = f"""(
SELECT %s::text AS source, %s::bigint AS contract_id, %s::bigint AS contract_version_id, NULL::text AS extras,
       1 AS delivery, {_EACH})"""
MIXED = f"""(
SELECT unnest(%s::text[]) AS source, unnest(%s::bigint[]) AS contract_id, unnest(%s::bigint[]) AS contract_version_id,
       unnest(%s::text[]) AS extras, unnest(%s::int[]) AS delivery, {_EACH})"""


def are_alike(rows: Columns) -> bool:
    """Say that all come from one source, were judged by one version, and hold no extras, as mostly."""
    return all(len(set(column)) == 1 for column in (rows.sources, rows.version_ids, rows.extras)) and not rows.extras[0]


def alike_parameters(rows: Columns) -> list[Any]:
    """Write the rows of one delivery for `ALIKE`."""
    return [rows.sources[0], rows.contract_ids[0], rows.version_ids[0], *_each(rows)]


def mixed_parameters(rows: Columns, deliveries: Sequence[int]) -> list[Any]:
    """Write rows for `MIXED`, each with the number of its delivery."""
    return [
        text_array(rows.sources),
        plain_array(rows.contract_ids),
        plain_array(rows.version_ids),
        nullable_array(rows.extras),
        plain_array(deliveries),
        *_each(rows),
    ]


def _each(rows: Columns) -> list[Any]:
    return [
        joined(rows.event_ids),
        plain_array(rows.customer_ids),
        plain_array(rows.times),
        joined(rows.data),
        b"".join(rows.fingerprints),
    ]
