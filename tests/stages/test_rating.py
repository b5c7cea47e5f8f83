"""Rated lines keep what they were computed from, and can be computed again."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from core.periods import Period
from invoicing.pricing import segments, subscribe
from invoicing.pricing.models import Plan, Subscription
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import rate
from invoicing.rating.models import RatedLine
from metering.models import AggregationSnapshot, Meter
from tests.builders import agreements, guards
from tests.builders.agreements import JANUARY, START, day

pytestmark = pytest.mark.django_db
RATED_AT = day(33)
TIERS = {
    "tiers": [{"up_to": "1000", "unit_amount": "0.01", "flat_amount": "5"}, {"up_to": None, "unit_amount": "0.005"}]
}


def cut(subscription: Subscription, period: Period = JANUARY) -> list[PriceSegment]:
    return segments.price_segments([DuePeriod(subscription.pk, subscription.customer_id, period)])


def one_charge(params: Any, *, model: str = "standard") -> tuple[Customer, Meter, PriceSegment]:
    """A customer on a plan with one metered charge, and its segment of January."""
    who, meter, plan = agreements.customer(), agreements.meter(), agreements.plan()
    agreements.set_price(plan, meter=meter, model=model, params=params)
    return who, meter, cut(agreements.start(who, plan))[0]


def rate_one(segment: PriceSegment, snapshot: AggregationSnapshot | None) -> RatedLine:
    rate.rate_segments([(segment, snapshot)], at=RATED_AT)
    return RatedLine.objects.get()


def test_a_line_keeps_quantity_price_computation_and_amount() -> None:
    who, meter, segment = one_charge(TIERS, model="graduated")
    snapshot = agreements.snapshot(who, meter, quantity="1000.5")
    line = rate_one(segment, snapshot)
    assert line.snapshot == snapshot
    assert (line.subscription_id, line.charge_id) == (segment.subscription_id, segment.charge_id)
    assert (line.price_version_id, line.effective_at) == (segment.price_version_id, agreements.BEFORE)
    assert (line.segment_start, line.segment_end, line.rated_at) == (JANUARY.start, JANUARY.end, RATED_AT)
    assert (line.quantity, line.currency) == (Decimal("1000.5"), "EUR")
    assert (line.amount_exact, line.amount) == (Decimal("15.0025"), Decimal("15.00"))
    assert line.computation == [
        {"label": "Tier 1: 0 to 1000", "tier": 1, "from": "0", "up_to": "1000", "quantity": "1000",
         "unit_price": "0.01", "flat_fee": "5", "amount": "15"},
        {"label": "Tier 2: above 1000", "tier": 2, "from": "1000", "up_to": None, "quantity": "0.5",
         "unit_price": "0.005", "flat_fee": "0", "amount": "0.0025"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quantity", "unit_amount", "exact", "amount"),
    [
        ("1", "0.005", "0.005", "0.01"),  # half a cent goes up
        ("3", "0.001666666666", "0.004999999998", "0.00"),
        ("12345678901", "0.000000000001", "0.012345678901", "0.01"),
        ("999999999999999.999999999999999999", "0.000000000001", "999.999999999999999999999999999999", "1000.00"),
        ("0", "5", "0", "0"),
    ],
)
def test_the_exact_amount_is_kept_beside_the_rounded_one(
    quantity: str, unit_amount: str, exact: str, amount: str
) -> None:
    who, meter, segment = one_charge({"unit_amount": unit_amount})
    line = rate_one(segment, agreements.snapshot(who, meter, quantity=quantity))
    assert (line.amount_exact, line.amount) == (Decimal(exact), Decimal(amount))
    assert rate.recompute(line).amount_exact == line.amount_exact


def test_corrections_beyond_usage_are_charged_as_nothing_and_shown() -> None:
    who, meter, segment = one_charge({"unit_amount": "1"})
    line = rate_one(segment, agreements.snapshot(who, meter, quantity="-4"))
    assert (line.quantity, line.amount) == (Decimal(-4), Decimal(0))
    assert line.computation[0]["label"] == "Corrections exceed usage: charged as 0"


@pytest.mark.parametrize(("unit", "amounts"), [("second", ["13.55", "16.45"]), ("day", ["13.55", "16.45"])])
def test_a_fee_is_split_where_the_plan_changes(unit: str, amounts: list[str]) -> None:
    basic, pro = agreements.plan(proration_unit=unit), agreements.plan("pro", proration_unit=unit)
    agreements.fee(basic, "30.00")
    agreements.fee(pro, "30.00")
    subscription = agreements.start(agreements.customer(), basic)
    subscribe.change_plan(subscription=subscription, plan=pro, effective_at=day(15), actor=None, at=START)
    lines = rate.rate_segments([(segment, None) for segment in cut(subscription)], at=RATED_AT)
    assert [format(line.amount, "f") for line in lines] == amounts
    assert [line.computation[0]["label"].split()[0] for line in lines] == (
        ["14", "17"] if unit == "day" else ["1209600", "1468800"]
    )


def test_a_change_in_the_middle_of_a_day_gives_the_day_to_the_new_plan() -> None:
    basic, pro = agreements.plan(proration_unit="day"), agreements.plan("pro", proration_unit="day")
    agreements.fee(basic, "31.00")
    agreements.fee(pro, "62.00")
    subscription = agreements.start(agreements.customer(), basic)
    subscribe.change_plan(subscription=subscription, plan=pro, effective_at=day(15.75), actor=None, at=START)
    lines = rate.rate_segments([(segment, None) for segment in cut(subscription)], at=RATED_AT)
    assert [line.amount for line in lines] == [Decimal(14), Decimal(34)]


def test_a_first_short_period_pays_its_share_of_the_whole_one() -> None:
    plan = agreements.plan(proration_unit="day")
    agreements.fee(plan, "31.00")
    subscription = agreements.start(agreements.customer(), plan, since=day(11), anchor_date=START.date())
    line = rate_one(cut(subscription, Period(day(11), day(32)))[0], None)
    assert (line.amount, line.share_part, line.share_whole, line.share_unit) == (Decimal(21), 21, 31, "day")
    assert line.snapshot is None
    assert rate.recompute(line).steps[0].label == "21 of 31 days"


def test_a_line_computed_again_gives_the_same_steps_even_after_the_customer_moved() -> None:
    plan = agreements.plan(proration_unit="day")
    agreements.fee(plan, "10.00")
    who = agreements.customer(time_zone="Europe/Berlin")
    subscription = agreements.start(who, plan, since=day(11))
    line = rate_one(cut(subscription, Period(day(11), day(32)))[0], None)
    Customer.objects.filter(pk=who.pk).update(time_zone="Pacific/Auckland")
    again = rate.recompute(RatedLine.objects.get(pk=line.pk))
    assert again.as_json() == line.computation
    assert (again.amount, again.amount_exact) == (line.amount, line.amount_exact)


def test_lines_come_back_in_the_order_they_were_given() -> None:
    plan = agreements.plan()
    tokens, storage = agreements.meter(), agreements.meter("storage")
    agreements.set_price(plan, meter=tokens)
    agreements.set_price(plan, meter=storage)
    who = agreements.customer()
    first, second = cut(agreements.start(who, plan))
    items = [
        (second, agreements.snapshot(who, storage, quantity="200")),
        (first, agreements.snapshot(who, tokens, quantity="100")),
    ]
    lines = rate.rate_segments(items, at=RATED_AT)
    assert [line.amount for line in lines] == [Decimal(2), Decimal(1)]
    assert [RatedLine.objects.get(pk=line.pk).snapshot for line in lines] == [snapshot for _, snapshot in items]


def test_computing_stores_nothing() -> None:
    who, meter, segment = one_charge({"unit_amount": "0.5"})
    computed = rate.compute_segments([(segment, agreements.snapshot(who, meter, quantity="3"))])
    assert (computed[0].amount, computed[0].computation.amount_exact) == (Decimal("1.50"), Decimal("1.5"))
    assert not RatedLine.objects.exists()


def test_late_usage_is_rated_as_a_whole_by_the_price_of_that_time() -> None:
    who, meter, segment = one_charge(TIERS, model="graduated")
    base = agreements.snapshot(who, meter, quantity="900")
    line = rate_one(segment, base)
    agreements.set_price(Plan.objects.get(), meter=meter, effective_at=day(40), at=START)
    known_now = AggregationSnapshot.objects.create(
        kind="adjustment",
        corrects=base,
        customer=who,
        meter=meter,
        meter_version=base.meter_version,
        window_start=base.window_start,
        window_end=base.window_end,
        watermark=base.watermark,
        quantity=Decimal(1100),
        event_count=2,
        digest="1" * 64,
        taken_at=day(62),
    )
    again = rate.rerate_lines([(line, known_now)], at=day(62))[0]
    assert (again.price_version_id, again.effective_at) == (line.price_version_id, line.effective_at)
    assert (again.segment_start, again.segment_end) == (line.segment_start, line.segment_end)
    assert (line.amount, again.amount) == (Decimal(14), Decimal("15.5"))


def test_an_amount_that_no_invoice_can_hold_stops_the_rating_and_names_whose_it_is() -> None:
    who, meter, segment = one_charge({"unit_amount": "1000000000000"})
    small = agreements.snapshot(who, meter, quantity="1", window=Period(day(32), day(33)))
    large = agreements.snapshot(who, meter, quantity="1001")
    other = replace(segment, subscription_id=-1)
    with pytest.raises(rate.UnratableError) as refusal:
        rate.rate_segments([(other, small), (segment, large)], at=RATED_AT)
    assert refusal.value.reasons.keys() == {segment.subscription_id}
    assert not RatedLine.objects.exists()


def test_thousands_of_lines_take_as_many_statements_as_one() -> None:
    plan = agreements.plan()
    agreements.fee(plan)
    fee = cut(agreements.start(agreements.customer(), plan))[0]

    def count(lines: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(rate.rate_segments([(fee, None)] * lines, at=RATED_AT)) == lines
        return len(captured)

    assert count(3000) == count(1)
    assert RatedLine.objects.count() == 3001


def test_rated_lines_are_never_changed_or_removed() -> None:
    who, meter, segment = one_charge({"unit_amount": "1"})
    rate_one(segment, agreements.snapshot(who, meter, quantity="5"))
    assert guards.keeps_its_rows(RatedLine)
    assert guards.refuses("UPDATE rating_ratedline SET amount = 0")


@pytest.mark.parametrize("change", ["amount = 'NaN'", "quantity = 'NaN'", "share_part = 2", "share_whole = 0",
                                    "segment_end = segment_start"])  # fmt: skip
def test_a_line_that_means_nothing_cannot_be_stored(change: str) -> None:
    who, meter, segment = one_charge({"unit_amount": "1"})
    rate_one(segment, agreements.snapshot(who, meter, quantity="5"))
    column, value = change.split(" = ")
    columns = [
        str(field.column) for field in RatedLine._meta.concrete_fields if field.column not in ("id", "snapshot_id")
    ]
    copied = ", ".join(value if name == column else name for name in columns)
    sql = f"INSERT INTO rating_ratedline ({', '.join(columns)}) SELECT {{}} FROM rating_ratedline"  # noqa: S608  fixed names
    assert guards.refuses(sql.format(copied))
    assert not guards.refuses(sql.format(", ".join(columns)))
