"""What is in force at an instant stays until another, and then what has come meanwhile counts."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.timeline import Dated, Stretch

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number - 1)


PRICES = [Stretch(1, day(1), day(10)), Stretch(2, day(10), day(20)), Stretch(3, day(20), None)]


def test_a_new_price_waits_until_the_end() -> None:
    assert timeline.keep(PRICES, since=day(5), until=day(15)) == [
        Stretch(1, day(1), day(15)),
        Stretch(2, day(15), day(20)),
        Stretch(3, day(20), None),
    ]


def test_a_price_that_came_and_went_meanwhile_never_counts() -> None:
    for until in (day(20), day(25)):
        assert timeline.keep(PRICES, since=day(5), until=until) == [Stretch(1, day(1), until), Stretch(3, until, None)]


def test_nothing_changes_where_no_new_price_comes_or_none_was_there() -> None:
    assert timeline.keep(PRICES, since=day(21), until=day(90)) == PRICES
    assert timeline.keep(PRICES, since=day(2), until=day(9)) == PRICES
    assert timeline.keep(PRICES, since=day(0), until=day(15)) == PRICES


def test_the_price_of_the_first_instant_is_kept_not_the_one_before() -> None:
    assert timeline.keep(PRICES, since=day(10), until=day(30)) == [
        Stretch(1, day(1), day(10)),
        Stretch(2, day(10), day(30)),
        Stretch(3, day(30), None),
    ]


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=8, unique=True), st.integers(0, 100), st.integers(1, 100))
def test_kept_prices_leave_no_gap_and_hold_what_they_say(days: list[int], since: int, length: int) -> None:
    prices = timeline.in_force([Dated(key, day(at), 1) for key, at in enumerate(days)])
    begin, end = day(since), day(since + length)
    kept = timeline.keep(prices, since=begin, until=end)
    assert (kept[0].start, kept[-1].end) == (prices[0].start, None)
    assert all(before.end == after.start and before.start < after.start for before, after in pairwise(kept))
    held = [stretch.key for stretch in prices if stretch.holds_at(begin)]
    for instant in (begin, begin + (end - begin) / 2, end - timedelta(microseconds=1)):
        if held:
            assert [stretch.key for stretch in kept if stretch.holds_at(instant)] == held
    for instant in (end, end + timedelta(days=40)):
        assert [s.key for s in kept if s.holds_at(instant)] == [s.key for s in prices if s.holds_at(instant)]
