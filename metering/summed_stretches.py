"""Answers what is asked of the sums of usage: from their rows, and from events only where a row is cut."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction

from metering.models import OrderedMinute, RollupSeries
from metering.rules import covering
from metering.rules.aggregation import ZERO
from metering.rules.covering import Grain
from metering.rules.summed import Question, SummedPart, SummedStretch, Told
from metering.store import elsewhere, ordered, rolled_windows
from metering.store.ordered import Ordered, Stretch
from metering.store.rolled_windows import RolledWindow


class Asked(NamedTuple):
    """A question about one customer, and the series that answers it."""

    customer_id: int
    series: RollupSeries
    question: Question


def read_all(asked: Sequence[Asked]) -> list[SummedStretch]:
    """Answer each in its order, in a fixed number of statements."""
    in_order = [place for place, each in enumerate(asked) if each.question.told is Told.ORDER]
    others = [place for place, each in enumerate(asked) if each.question.told is not Told.ORDER]
    found = dict(zip(others, _read_sums([rolled_window(asked[place]) for place in others]), strict=True))
    found |= zip(in_order, _read_order([asked[place] for place in in_order]), strict=True)
    return [found[place] for place in range(len(asked))]


def rolled_window(asked: Asked) -> RolledWindow:
    """Lay whole stretches of sums over what is asked."""
    question, series = asked.question, asked.series
    grains: Sequence[Grain] = covering.WITH_MINUTES if question.adding.by_minute else covering.COARSE_FIRST
    if question.told is Told.MINUTES:
        grains = (Grain.MINUTE,)
    return RolledWindow(
        series_id=series.pk,
        customer_id=asked.customer_id,
        spans=tuple(covering.cover((question.start, question.end), grains=grains)),
        places=tuple(series.group_by.index(name) + 1 for name in question.names),
        told=question.told,
    )


def _read_sums(windows: Sequence[RolledWindow]) -> list[SummedStretch]:
    bare = rolled_windows.bare_stretches(windows)
    if not bare:
        return rolled_windows.read_sums(windows)
    with transaction.atomic(), elsewhere.showing_days(bare):
        return rolled_windows.read_sums(windows)


def _read_order(asked: Sequence[Asked]) -> list[SummedStretch]:
    """The values of minutes one by one; what was read before is read again only if the sums of its minute moved."""
    stretches = [Stretch(each.series.pk, each.customer_id, each.question.start, each.question.end) for each in asked]
    found = ordered.read_kept(stretches)
    missing = [place for place in range(len(stretches)) if place not in found]
    if missing:
        bare = [(stretches[place].start, stretches[place].end) for place in missing]
        with transaction.atomic(), elsewhere.showing_days(bare):
            read = ordered.read_events([stretches[place] for place in missing])
            _keep({stretches[missing[number]]: one for number, one in read.items()})
        found |= {missing[number]: one for number, one in read.items()}
    return [SummedStretch(one.seq, tuple(map(_one_event, one.values))) for _, one in sorted(found.items())]


def _keep(read: dict[Stretch, Ordered]) -> None:
    OrderedMinute.objects.bulk_create(
        [
            OrderedMinute(
                series_id=where.series_id,
                customer_id=where.customer_id,
                starts_at=where.start,
                ends_at=where.end,
                last_row=one.last_row,
                event_count=one.event_count,
                values=list(one.values),
            )
            for where, one in sorted(read.items(), key=repr)
        ],
        update_conflicts=True,
        unique_fields=["series", "customer", "starts_at", "ends_at"],
        update_fields=["last_row", "event_count", "values"],
    )


def _one_event(value: Decimal) -> SummedPart:
    return SummedPart((), 1, 1, value, value, value, value, None, min(value, ZERO))
