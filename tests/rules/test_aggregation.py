"""What a meter makes of events: worked tables, and the laws that hold for any events."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules import aggregation
from metering.rules.aggregation import Measure, Observation
from metering.rules.readings import Reading

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def reads(kind: str, name: str = "", **policies: Any) -> Reading:
    return Reading(aggregation=kind, value_property=name, **policies)


def seen(*values: str | None, texts: bool = False) -> list[Observation]:
    """Events a minute apart with these values, each received a second later."""
    return [
        Observation(
            occurred_at=NOON + timedelta(minutes=number),
            received_at=NOON + timedelta(minutes=number, seconds=1),
            event_id=f"e{number}",
            value=value if texts or value is None else Decimal(value),
        )
        for number, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("kind", "values", "quantity"),
    [
        ("sum", ["0.1", "0.2"], "0.3"),
        ("sum", ["10", "-25"], "-15"),  # what was taken back is taken back
        ("sum", ["1000000000000000", "0.000000000000000001"], "1000000000000000.000000000000000001"),
        ("sum", [], "0"),
        ("max", ["9", "10"], "10"),  # compared as text, 9 would win
        ("max", ["-5", "-3"], "-3"),
        ("max", [], "0"),
        ("last", ["7", "9", "8"], "8"),
        ("last", ["7", "-2"], "-2"),
        ("last", [], "0"),
    ],
)
def test_numbers_become_a_quantity(kind: str, values: list[str], quantity: str) -> None:
    found = aggregation.measure(seen(*values), reading=reads(kind))
    assert found == Measure(quantity=Decimal(quantity), event_count=len(values), unmeasured_count=0)


def test_count_takes_every_event_whatever_it_carries() -> None:
    assert aggregation.measure(seen(None, None), reading=reads("count")) == Measure(
        quantity=Decimal(2), event_count=2, unmeasured_count=0
    )


def test_unique_count_takes_each_text_once() -> None:
    events = seen("ada", "bob", "ada", None, texts=True)
    assert aggregation.measure(events, reading=reads("unique_count")) == Measure(
        quantity=Decimal(2), event_count=4, unmeasured_count=1
    )


def test_an_event_without_a_usable_value_is_counted_apart() -> None:
    assert aggregation.measure(seen("3", None, "4"), reading=reads("sum")) == Measure(
        quantity=Decimal(7), event_count=3, unmeasured_count=1
    )


@pytest.mark.parametrize(
    ("later", "wins"),
    [
        ({"occurred_at": NOON + timedelta(microseconds=1), "received_at": NOON - timedelta(days=1)}, True),
        ({"received_at": NOON + timedelta(microseconds=1), "event_id": "a"}, True),
        ({"event_id": "c"}, True),
        ({"event_id": "a"}, False),
        ({"source": "z"}, True),
    ],
    ids=["time first", "then arrival", "then the id", "which may come first", "then the source"],
)
def test_last_follows_one_total_order(later: dict[str, Any], wins: bool) -> None:
    first: dict[str, Any] = {"occurred_at": NOON, "received_at": NOON, "event_id": "b", "source": "y"}
    events = [Observation(**first, value=Decimal(7)), Observation(**first | later, value=Decimal(9))]
    for order in permutations(events):
        assert aggregation.measure(order, reading=reads("last")).quantity == Decimal(9 if wins else 7)


numbers = st.decimals(min_value=-(10**15), max_value=10**15, places=6).map(Decimal)
events_strategy = st.lists(
    st.builds(
        Observation,
        occurred_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 2)),  # noqa: DTZ001  only their order matters
        received_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 2)),  # noqa: DTZ001  as above
        event_id=st.text("abc", min_size=1, max_size=4),
        value=st.none() | numbers,
    ),
    max_size=12,
    unique_by=lambda event: event.event_id,
)


@given(events=events_strategy, seed=st.randoms(use_true_random=False), kind=st.sampled_from(["sum", "max", "last"]))
def test_the_order_of_arrival_at_the_rule_never_matters(events: list[Observation], seed: Any, kind: str) -> None:
    shuffled = list(events)
    seed.shuffle(shuffled)
    assert aggregation.measure(shuffled, reading=reads(kind)) == aggregation.measure(events, reading=reads(kind))


@given(events=events_strategy, cut=st.integers(0, 12))
def test_a_sum_is_the_sum_of_its_parts(events: list[Observation], cut: int) -> None:
    whole, head, tail = (
        aggregation.measure(part, reading=reads("sum")) for part in (events, events[:cut], events[cut:])
    )
    assert whole.quantity == head.quantity + tail.quantity
    assert whole.event_count == head.event_count + tail.event_count


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (3, Decimal(3)),
        (Decimal("0.10"), Decimal("0.10")),
        ("100.5", Decimal("100.5")),
        ("-7", Decimal(-7)),
        (10**15, Decimal(10**15)),
        (10**15 + 1, None),
        (Decimal("0.0000000000000000001"), None),
        ("1_000", None),
        ("\u0665", None),
        (" 5 ", None),
        ("NaN", None),
        (Decimal("Infinity"), None),
        (True, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_number_is_read_only_from_a_bounded_plain_decimal(value: Any, read: Decimal | None) -> None:
    assert aggregation.read_value({"used": value}, reading=reads("sum", "used")) == read


@pytest.mark.parametrize(
    ("value", "read"),
    [("ada", "ada"), (7, "7"), (Decimal("7.0"), "7.0"), (True, "true"), ([1, "a"], '[1,"a"]'), (None, None)],
)
def test_a_unique_count_reads_the_text_of_anything(value: Any, read: str | None) -> None:
    assert aggregation.read_value({"user": value}, reading=reads("unique_count", "user")) == read


def test_an_absent_property_has_no_value() -> None:
    assert aggregation.read_value({}, reading=reads("sum", "used")) is None


def test_the_digest_is_sha_256_over_the_fingerprints_in_order() -> None:
    one, two = b"\x01" * 32, b"\x02" * 32
    assert aggregation.digest([one, two]) == hashlib.sha256(one + two).hexdigest()
    assert aggregation.digest([two, one]) != aggregation.digest([one, two])
    assert aggregation.digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
