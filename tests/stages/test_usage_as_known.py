"""Live usage as it was known at an earlier moment: by arrival, with the corrections that had arrived by then."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from metering import queries
from metering.models import Meter
from metering.queries import UsageQuestionError
from metering.rules.arrivals import ALWAYS, Arrived
from tests.builders import usage
from tests.builders.sender import Sender

pytestmark = pytest.mark.django_db
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def clock() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((at,),) = cursor.fetchall()
    moment: datetime = at
    return moment


def use(event_id: str, tokens: int, **attributes: str) -> datetime:
    """Capture it, and give a moment after."""
    event = usage.event(event_id, data={"input_tokens": tokens, "output_tokens": 0}, **attributes)
    assert usage.capture(event).accepted == 1
    return clock()


def known(arrived: Arrived = ALWAYS, code: str = "input-tokens") -> Decimal:
    found = queries.live_usage(
        customer_id=usage.customer().pk, meter=Meter.objects.get(code=code), start=MARCH, end=APRIL, arrived=arrived
    )
    return sum((row.quantity for row in found.rows), Decimal(0))


def test_only_what_arrived_in_the_stretch_counts() -> None:
    usage.house()
    first = use("a", 1)
    second = use("b", 2)
    use("c", 4)
    assert known() == 7
    assert known(Arrived(before=first)) == 1
    assert known(Arrived(since=first, before=second)) == 2
    assert known(Arrived(since=second)) == 4
    assert known(Arrived(before=second)) == 3


def test_a_correction_counts_from_its_own_arrival() -> None:
    usage.house()
    before = use("a", 10)
    after = use("b", 4, corrects="a", correction="amend")
    assert known(Arrived(before=before)) == 10
    assert known(Arrived(before=after)) == known() == 4


def test_a_level_is_only_known_as_it_is_now() -> None:
    usage.house()
    usage.meter("level", is_recurring=True)
    with pytest.raises(UsageQuestionError, match="as it is known now"):
        known(Arrived(before=clock()), code="level")


def test_the_api_asks_for_it() -> None:
    usage.house()
    first = use("a", 1)
    use("b", 2)
    asked = "usage?customer=acme&meter=input-tokens&start=2026-03-01T00:00:00Z&end=2026-04-01T00:00:00Z"
    moment = first.isoformat().replace("+00:00", "Z")
    answer = Sender().get(f"{asked}&received_before={moment}").json()
    assert [total["quantity"] for total in answer["totals"]] == ["1"]
