"""The parts that a price was given of the usage: events, combinations of properties or time buckets, page by page."""

from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from invoicing.rating import rate
from invoicing.rating.models import RatedLine
from invoicing.rating.rules.usage import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPage:
    """Parts in their order; `next_after` asks for the next page, None where there is none."""

    parts: list[Part]
    first: int
    next_after: int | None


def page_of_parts(rated: RatedLine, *, after: int, limit: int) -> PartPage | None:
    """The parts behind the first `after`, split from the stored events; None for a price that asks for none."""
    if rated.part_count is None:
        return None
    with closing(rate.iterate_parts(rated)) as parts:
        rows = list(islice(parts, after, after + limit + 1))
    return PartPage(parts=rows[:limit], first=after + 1, next_after=after + limit if len(rows) > limit else None)
