"""Quarantined events by what is wrong with them and where they come from."""

from dataclasses import dataclass
from datetime import datetime

from core.statements import fetch_all

GROUPS_MAX = 500
SUBJECTS_MAX = 50
_GROUPS = """
SELECT reasons -> 0 ->> 'code', source, event_type, count(*), sum(times_seen)::bigint,
       min(received_at), max(received_at)
FROM metering_quarantinedevent WHERE status = 'open'
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT %s
"""
_SUBJECTS = """
SELECT subject, count(*) FROM metering_quarantinedevent
WHERE status = 'open' AND reasons -> 0 ->> 'code' = %s AND source = %s AND event_type = %s
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Events with the same first reason, source and type that wait; each may have been sent several times."""

    code: str
    source: str
    event_type: str
    events: int
    times_seen: int
    first_at: datetime
    last_at: datetime


def find_groups() -> list[Group]:
    """Give what waits, the largest groups first."""
    return [Group(*row) for row in fetch_all(_GROUPS, [GROUPS_MAX])]


def count_subjects(*, code: str, source: str, event_type: str) -> list[tuple[str, int]]:
    """Count a group's events by subject, the most frequent first."""
    return [(subject, count) for subject, count in fetch_all(_SUBJECTS, [code, source, event_type, SUBJECTS_MAX])]
