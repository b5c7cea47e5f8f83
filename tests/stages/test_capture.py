"""Capture: accepted, known already, or held back; counted once for ever."""

from decimal import Decimal

import pytest

from metering.models import CaptureBatch, EventKey, QuarantinedEvent, UsageEvent
from tests.builders import usage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def test_a_good_event_is_accepted_with_its_own_time() -> None:
    result = usage.capture(usage.event("a", time="2026-03-02T12:30:00.5+01:00"))
    assert (result.received, result.accepted, result.items) == (1, 1, ())
    row = UsageEvent.objects.get()
    assert (row.source, row.event_id, row.customer.code) == ("api/eu", "a", "acme")
    assert row.occurred_at.isoformat() == "2026-03-02T11:30:00.500000+00:00"
    assert row.data == {"input_tokens": 3, "output_tokens": 5}
    assert row.extras is None


def test_fractions_are_stored_exactly() -> None:
    usage.capture(usage.event(data={"input_tokens": Decimal("0.10"), "output_tokens": "1.5"}))
    assert str(UsageEvent.objects.get().data["input_tokens"]) == "0.10"


def test_the_batch_says_what_became_of_it() -> None:
    usage.capture(usage.event("a"))
    usage.capture(usage.event("a"), usage.event("b"), usage.event("c", subject="nobody"), usage.event("b"))
    batch = CaptureBatch.objects.latest("id")
    assert (batch.received, batch.accepted, batch.duplicates, batch.quarantined) == (4, 1, 2, 1)
    assert batch.tallies == [
        {"source": "api/eu", "type": "llm.tokens", "accepted": 1, "duplicates": 2, "quarantined": 1}
    ]
    assert UsageEvent.objects.get(event_id="b").seq == batch.first_seq == batch.last_seq


def test_a_retry_is_a_duplicate_whatever_the_order_of_its_names() -> None:
    usage.capture(usage.event("a"))
    again = dict(reversed(usage.event("a", data={"output_tokens": 5, "input_tokens": 3}).items()))
    result = usage.capture(again)
    assert [(item.index, item.id, item.status) for item in result.items] == [(0, "a", "duplicate")]
    assert UsageEvent.objects.count() == EventKey.objects.count() == 1


def test_the_same_identity_with_another_body_is_a_conflict() -> None:
    usage.capture(usage.event("a"))
    result = usage.capture(usage.event("a", data={"input_tokens": 4, "output_tokens": 5}))
    assert [reason.code for reason in result.items[0].reasons] == ["conflict"]
    assert UsageEvent.objects.get().data["input_tokens"] == 3
    assert QuarantinedEvent.objects.get().event_id == "a"
