"""Sums kept while others capture: every event is added once, and every total read meanwhile is one that was true."""

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from metering import queries, rollup_repair, rollups
from metering.models import Meter
from tests.builders import racing, usage

pytestmark = pytest.mark.django_db(transaction=True)
SENDERS, DELIVERIES, EVENTS = 3, 25, 8
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def read() -> tuple[int, int]:
    (row,) = queries.live_usage(customer_id=usage.customer().pk, meter=Meter.objects.get(), start=MARCH, end=APRIL).rows
    return int(row.quantity), row.event_count


def sender(number: int) -> Callable[[], None]:
    """Deliver events that count 3 each, and cancel one of the last delivery's with every other delivery."""

    def send() -> None:
        for delivery in range(DELIVERIES):
            name = f"{number} {delivery}"
            usage.capture(*[usage.event(f"{name} {event}") for event in range(EVENTS)])
            if delivery % 2:
                last = f"{number} {delivery - 1} 0"
                usage.capture(usage.event(f"{name} undone", corrects=last, correction="cancel"))

    return send


def roll_up_often() -> None:
    for _ in range(60):
        rollups.roll_up()


def read_often() -> None:
    chance = random.Random(1)  # noqa: S311  only how often
    seen = (0, 0)
    for _ in range(80 + chance.randrange(20)):
        quantity, events = read()
        assert quantity == 3 * events, "an event was added twice, or taken back and left in"
        assert events >= seen[1] - SENDERS, "a total went back by more than could be cancelled meanwhile"
        seen = (quantity, events)


def test_sums_follow_while_three_senders_deliver_and_two_workers_add() -> None:
    usage.house()
    rollups.keep_series()
    racing.run_together(*(sender(number) for number in range(SENDERS)), roll_up_often, roll_up_often, read_often)
    expected = SENDERS * (DELIVERIES * EVENTS - DELIVERIES // 2)
    assert read() == (3 * expected, expected)
    rollups.roll_up()
    assert read() == (3 * expected, expected)
    assert rollup_repair.find_differences() == []
