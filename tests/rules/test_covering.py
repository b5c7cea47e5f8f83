"""Any stretch of time is whole months, days and hours, and a little at its ends."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from metering.rules import covering
from metering.rules.covering import Grain, Span


def at(month: int, day: int, hour: int = 0, minute: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_whole_months_are_one_span() -> None:
    assert covering.cover([at(1, 1), at(1, 1, year=2027)]) == [Span(Grain.MONTH, at(1, 1), at(1, 1, year=2027))]


def test_a_stretch_between_odd_instants_is_cut_to_ever_finer_pieces() -> None:
    assert covering.cover([at(1, 30, 22, 30), at(3, 2, 1, 15)]) == [
        Span(None, at(1, 30, 22, 30), at(1, 30, 23)),
        Span(Grain.HOUR, at(1, 30, 23), at(1, 31)),
        Span(Grain.DAY, at(1, 31), at(2, 1)),
        Span(Grain.MONTH, at(2, 1), at(3, 1)),
        Span(Grain.DAY, at(3, 1), at(3, 2)),
        Span(Grain.HOUR, at(3, 2), at(3, 2, 1)),
        Span(None, at(3, 2, 1), at(3, 2, 1, 15)),
    ]


def test_days_of_another_zone_are_made_of_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    edges = [datetime(2026, 7, day, tzinfo=berlin) for day in (1, 2, 3)]
    assert covering.cover(edges) == [Span(Grain.HOUR, at(6, 30, 22), at(7, 2, 22))]


def test_no_sum_reaches_over_the_edge_of_a_bucket() -> None:
    edges = [at(1, 1), at(1, 15), at(2, 1)]
    assert covering.cover(edges) == [Span(Grain.DAY, at(1, 1), at(2, 1))]


def test_an_hour_that_cannot_be_used_costs_its_day_and_its_month() -> None:
    assert covering.cover([at(1, 1), at(4, 1)], holes=[at(2, 10, 7)]) == [
        Span(Grain.MONTH, at(1, 1), at(2, 1)),
        Span(Grain.DAY, at(2, 1), at(2, 10)),
        Span(Grain.HOUR, at(2, 10), at(2, 10, 7)),
        Span(None, at(2, 10, 7), at(2, 10, 8)),
        Span(Grain.HOUR, at(2, 10, 8), at(2, 11)),
        Span(Grain.DAY, at(2, 11), at(3, 1)),
        Span(Grain.MONTH, at(3, 1), at(4, 1)),
    ]


def test_a_hole_elsewhere_costs_nothing() -> None:
    assert len(covering.cover([at(1, 1), at(4, 1)], holes=[at(4, 1), at(12, 31, 23, year=2025)])) == 1


INSTANTS = st.integers(0, 3 * 365 * 86_400).map(lambda seconds: at(1, 1, year=2024) + timedelta(seconds=seconds))


@given(st.lists(INSTANTS, min_size=2, max_size=6, unique=True), st.lists(INSTANTS, max_size=5))
def test_the_spans_are_all_of_the_time_once_and_of_whole_stretches(
    instants: list[datetime], holes: list[datetime]
) -> None:
    edges = sorted(instants)
    hours = {covering.floor(hole, Grain.HOUR) for hole in holes}
    spans = covering.cover(edges, holes=hours)
    assert spans[0].start == edges[0]
    assert spans[-1].end == edges[-1]
    assert all(before.end == then.start for before, then in pairwise(spans))
    for span in spans:
        if span.grain is None:
            continue
        assert covering.floor(span.start, span.grain) == span.start
        assert covering.floor(span.end, span.grain) == span.end
        assert not [hour for hour in hours if span.start <= hour < span.end]


@given(INSTANTS, st.integers(1, 3000))
def test_the_number_of_sums_does_not_grow_with_the_days(start: datetime, days: int) -> None:
    spans = covering.cover([start, start + timedelta(days=days)])
    sums = {
        grain: sum((span.end - span.start) // step for span in spans if span.grain is grain)
        for grain, step in covering.STEPS.items()
    }
    assert sums[Grain.HOUR] <= 46
    assert sums[Grain.DAY] <= 60
    assert sum((span.end - span.start for span in spans if span.grain is None), timedelta()) < timedelta(hours=2)
