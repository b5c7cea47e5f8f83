"""A period split anywhere has no gap and no overlap, and costs what the whole costs but for a minor unit per line."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import money, periods, rounding
from core.periods import Interval, Period
from invoicing.pricing.rules import timeline
from invoicing.pricing.rules.params import FlatParams, StandardParams
from invoicing.pricing.rules.timeline import Dated
from invoicing.rating import rules
from invoicing.rating.rules import proration
from invoicing.rating.rules.proration import Share
from invoicing.rating.rules.usage import Usage

ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "America/Havana", "Pacific/Apia"]
UNITS = ["second", "day", "day30"]
MINOR_UNIT = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001"), "CLF": Decimal("0.0001")}


@st.composite
def split_periods(draw: st.DrawFn) -> tuple[Period, list[Period], str]:
    """A billing period of some anchor and zone, the parts that some instants cut it into, and the zone."""
    zone = draw(st.sampled_from(ZONES))
    whole = periods.enclosing_period(
        anchor=date(2024, draw(st.integers(1, 12)), draw(st.integers(1, 29))),
        interval=draw(st.sampled_from([Interval.MONTH, Interval.QUARTER, Interval.YEAR])),
        zone=zone,
        instant=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 800))),
    )
    offsets = draw(st.lists(st.integers(1, whole.microseconds - 1), max_size=6, unique=True))
    instants = [whole.start, *(whole.start + timedelta(microseconds=offset) for offset in offsets)]
    versions = timeline.in_force([Dated(key, instant, 1) for key, instant in enumerate(instants)])
    return whole, [part for _, part in timeline.cut(whole, versions)], zone


def share(part: Period, *, whole: Period, unit: str, zone: str) -> Share:
    return proration.share_of_segment(segment=part, ends_at=None, whole=whole, unit=unit, zone=zone)


def charge(
    model: str, params: Any, *, currency: str, quantity: Decimal = Decimal(1), of: Share = proration.WHOLE
) -> Decimal:
    computed = rules.compute(model=model, params=params, usage=Usage(quantity), share=of)
    return money.round_amount(computed.amount_exact, currency=currency)


@settings(deadline=None)
@given(split_periods())
def test_the_parts_tile_the_period(split: tuple[Period, list[Period], str]) -> None:
    whole, parts, _ = split
    assert (parts[0].start, parts[-1].end) == (whole.start, whole.end)
    assert all(before.end == after.start for before, after in pairwise(parts))


@settings(deadline=None)
@given(split_periods(), st.sampled_from(UNITS), st.sampled_from([None, *ZONES]))
def test_the_shares_of_the_parts_are_the_whole(
    split: tuple[Period, list[Period], str], unit: str, other_zone: str | None
) -> None:
    whole, parts, zone = split
    shares = [share(part, whole=whole, unit=unit, zone=other_zone or zone) for part in parts]
    assert all(0 <= each.part <= each.whole for each in shares)
    assert sum(each.part for each in shares) == shares[0].whole


@settings(deadline=None)
@given(split_periods(), st.sampled_from(UNITS), st.decimals(0, 10**6, places=4), st.sampled_from(sorted(MINOR_UNIT)))
def test_a_fee_split_anywhere_differs_by_at_most_a_minor_unit_per_line(
    split: tuple[Period, list[Period], str], unit: str, fee: Decimal, currency: str
) -> None:
    whole, parts, zone = split
    params = FlatParams(fee)
    lines = [
        charge("flat", params, currency=currency, of=share(part, whole=whole, unit=unit, zone=zone)) for part in parts
    ]
    together = charge("flat", params, currency=currency)
    with rounding.exactly():
        assert abs(sum(lines, Decimal(0)) - together) <= MINOR_UNIT[currency] * len(lines)


@settings(deadline=None)
@given(
    st.lists(st.decimals(0, 10**6, places=6), min_size=1, max_size=6),
    st.decimals(0, 100, places=12),
    st.sampled_from(sorted(MINOR_UNIT)),
)
def test_usage_split_anywhere_differs_by_at_most_a_minor_unit_per_line(
    quantities: list[Decimal], unit_amount: Decimal, currency: str
) -> None:
    params = StandardParams(unit_amount)
    lines = [charge("standard", params, currency=currency, quantity=quantity) for quantity in quantities]
    with rounding.exactly():
        together = charge("standard", params, currency=currency, quantity=sum(quantities, Decimal(0)))
        assert abs(sum(lines, Decimal(0)) - together) <= MINOR_UNIT[currency] * len(lines)


def test_two_halves_of_an_odd_cent_differ_from_the_whole_by_that_cent() -> None:
    """The bound is reached: 0.01 in two halves is 0.01 + 0.01."""
    half = charge("flat", FlatParams(Decimal("0.01")), currency="EUR", of=Share(1, 2, "day"))
    assert (half, charge("flat", FlatParams(Decimal("0.01")), currency="EUR")) == (Decimal("0.01"), Decimal("0.01"))


@pytest.mark.parametrize("unit", UNITS)
def test_a_year_of_days_of_23_24_and_25_hours_is_shared_out_whole(unit: str) -> None:
    zone = "Europe/Berlin"
    whole = periods.enclosing_period(
        anchor=date(2026, 1, 1), interval=Interval.YEAR, zone=zone, instant=datetime(2026, 7, 1, tzinfo=UTC)
    )
    days = list(
        periods.billing_periods(
            anchor=date(2026, 1, 1), interval=Interval.DAY, zone=zone, start=whole.start, until=whole.end
        )
    )
    shares = [share(each, whole=whole, unit=unit, zone=zone) for each in days]
    assert len(days) == 365
    assert sum(each.part for each in shares) == shares[0].whole
    if unit == "day":
        assert {each.part for each in shares} == {1}
