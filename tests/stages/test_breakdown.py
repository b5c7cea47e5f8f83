"""Usage in parts: the very events of a snapshot, one by one, by combination of properties, or by stretch of time."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metering import aggregate, queries, watermark
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, Meter
from metering.queries import PartsBy, PartStream, Split, UsagePart
from tests.builders import usage

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
CLOSING = datetime(2026, 4, 1, 6, tzinfo=UTC)
Asking = Callable[[list[tuple[AggregationSnapshot, Split]]], PartStream]
BOTH_WAYS = pytest.mark.parametrize("ask", [queries.split_usage, queries.recount_parts])


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def use(event_id: str, tokens: object, *, at: str = "2026-03-02T11:00:00Z", **changes: Any) -> None:
    data = {"input_tokens": tokens, "output_tokens": 0, **changes.pop("data", {})}
    subject = changes.setdefault("subject", "acme")
    usage.customer(subject)
    assert usage.capture(usage.event(event_id, time=at, data=data, **changes), at=CLOSING).accepted == 1


def take(code: str = "input-tokens", *, customer: str = "acme", start: datetime = MARCH) -> AggregationSnapshot:
    window = UsageWindow(usage.customer(customer).pk, Meter.objects.get(code=code).pk, start, APRIL)
    return aggregate.take_snapshots([window], watermark=watermark.fix_watermark(at=CLOSING), at=CLOSING)[0]


def parts(ask: Asking, snapshot: AggregationSnapshot, split: Split) -> list[UsagePart]:
    return [part for _, own in ask([(snapshot, split)]) for part in own]


@BOTH_WAYS
def test_events_come_by_time_then_arrival_then_identity_with_the_amount_that_each_brings(ask: Asking) -> None:
    use("b", 2, at="2026-03-02T11:00:00Z", data={"paid": "10.50"})
    use("c", 3, at="2026-03-01T09:00:00Z", data={"paid": 7})
    use("a", 4, at="2026-03-02T11:00:00Z", data={"paid": "much"})
    snapshot = take()
    assert parts(ask, snapshot, Split(by=PartsBy.EVENT, amount_property="paid")) == [
        UsagePart(Decimal(3), amount=Decimal(7)),
        UsagePart(Decimal(2), amount=Decimal("10.50")),  # arrived before "a"
        UsagePart(Decimal(4)),
    ]
    assert snapshot.quantity == 9


@BOTH_WAYS
def test_what_was_corrected_by_the_watermark_is_in_no_part(ask: Asking) -> None:
    use("a", 100)
    use("b", 40)
    before = take()
    use("a2", 70, corrects="a", correction="amend")
    use("x", 0, corrects="b", correction="cancel")
    by_event = Split(by=PartsBy.EVENT)
    assert [part.quantity for part in parts(ask, before, by_event)] == [100, 40]
    mark = watermark.fix_watermark(at=CLOSING)
    (after,) = aggregate.take_adjustment_snapshots([before], watermark=mark, at=CLOSING)
    assert [part.quantity for part in parts(ask, after, by_event)] == [70]


@BOTH_WAYS
def test_each_combination_of_properties_has_its_quantity_and_what_is_missing_is_left_out(ask: Asking) -> None:
    use("1", 10, data={"model": "large", "region": "eu"})
    use("2", 5, data={"model": "large", "region": "eu"})
    use("3", 7, data={"model": "small"})
    use("4", 1)
    assert parts(ask, take(), Split(by=PartsBy.COMBINATION, properties=("model", "region"))) == [
        UsagePart(Decimal(15), 2, (("model", "large"), ("region", "eu"))),
        UsagePart(Decimal(7), 1, (("model", "small"),)),
        UsagePart(Decimal(1), 1),
    ]


@BOTH_WAYS
def test_without_properties_all_events_are_one_part(ask: Asking) -> None:
    use("1", 10, data={"paid": "1.25"})
    use("2", 5, data={"paid": "2"})
    assert parts(ask, take(), Split(by=PartsBy.COMBINATION, amount_property="paid")) == [
        UsagePart(Decimal(15), 2, amount=Decimal("3.25"))
    ]


@BOTH_WAYS
def test_buckets_are_days_where_the_customer_is(ask: Asking) -> None:
    use("1", 10, at="2026-03-08T07:30:00Z")  # 23:30 on the 7th in Los Angeles
    use("2", 5, at="2026-03-08T08:30:00Z")  # 00:30 on the 8th, the day of 23 hours
    use("3", 4, at="2026-03-09T06:30:00Z")  # 23:30 on the 8th
    use("4", 1, at="2026-03-09T07:30:00Z")  # 00:30 on the 9th
    split = Split(by=PartsBy.BUCKET, bucket="day", zone="America/Los_Angeles")
    assert parts(ask, take(), split) == [
        UsagePart(Decimal(10), bucket=datetime(2026, 3, 7, 8, tzinfo=UTC)),
        UsagePart(Decimal(9), 2, bucket=datetime(2026, 3, 8, 8, tzinfo=UTC)),
        UsagePart(Decimal(1), bucket=datetime(2026, 3, 9, 7, tzinfo=UTC)),
    ]


@BOTH_WAYS
def test_the_hour_that_a_clock_strikes_twice_is_two_buckets(ask: Asking) -> None:
    use("1", 10, at="2025-10-26T00:30:00Z")  # 02:30 in Berlin, in summer time
    use("2", 5, at="2025-10-26T01:30:00Z")  # 02:30 again
    split = Split(by=PartsBy.BUCKET, bucket="hour", zone="Europe/Berlin")
    assert [part.quantity for part in parts(ask, take(start=datetime(2025, 10, 1, tzinfo=UTC)), split)] == [10, 5]


@BOTH_WAYS
def test_the_first_bucket_begins_with_the_window(ask: Asking) -> None:
    use("1", 10, at="2026-03-02T11:00:00Z")
    noon = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert parts(ask, take(start=noon), Split(by=PartsBy.BUCKET, bucket="month")) == [
        UsagePart(Decimal(10), bucket=noon)
    ]


@BOTH_WAYS
def test_what_came_after_the_watermark_or_lies_outside_the_window_is_in_no_part(ask: Asking) -> None:
    use("1", 10)
    use("april", 99, at="2026-04-01T00:00:00Z")
    use("other", 99, subject="umbrella")
    snapshot = take()
    use("late", 99)
    assert parts(ask, snapshot, Split(by=PartsBy.EVENT)) == [UsagePart(Decimal(10))]


@BOTH_WAYS
def test_events_of_a_count_are_one_unit_each(ask: Asking) -> None:
    usage.meter("calls", value_property="", aggregation="count")
    use("1", 10, data={"region": "eu"})
    use("2", 20, data={"region": "us"})
    snapshot = take("calls")
    assert parts(ask, snapshot, Split(by=PartsBy.EVENT)) == [UsagePart(Decimal(1))] * 2
    assert [part.quantity for part in parts(ask, snapshot, Split(by=PartsBy.COMBINATION, properties=("region",)))] == [
        1,
        1,
    ]


@BOTH_WAYS
@pytest.mark.parametrize("name", ["region'); DROP TABLE metering_meter; --", '"', "a,b", "{}", "%s", "re\\gion"])
def test_the_name_of_a_property_is_never_part_of_a_statement(ask: Asking, name: str) -> None:
    use("1", 10, data={name: "x", "paid": "1"})
    assert parts(ask, take(), Split(by=PartsBy.COMBINATION, properties=(name,), amount_property="paid")) == [
        UsagePart(Decimal(10), 1, ((name, "x"),), amount=Decimal(1))
    ]


@BOTH_WAYS
def test_many_windows_are_split_together_each_in_its_own_way(ask: Asking) -> None:
    usage.meter("peak", value_property="output_tokens", aggregation="max")
    for number, customer in enumerate(("acme", "beta", "gamma")):
        use(f"{number}a", number + 1, subject=customer, data={"region": "eu", "output_tokens": 3})
        use(f"{number}b", 10, subject=customer, data={"region": "us", "output_tokens": 8})
    by_region = Split(by=PartsBy.COMBINATION, properties=("region",))
    wanted = [(take(customer=code), by_region) for code in ("acme", "beta", "gamma")]
    wanted += [(take("peak"), by_region), (take("peak", customer="beta"), Split(by=PartsBy.BUCKET, bucket="day"))]
    found = {number: [part.quantity for part in own] for number, own in ask(wanted)}
    assert found == {0: [1, 10], 1: [2, 10], 2: [3, 10], 3: [3, 8], 4: [8]}

    def count(asked: list[tuple[AggregationSnapshot, Split]]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len([list(own) for _, own in ask(asked)]) == len(asked)
        return len(captured)

    assert count(wanted[:1]) == count(wanted[:3])


@BOTH_WAYS
def test_a_window_without_events_has_no_parts(ask: Asking) -> None:
    assert list(ask([(take(), Split(by=PartsBy.EVENT))])) == []
    assert list(ask([])) == []


def test_a_preview_is_split_at_the_watermark_that_it_was_counted_at() -> None:
    use("1", 10)
    window = UsageWindow(usage.customer().pk, Meter.objects.get().pk, MARCH, APRIL)
    (snapshot,) = aggregate.preview_snapshots([window], at=CLOSING)
    use("2", 5)
    assert parts(queries.split_usage, snapshot, Split(by=PartsBy.EVENT)) == [UsagePart(Decimal(10))]
