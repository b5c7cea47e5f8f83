"""The quarantine desk: one row per different event, checked again and released, or discarded, once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from core.errors import InvalidInputError, NotFoundError
from metering import quarantine
from metering.models import CaptureBatch, QuarantinedEvent, UsageEvent
from metering.quarantine import AlreadyDecidedError, Release
from metering.rules import reading
from tests.builders import guards, usage
from tests.builders.usage import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops() -> User:
    usage.house()
    return usage.person("opal", "ops")


def held(**changes: Any) -> QuarantinedEvent:
    usage.capture(usage.event(**changes))
    return QuarantinedEvent.objects.latest("pk")


def release(event: QuarantinedEvent, actor: User, *, at: Any = NOON) -> Release:
    return quarantine.release_event(quarantine_id=event.pk, actor=actor, at=at, reason="fixed")


def test_it_is_kept_as_sent_with_all_its_reasons(ops: User) -> None:
    event = held(subject="newco", time="never")
    assert reading.read_one(event.raw) == usage.event(subject="newco", time="never")
    assert [(reason["code"], reason["pointer"]) for reason in event.reasons] == [
        ("time_invalid", "/time"),
        ("customer_unknown", "/subject"),
    ]
    assert (event.source, event.event_id, event.event_type, event.subject) == ("api/eu", "1", "llm.tokens", "newco")


def test_retries_of_the_same_bad_event_are_one_row(ops: User) -> None:
    bad = usage.event(subject="newco")
    usage.capture(bad, bad, usage.event("2", subject="newco"))
    result = usage.capture(bad)
    assert result.quarantined == 1
    assert list(QuarantinedEvent.objects.order_by("event_id").values_list("event_id", "times_seen")) == [
        ("1", 3),
        ("2", 1),
    ]
    assert CaptureBatch.objects.count() == 2


def test_a_retry_shows_the_newest_reasons(ops: User) -> None:
    event = held(subject="newco", time="2031-01-01T00:00:00Z")
    usage.customer("newco")
    usage.capture(usage.event(subject="newco", time="2031-01-01T00:00:00Z"))
    event.refresh_from_db()
    assert [reason["code"] for reason in event.reasons] == ["time_in_future"]


def test_a_release_accepts_the_event_with_its_own_time(ops: User) -> None:
    event = held(subject="newco")
    usage.customer("newco")
    assert release(event, ops).outcome == "accepted"
    stored = UsageEvent.objects.get()
    assert stored.occurred_at.isoformat() == "2026-03-02T11:00:00+00:00"
    assert (stored.batch.channel, stored.batch.origin) == ("release", f"quarantine:{event.pk}")
    event.refresh_from_db()
    assert (event.status, event.decided_by, event.decision_reason) == ("released", ops, "fixed")


def test_what_is_still_wrong_stays_with_its_new_reasons(ops: User) -> None:
    event = held(subject="newco", type="other")
    usage.customer("newco")
    made = release(event, ops)
    assert (made.outcome, [reason.code for reason in made.reasons]) == ("quarantined", ["type_unknown"])
    event.refresh_from_db()
    assert (event.status, event.times_seen) == ("open", 1)
    assert [reason["code"] for reason in event.reasons] == ["type_unknown"]
    assert event.history.latest().history_user == ops
    assert not CaptureBatch.objects.filter(channel="release").exists()


def test_waiting_never_makes_an_event_too_old(ops: User) -> None:
    usage.contract("short", past_days=30)
    event = held(type="short", subject="newco", data={"input_tokens": 1, "output_tokens": 1})
    usage.customer("newco")
    year_later = event.received_at + timedelta(days=365)
    recent = held(
        event_id="r",
        type="short",
        subject="late",
        time=(event.received_at - timedelta(days=29)).isoformat(),
        data={"input_tokens": 1, "output_tokens": 1},
    )
    usage.customer("late")
    assert release(recent, ops, at=year_later).outcome == "accepted"
    assert release(event, ops, at=year_later).reasons[0].code == "time_too_old"


def test_what_lay_in_the_future_can_be_released_when_it_has_come(ops: User) -> None:
    event = held(time="2026-03-02T13:00:00Z")
    assert release(event, ops).outcome == "quarantined"
    assert release(event, ops, at=NOON + timedelta(hours=1)).outcome == "accepted"


def test_a_release_of_what_was_accepted_meanwhile_is_a_duplicate(ops: User) -> None:
    event = held(subject="newco")
    usage.customer("newco")
    usage.capture(usage.event(subject="newco"))
    assert release(event, ops).outcome == "duplicate"
    assert UsageEvent.objects.count() == 1


def test_a_conflict_stays_a_conflict(ops: User) -> None:
    usage.capture(usage.event())
    event = held(data={"input_tokens": 9, "output_tokens": 9})
    assert [reason.code for reason in release(event, ops).reasons] == ["conflict"]
    assert UsageEvent.objects.count() == 1


def test_what_could_not_be_read_still_cannot(ops: User) -> None:
    usage.capture(*reading.read_lines(b'{"id": "torn"\n{"id":"x","id":"y"}'))
    again = [release(event, ops).reasons[0].code for event in QuarantinedEvent.objects.order_by("raw")]
    assert sorted(again) == ["duplicate_key", "malformed_json"]


def test_a_discard_needs_a_reason_and_keeps_it(ops: User) -> None:
    event = held(subject="newco")
    with pytest.raises(InvalidInputError):
        quarantine.discard_event(quarantine_id=event.pk, actor=ops, reason="  ", at=NOON)
    quarantine.discard_event(quarantine_id=event.pk, actor=ops, reason="a test of the sender", at=NOON)
    event.refresh_from_db()
    assert (event.status, event.decision_reason, event.decided_at) == ("discarded", "a test of the sender", NOON)
    assert event.history.latest().history_change_reason == "a test of the sender"


def test_it_is_decided_once(ops: User) -> None:
    event = held(subject="newco")
    quarantine.discard_event(quarantine_id=event.pk, actor=ops, reason="test", at=NOON)
    with pytest.raises(AlreadyDecidedError):
        release(event, ops)
    with pytest.raises(NotFoundError):
        quarantine.discard_event(quarantine_id=0, actor=ops, reason="test", at=NOON)
    assert guards.refuses("UPDATE metering_quarantinedevent SET decision_reason = 'other'")


def test_a_discarded_event_that_is_sent_again_is_a_new_case(ops: User) -> None:
    event = held(subject="newco")
    quarantine.discard_event(quarantine_id=event.pk, actor=ops, reason="test", at=NOON)
    assert held(subject="newco").pk != event.pk


def test_the_database_keeps_what_was_sent(ops: User) -> None:
    held(subject="newco")
    assert guards.keeps_its_rows(QuarantinedEvent)
    assert guards.refuses("UPDATE metering_quarantinedevent SET raw = '{}'")
    assert guards.refuses("UPDATE metering_quarantinedevent SET status = 'released'")
    assert not guards.refuses("UPDATE metering_quarantinedevent SET times_seen = times_seen + 1")
