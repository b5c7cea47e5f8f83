"""Which part of a period no cycle has closed yet."""

from collections.abc import Iterable

from core.periods import Period


def uncovered(period: Period, *, closed: Iterable[Period]) -> list[Period]:
    """Cut what is closed out of the period; the pieces left tile the rest, so nothing is billed twice or forgotten.

    Usually the period is either closed as a whole or not at all. Pieces arise when the calendar moved under a
    subscription, as when its customer's time zone was corrected.
    """
    pieces, start = [], period.start
    for other in sorted(closed):
        if other.end <= start:
            continue
        if other.start >= period.end:
            break
        if start < other.start:
            pieces.append(Period(start, other.start))
        start = other.end
    if start < period.end:
        pieces.append(Period(start, period.end))
    return pieces
